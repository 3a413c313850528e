"""Room 5: what the network looked at, and whether that can be believed."""
