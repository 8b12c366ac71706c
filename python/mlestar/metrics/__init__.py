"""Metrics: drop-in replacements for scikit-learn's, answered in the compiled core."""

from typing import Any

from mlestar._lazy import load_lazily
from mlestar.metrics.classification import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    fbeta_score,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
)
from mlestar.metrics.confusion import (
    balanced_accuracy_score,
    class_likelihood_ratios,
    cohen_kappa_score,
    hamming_loss,
    jaccard_score,
    matthews_corrcoef,
    multilabel_confusion_matrix,
    zero_one_loss,
)
from mlestar.metrics.ranking import average_precision_score, roc_auc_score
from mlestar.metrics.regression import (
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)
from mlestar.metrics.scoring_rules import brier_score_loss, log_loss

__all__ = [
    "accuracy_score",
    "average_precision_score",
    "balanced_accuracy_score",
    "brier_score_loss",
    "class_likelihood_ratios",
    "cohen_kappa_score",
    "confusion_matrix",
    "f1_score",
    "fbeta_score",
    "hamming_loss",
    "jaccard_score",
    "log_loss",
    "matthews_corrcoef",
    "mean_absolute_error",
    "mean_squared_error",
    "multilabel_confusion_matrix",
    "precision_recall_fscore_support",
    "precision_score",
    "r2_score",
    "recall_score",
    "roc_auc_score",
    "root_mean_squared_error",
    "zero_one_loss",
]

# Functions pickle, and show in help, under the name that people import them by.
for _name in __all__:
    globals()[_name].__module__ = __name__
del _name


def __getattr__(name: str) -> Any:  # mlestar.metrics.streaming loads at first use
    return load_lazily(__name__, globals(), {"streaming": []}, name)
