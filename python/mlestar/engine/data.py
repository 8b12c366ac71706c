"""Tables and targets: read, checked, named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mlestar._lazy import require
from mlestar.exceptions import DataError
from mlestar.pipeline.data_pipeline import DataPipeline
from mlestar.pipeline.findings import UNLEARNABLE, Finding
from mlestar.pipeline.schema import TableEncoder, TableSchema
from mlestar.pipeline.validation import DataValidator

SHIPPED = ("breast_cancer", "diabetes", "digits", "iris", "wine")
"""Tables that scikit-learn ships."""
_MOST_CLASSES_OF_WHOLE_NUMBERS = 10


@dataclass(frozen=True)
class Table:
    """Features and target of one problem.

    Attributes
    ----------
    features : DataFrame
    y : ndarray of shape (n_rows,)
        float64 (regression), else class numbers 0, 1, ... as int64.
    task : str
        "binary", "multiclass" or "regression".
    target : str
        The target's name.
    pipeline : DataPipeline
        Fitted to the features: what makes a matrix of them.
    classes : list
        Labels in the order of their numbers; empty for regression.
    findings : list of Finding
    name : str
        What the data were called.
    """

    features: Any
    y: Any
    task: str
    target: str
    pipeline: DataPipeline
    classes: list[Any] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    name: str = ""

    @property
    def schema(self) -> TableSchema:
        """What the pipeline learned of the columns."""
        schema: TableSchema = self.pipeline.preprocessing[0].schema_  # type: ignore[attr-defined]
        return schema


def load_table(
    data: Any,
    target: Any = None,
    *,
    task: str | None = None,
    drop: Sequence[str] = (),
    folds: int = 5,
) -> Table:
    """Read a table and what to predict.

    Parameters
    ----------
    data : path, name, DataFrame or array of shape (n_rows, n_features)
        A CSV or Parquet file, the name of a table that scikit-learn ships (breast_cancer, diabetes,
        digits, iris, wine), or the values themselves.
    target : str, or array of shape (n_rows,)
        The column to predict; its values where `data` is an array. By default "target", if there is
        such a column.
    task : {"binary", "multiclass", "regression"}, default=None
        By default: classes for text, booleans, two values and up to ten whole numbers; else values.
    drop : sequence of str
        Columns to leave out.
    folds : int, default=5
        Rows that each class must have at least two of, and the table this many.

    Raises
    ------
    DataError
        If the data cannot be read or learned from; the message names the column or argument.

    Examples
    --------
    >>> from mlestar.engine import load_table
    >>> table = load_table("iris")
    >>> table.task, len(table.classes), table.features.shape
    ('multiclass', 3, (150, 4))
    """
    pandas = require("pandas", "run")
    frame, values, target_name, name = _read(data, target, pandas)
    missing = [column for column in drop if column not in frame.columns]
    if missing:
        raise DataError(f"drop names columns {missing}, which are not in the table")
    frame = frame.drop(columns=list(drop))
    series = (
        pandas.Series(np.asarray(values)) if not hasattr(values, "dtype") else pandas.Series(values)
    )
    series = series.reset_index(drop=True)
    frame = frame.reset_index(drop=True)
    pipeline = DataPipeline(
        [TableEncoder()], DataValidator(min_rows=max(2 * folds, 10), errors=UNLEARNABLE)
    ).fit(frame, series)
    findings = list(pipeline.findings_)
    y, kind, classes = _target(series, task, target_name, pandas)
    if kind != "regression":
        counts = np.bincount(y, minlength=len(classes))
        rare = [classes[i] for i in np.flatnonzero(counts < folds)]
        if rare and len(rare) == len(classes):
            raise DataError(
                f"target {target_name!r} has fewer than {folds} rows of every class; "
                "predict its values (task regression), or gather more rows"
            )
        if rare:
            findings.append(
                Finding(
                    "warning", target_name, f"classes {rare} have fewer rows than there are folds"
                )
            )
    return Table(frame, y, kind, target_name, pipeline, classes, findings, name)


def _read(data: Any, target: Any, pandas: Any) -> tuple[Any, Any, str, str]:
    """The features, the target's values, its name, and what the data are called."""
    if isinstance(data, str) and data in SHIPPED:
        from sklearn import datasets

        frame = getattr(datasets, f"load_{data}")(as_frame=True).frame
        return (*_take_target(frame, "target" if target is None else target), data)
    if isinstance(data, str | Path):
        frame = read_file(Path(data), pandas)
        return (*_take_target(frame, target), Path(data).name)
    if hasattr(data, "columns"):
        if isinstance(target, str) or target is None:
            return (*_take_target(data, target), "table")
        return data, target, getattr(target, "name", None) or "target", "table"
    array = np.asarray(data)
    if array.ndim != 2:
        raise DataError(f"data has {array.ndim} axes, but must be a table or an array of two")
    if target is None or isinstance(target, str):
        raise DataError("target must be the array of values to predict where data is an array")
    if np.ndim(target) != 1 or len(target) != len(array):
        raise DataError(f"target has shape {np.shape(target)}, but data has {len(array)} rows")
    frame = pandas.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])])
    return frame.infer_objects(), target, "target", "array"


