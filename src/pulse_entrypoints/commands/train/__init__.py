"""`pulse train`."""
