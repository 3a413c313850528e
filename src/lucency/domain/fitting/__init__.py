"""What of a plan does not go together, and the way out: a file for each kind of task."""
