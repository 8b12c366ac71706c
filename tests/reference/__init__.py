"""Slow and obvious: what the fast code must give."""
