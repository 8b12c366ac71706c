"""Feature selection: every name of `sklearn.feature_selection`.

Those of mlestar live in `mlestar.preprocessing`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.feature_selection import *  # noqa: F403

from mlestar.preprocessing import (
    VarianceThreshold,
)

__all__ = [
    "GenericUnivariateSelect",
    "RFE",
    "RFECV",
    "SelectFdr",
    "SelectFpr",
    "SelectFromModel",
    "SelectFwe",
    "SelectKBest",
    "SelectPercentile",
    "SelectorMixin",
    "SequentialFeatureSelector",
    "VarianceThreshold",
    "chi2",
    "f_classif",
    "f_oneway",
    "f_regression",
    "mutual_info_classif",
    "mutual_info_regression",
    "r_regression",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from sklearn import feature_selection

        return getattr(feature_selection, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
