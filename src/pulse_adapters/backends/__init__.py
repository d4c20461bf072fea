"""Compute backends: they carry a task to the work units, in this process, in others, or on a Dask cluster."""
