"""Training (extra `train`): networks, data made on the fly, regimes, export."""
