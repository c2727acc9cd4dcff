"""The shelf: ONNX files with their cards and checksums, and the sessions that run them. No torch in here."""
