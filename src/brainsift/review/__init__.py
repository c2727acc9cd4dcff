"""The page where people decide: the one room that serves a network, loopback unless told otherwise."""
