"""What people said of scans: an append-only trail, and what follows from it."""
