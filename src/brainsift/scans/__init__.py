"""Reading scans: volumes, readers, the catalog of a folder, and resampling."""
