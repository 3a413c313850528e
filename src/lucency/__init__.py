"""Lucency: a workbench for deep-learning studies in radiology."""

__version__ = "0.2.0"
