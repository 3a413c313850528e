"""Room 4: statistics on tables of predictions; never torch."""
