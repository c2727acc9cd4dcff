"""Learning to label brain tissue in a scan of any contrast, from label maps."""
