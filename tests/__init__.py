"""Tests; each folder mirrors a room of src/brainsift."""
