"""The desk: one file per verb, no science."""
