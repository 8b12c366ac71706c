"""Rows of mlestar.model_selection."""
