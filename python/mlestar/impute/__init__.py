"""Imputation: every name of `sklearn.impute`; those of mlestar live in `mlestar.preprocessing`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.impute import *  # noqa: F403

from mlestar.preprocessing import (
    SimpleImputer,
)

__all__ = [
    "KNNImputer",
    "MissingIndicator",
    "SimpleImputer",
]


def __getattr__(name: str) -> Any:
    # Those of scikit-learn's experiments tell how they are enabled.
    if name in __all__ or name == "IterativeImputer":
        from sklearn import impute

        return getattr(impute, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
