"""`pulse data`."""
