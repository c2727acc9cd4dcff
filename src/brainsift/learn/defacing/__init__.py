"""The defacing network: its data, its training, its measurement."""
