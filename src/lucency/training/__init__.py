"""Room 3: training."""
