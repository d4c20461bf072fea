"""`pulse runs`."""
