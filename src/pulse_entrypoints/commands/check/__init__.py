"""`pulse check`."""
