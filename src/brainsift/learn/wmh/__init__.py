"""Learning to see white-matter lesions in T1w scans, from labels drawn on coarse slices."""
