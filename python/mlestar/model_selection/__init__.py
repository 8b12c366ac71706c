"""Cross-validation: scikit-learn's splitters and tools, ours computed in the compiled core.

Every name of `sklearn.model_selection` is here. What is not computed by mlestar is scikit-learn's
own object.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # For type checkers, what the imports below do not define is scikit-learn's.
    from sklearn.model_selection import *  # noqa: F403

from mlestar.model_selection.curves import (
    learning_curve,
    validation_curve,
)
from mlestar.model_selection.exhaustive import (
    LeaveOneOut,
    LeavePOut,
    PredefinedSplit,
)
from mlestar.model_selection.gather import (
    take_rows,
)
from mlestar.model_selection.groups import (
    GroupKFold,
    GroupShuffleSplit,
    LeaveOneGroupOut,
    LeavePGroupsOut,
    StratifiedGroupKFold,
)
from mlestar.model_selection.permutation import (
    permutation_test_score,
)
from mlestar.model_selection.plan import (
    FoldPlan,
)
from mlestar.model_selection.racing import (
    FoldRace,
)
from mlestar.model_selection.shuffles import (
    ShuffleSplit,
    StratifiedShuffleSplit,
    train_test_split,
)
from mlestar.model_selection.splitters import (
    KFold,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    check_cv,
)
from mlestar.model_selection.stratification import (
    MultilabelStratifiedKFold,
    MultilabelStratifiedShuffleSplit,
    QuantileStratifiedKFold,
    QuantileStratifiedShuffleSplit,
)
from mlestar.model_selection.temporal import (
    CombinatorialPurgedKFold,
    PurgedKFold,
)
from mlestar.model_selection.validation import (
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from mlestar.model_selection.walks import (
    GroupTimeSeriesSplit,
    WalkForwardSplit,
)

__all__ = [
    "BaseCrossValidator",
    "BaseShuffleSplit",
    "CombinatorialPurgedKFold",
    "FixedThresholdClassifier",
    "FoldPlan",
    "FoldRace",
    "GridSearchCV",
    "GroupKFold",
    "GroupShuffleSplit",
    "GroupTimeSeriesSplit",
    "KFold",
    "LearningCurveDisplay",
    "LeaveOneGroupOut",
    "LeaveOneOut",
    "LeavePGroupsOut",
    "LeavePOut",
    "MultilabelStratifiedKFold",
    "MultilabelStratifiedShuffleSplit",
    "ParameterGrid",
    "ParameterSampler",
    "PredefinedSplit",
    "PurgedKFold",
    "QuantileStratifiedKFold",
    "QuantileStratifiedShuffleSplit",
    "RandomizedSearchCV",
    "RepeatedKFold",
    "RepeatedStratifiedKFold",
    "ShuffleSplit",
    "StratifiedGroupKFold",
    "StratifiedKFold",
    "StratifiedShuffleSplit",
    "TimeSeriesSplit",
    "TunedThresholdClassifierCV",
    "ValidationCurveDisplay",
    "WalkForwardSplit",
    "check_cv",
    "cross_val_predict",
    "cross_val_score",
    "cross_validate",
    "learning_curve",
    "permutation_test_score",
    "take_rows",
    "train_test_split",
    "validation_curve",
]

# They pickle, and show in help, under the name that people import them by.
for _value in list(globals().values()):
    if getattr(_value, "__module__", "").startswith(f"{__name__}."):
        _value.__module__ = __name__
del _value


def __getattr__(name: str) -> Any:
    # Not defined above, so scikit-learn's; those of its experiments tell how they are enabled.
    if name in __all__ or name.startswith("Halving"):
        from sklearn import model_selection

        return getattr(model_selection, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
