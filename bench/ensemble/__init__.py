"""Rows of mlestar.ensemble."""
