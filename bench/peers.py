"""Peers that may not be installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def optional(module: str) -> Any:
    """The module, or None."""
    try:
        return import_module(module)
    except ImportError:
        return None
