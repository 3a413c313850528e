"""Room 2: the networks."""
