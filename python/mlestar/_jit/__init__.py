"""What imports Numba: loaded only from inside a call that needs it."""

__all__ = []
