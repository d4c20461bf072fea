"""Formats of data files: CSV, JSON Lines and Parquet, each to typed columns."""
