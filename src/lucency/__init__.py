"""Lucency: a workbench for deep-learning studies in radiology."""

__version__ = "0.1.0"
