"""What an image looks like: its quality, whether another one is the same, whether it fits the cohort."""
