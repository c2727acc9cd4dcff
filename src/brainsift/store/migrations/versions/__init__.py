"""`vNNNN_name.py`: what changed with that version."""
