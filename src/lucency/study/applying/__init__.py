"""A finished study outside of its own folder: on new images, and exported."""
