"""Learning to find microbleeds: candidates first, then a small network that tells bleeds from what looks like them."""
