"""Samplers: what they find, and what they cost."""
