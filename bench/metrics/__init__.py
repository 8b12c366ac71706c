"""Rows of mlestar.metrics."""
