"""Chunks evaluated by the workers of a Dask cluster."""
