"""The article's worked numbers as small exact experiments (NumPy)."""
