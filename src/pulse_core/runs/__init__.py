"""Runs: the use cases over many variables, with their inputs, records, tables and summaries."""
