"""Compute backends: what carries a task to the work units."""
