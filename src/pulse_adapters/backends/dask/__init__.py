"""The Dask backend: work units on the workers of a Dask cluster."""
