"""Data stores: where variables are read from."""
