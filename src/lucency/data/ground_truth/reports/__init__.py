"""Radiology reports read by rules: from bytes to what each report says about each finding."""
