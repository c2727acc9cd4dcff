"""The quality network: its data, its training, its measurement."""
