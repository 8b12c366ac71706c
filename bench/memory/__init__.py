"""Rows of mlestar.memory."""
