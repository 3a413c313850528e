"""The task of regression: to measure a number on an image."""
