"""Room 6: the report that a radiologist reads."""
