"""The executor that gives scans to a Dask cluster; the one place of the engine that opens connections."""
