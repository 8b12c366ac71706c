"""Errors and warnings that mlestar raises beyond Python's and scikit-learn's own."""

__all__ = [
    "CacheWarning",
    "ConfigError",
    "CoordinationError",
    "CoordinationWarning",
    "DataError",
    "DeadlineError",
    "MetricWarning",
    "ModelFileError",
    "OutOfMemoryError",
    "RunFolderError",
    "ServerError",
    "ServerUnavailableError",
    "ServerVersionError",
    "ToolError",
]


class CacheWarning(UserWarning):
    """A result that could not be kept; it is given all the same."""


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names the key by its path."""


class CoordinationError(RuntimeError):
    """A claim that is another's."""


class CoordinationWarning(UserWarning):
    """The agents go on, but not in the way that was asked for."""


class DataError(ValueError):
    """A table that cannot be searched on; the message names the column or argument."""


class DeadlineError(RuntimeError):
    """The time was over before a single pipeline had been scored."""


class RunFolderError(RuntimeError):
    """A run folder that is missing, damaged, in use or of another version."""


class ModelFileError(ValueError):
    """A model file that holds a type mlestar does not trust, or that is not a model file."""


class OutOfMemoryError(MemoryError):
    """A pool of `mlestar.memory` cannot give that much; the message lists the largest holders.

    Attributes
    ----------
    requested : int
        Bytes asked for.
    holders : list of tuple
        The largest blocks in use: address, bytes, tag, serial number, origin.
    """

    requested: int
    holders: list[tuple[int, int, str, int, str]]

    def __init__(self, *words: object) -> None:
        super().__init__(*words)
        self.requested = 0
        self.holders = []


class ServerError(RuntimeError):
    """Claude Flow's server cannot do what it was asked."""


class ServerUnavailableError(ServerError):
    """Claude Flow's server is not there, died, hangs or answers nonsense; asking again may help."""


class ServerVersionError(ServerError):
    """A server that mlestar does not work with; the message names the version to install."""


class ToolError(ServerError):
    """Claude Flow's server understood a call and refused it; the message is the server's."""


class MetricWarning(UserWarning):
    """A result that is legal but likely not what was meant."""
