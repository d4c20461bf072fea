"""`pulse forecast`."""
