"""Cross-validation splits: scikit-learn's classes and indices, computed in the compiled core."""

from mlestar.model_selection.gather import take_rows
from mlestar.model_selection.splitters import KFold, StratifiedKFold, train_test_split
from mlestar.model_selection.validation import cross_val_predict, cross_val_score, cross_validate

__all__ = [
    "KFold",
    "StratifiedKFold",
    "cross_val_predict",
    "cross_val_score",
    "cross_validate",
    "take_rows",
    "train_test_split",
]

# They pickle, and show in help, under the name that people import them by.
for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
