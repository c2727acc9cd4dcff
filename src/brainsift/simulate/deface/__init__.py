"""Simulated defacing: every kind of tool, done well and done badly, with what it left and what it took measured."""
