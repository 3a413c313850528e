"""Tasks whose networks name classes, or findings that are there or not."""
