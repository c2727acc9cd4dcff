"""One network for two domains: many labels in one, few or none in the other (T1w to FLAIR, one site to the next)."""
