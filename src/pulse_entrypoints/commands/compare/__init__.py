"""`pulse compare`."""
