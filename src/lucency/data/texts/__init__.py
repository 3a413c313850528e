"""Radiology reports that networks read: found, cut into words, curated and stored as numbers."""
