"""Metrics with confidence intervals; torch-free, and independent of what is measured."""
