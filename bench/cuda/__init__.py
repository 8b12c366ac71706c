"""Rows that need a GPU."""

__all__: list[str] = []
