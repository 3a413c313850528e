"""Where labels come from, and how far they can be trusted."""
