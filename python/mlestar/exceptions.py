"""Errors and warnings that mlestar raises beyond Python's and scikit-learn's own."""

__all__ = [
    "ConfigError",
    "DataError",
    "DeadlineError",
    "MetricWarning",
    "ModelFileError",
    "RunFolderError",
]


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names the key by its path."""


class DataError(ValueError):
    """A table that cannot be searched on; the message names the column or argument."""


class DeadlineError(RuntimeError):
    """The time was over before a single pipeline had been scored."""


class RunFolderError(RuntimeError):
    """A run folder that is missing, damaged, in use or of another version."""


class ModelFileError(ValueError):
    """A model file that holds a type mlestar does not trust, or that is not a model file."""


class MetricWarning(UserWarning):
    """A result that is legal but likely not what was meant."""