def read_file(path: Path, pandas: Any) -> Any:
    """A CSV or Parquet file as a DataFrame; DataError if it cannot be read."""
    if not path.is_file():
        raise DataError(
            f"data is {str(path)!r}, which is neither a file nor one of {', '.join(SHIPPED)}"
        )
    try:
        if path.suffix in (".parquet", ".pq"):
            return pandas.read_parquet(path)
        return pandas.read_csv(path)
    except Exception as error:
        raise DataError(f"data {path} cannot be read: {error}") from error


def _take_target(frame: Any, target: str | None) -> tuple[Any, Any, str]:
    names = [str(column) for column in frame.columns]
    if target is None:
        if "target" not in names:
            raise DataError(f"target must name the column to predict; the table has {names[:30]}")
        target = "target"
    if target not in names:
        import difflib

        close = difflib.get_close_matches(target, names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"the table has {names[:30]}"
        raise DataError(f"target is {target!r}, which is no column of the table; {hint}")
    if names.count(target) > 1:
        raise DataError(f"target is {target!r}, which is the name of more than one column")
    place = names.index(target)
    features = frame.drop(columns=frame.columns[place])
    features.columns = [str(column) for column in features.columns]
    return features, frame.iloc[:, place], target


def _target(series: Any, task: str | None, name: str, pandas: Any) -> tuple[Any, str, list[Any]]:
    """The target as numbers, its task and its classes."""
    types = pandas.api.types
    numeric = types.is_numeric_dtype(series.dtype) and not types.is_bool_dtype(series.dtype)
    distinct = int(series.nunique())
    if task is None:
        whole = numeric and bool((series.astype(float) % 1 == 0).all())
        if numeric and distinct > 2 and not (whole and distinct <= _MOST_CLASSES_OF_WHOLE_NUMBERS):
            task = "regression"
        else:
            task = "binary" if distinct == 2 else "multiclass"
    if task == "regression":
        if not numeric:
            raise DataError(f"target {name!r} holds {series.dtype}, but regression needs numbers")
        values = series.to_numpy(dtype=np.float64)
        if not np.isfinite(values).all():
            raise DataError(f"target {name!r} holds infinite values")
        return values, task, []
    if task == "binary" and distinct != 2:
        raise DataError(f"target {name!r} has {distinct} classes, but task binary needs two")
    if distinct > max(50, len(series) // 5):
        raise DataError(
            f"target {name!r} has {distinct} classes in {len(series)} rows; "
            "that is no classification (task regression predicts values)"
        )
    plain = [_plain(value) for value in series]
    try:
        classes = sorted(set(plain))
    except TypeError as error:
        raise DataError(f"target {name!r} mixes types: {error}") from error
    numbers = {value: i for i, value in enumerate(classes)}
    return np.array([numbers[value] for value in plain], dtype=np.int64), task, classes


def _plain(value: Any) -> Any:
    """A label as JSON has it."""
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, bool | int | float | str) else str(value)
