"""The table of precision, recall, F-score and support of every class."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlestar._arrays import as_array
from mlestar._calls import answered, decline
from mlestar.metrics._sets import Sums, is_whole, scores_of
from mlestar.metrics._table import table_of
from mlestar.metrics.multilabel import by_label, by_sample

_HEADERS = ("precision", "recall", "f1-score", "support")
_WARN_FOR = ("precision", "recall", "f-score")


def classification_report(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    target_names: Any = None,
    sample_weight: Any = None,
    digits: int = 2,
    output_dict: bool = False,
    zero_division: Any = "warn",
) -> Any:
    """Precision, recall, F-score and support of each class and their averages, from one pass.

    Drop-in for `sklearn.metrics.classification_report`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_labels)
        Labels: integers of any width, bool, whole floats or strings; or indicators of 0 and 1.
    labels : array-like of shape (n_classes,), default=None
        Classes to report, in this order; by default all that occur, sorted.
    target_names : array-like of str of shape (n_classes,), default=None
        Names to print, in the order of the classes.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    digits : int, default=2
        Digits after the point; the dictionary is not rounded.
    output_dict : bool, default=False
        Return a dictionary instead of text.
    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        Value where a denominator is zero; "warn" is 0 with a warning.

    Returns
    -------
    str or dict

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, names that do not match the classes.

    Warns
    -----
    UndefinedMetricWarning
        Where a denominator is zero and `zero_division` is "warn".

    Examples
    --------
    >>> from mlestar.metrics import classification_report
    >>> print(classification_report([0, 1, 2, 2], [0, 0, 2, 2], zero_division=0))
                  precision    recall  f1-score   support
    <BLANKLINE>
               0       0.50      1.00      0.67         1
               1       0.00      0.00      0.00         1
               2       1.00      1.00      1.00         2
    <BLANKLINE>
        accuracy                           0.75         4
       macro avg       0.50      0.67      0.56         4
    weighted avg       0.62      0.75      0.67         4
    <BLANKLINE>
    """
    found = None
    if _known(digits, output_dict, zero_division):
        found = _classes(y_true, y_pred, labels, sample_weight)
    if found is None or (target_names is not None and len(target_names) != len(found[0])):
        return decline("classification_report")(
            y_true,
            y_pred,
            labels=labels,
            target_names=target_names,
            sample_weight=sample_weight,
            digits=digits,
            output_dict=output_dict,
            zero_division=zero_division,
        )
    answered("classification_report")
    return _render(*found, target_names, sample_weight, digits, output_dict, zero_division)


def report_of_table(
    labels: Any,
    row: Any,
    column: Any,
    count: Any,
    *,
    weighted: bool,
    labels_to_report: Any = None,
    target_names: Any = None,
    digits: int = 2,
    output_dict: bool = False,
    zero_division: Any = "warn",
) -> Any:
    """The report of a confusion table: each pair of labels once, and its rows or weight."""
    options = {
        "target_names": target_names,
        "digits": digits,
        "output_dict": output_dict,
        "zero_division": zero_division,
    }
    found = None
    if _known(digits, output_dict, zero_division):
        found = _classes(labels[row], labels[column], labels_to_report, count, any_label=True)
    if found is None or (target_names is not None and len(target_names) != len(found[0])):
        if not weighted:  # every row, which scikit-learn has to count in whole numbers
            row, column, count = np.repeat(row, count), np.repeat(column, count), None
        return decline("classification_report")(
            labels[row], labels[column], labels=labels_to_report, sample_weight=count, **options
        )
    answered("classification_report")
    classes, sums, whole, samples = found
    if not weighted:  # rows are counted in whole numbers, and print as such
        sums = Sums(*(values.astype(np.int64) for values in sums))
    return _render(
        classes, sums, whole, samples, target_names, None, digits, output_dict, zero_division
    )


def _render(
    classes: Any,
    sums: Sums,
    micro_is_accuracy: bool,
    samples: Sums | None,
    target_names: Any,
    sample_weight: Any,
    digits: int,
    output_dict: bool,
    zero_division: Any,
) -> Any:
    names = [f"{label}" for label in classes] if target_names is None else target_names

    def averaged(average: str | None) -> tuple[Any, Any, Any, Any]:
        if average == "samples":
            assert samples is not None
            w = None if sample_weight is None else np.asarray(sample_weight)
            return scores_of(samples, 1.0, average, _WARN_FOR, zero_division, w)
        return scores_of(sums, 1.0, average, _WARN_FOR, zero_division)

    *scores, support = averaged(None)
    rows = list(zip(names, *scores, support, strict=True))
    total = support.sum()
    means = []
    for average in ("micro", "macro", "weighted") + (("samples",) if samples is not None else ()):
        heading = "accuracy" if average == "micro" and micro_is_accuracy else f"{average} avg"
        means.append((heading, *averaged(average)[:3], total))
    return _as_dict(rows + means) if output_dict else _as_text(rows, means, digits)


def _known(digits: Any, output_dict: Any, zero_division: Any) -> bool:
    if not is_whole(digits) or digits < 0 or not isinstance(output_dict, bool):
        return False
    if isinstance(zero_division, str):
        return zero_division == "warn"
    return isinstance(zero_division, int | float) and (
        zero_division in (0, 1) or zero_division != zero_division
    )


def _classes(
    y_true: Any, y_pred: Any, labels: Any, sample_weight: Any, any_label: bool = False
) -> tuple[Any, Sums, bool, Sums | None] | None:
    """The classes, their sums, whether micro averages are the accuracy, and sums by sample."""
    t, p = as_array(y_true), as_array(y_pred)
    if t is None or p is None:
        return None
    if t.ndim == 2:
        counts = by_label(t, p, sample_weight, labels)
        samples = by_sample(t, p, sample_weight, labels)
        if counts is None or samples is None:
            return None
        width = len(counts.sums.hit)
        return np.arange(width) if labels is None else labels, counts.sums, False, samples
    kind = t.dtype.kind
    if kind != p.dtype.kind and not {kind, p.dtype.kind} <= {"i", "u"}:
        return None  # scikit-learn says what a mix is called
    table = table_of(t, p, sample_weight)
    if table is None:
        return None
    places = table.places(labels)
    if places is None:
        return None
    if labels is not None and not any_label and not any(place >= 0 for place in places):
        return None
    _, fp, fn, tp = table.one_against_rest(places)
    if sample_weight is not None:  # whole weights too
        fp, fn, tp = (counts.astype(np.float64) for counts in (fp, fn, tp))
    names = np.asarray(table.labels)
    if kind in "fb":
        names = names.astype(np.float64 if kind == "f" else np.bool_)
    whole = labels is None or set(range(len(table.labels))) <= set(places)
    return names if labels is None else np.asarray(labels), Sums(tp, tp + fp, tp + fn), whole, None


def _as_dict(rows: list[tuple[Any, ...]]) -> dict[Any, Any]:
    report: dict[Any, Any] = {
        name: dict(zip(_HEADERS, map(float, values), strict=True)) for name, *values in rows
    }
    if "accuracy" in report:
        report["accuracy"] = report["accuracy"]["precision"]
    return report


def _as_text(rows: list[tuple[Any, ...]], means: list[tuple[Any, ...]], digits: int) -> str:
    width = max(*(len(row[0]) for row in rows), len("weighted avg"), digits)
    line = "{:>{width}s} " + " {:>9.{digits}f}" * 3 + " {:>9}\n"
    accuracy = "{:>{width}s} " + " {:>9.{digits}}" * 2 + " {:>9.{digits}f}" + " {:>9}\n"
    text = ("{:>{width}s} " + " {:>9}" * 4).format("", *_HEADERS, width=width) + "\n\n"
    for row in rows:
        text += line.format(*row, width=width, digits=digits)
    text += "\n"
    for heading, *values in means:
        if heading == "accuracy":
            text += accuracy.format(heading, "", "", *values[2:], width=width, digits=digits)
        else:
            text += line.format(heading, *values, width=width, digits=digits)
    return text
