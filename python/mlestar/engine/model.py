"""The model a run leaves behind: the chosen trials' fold models, averaged."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from mlestar._lazy import require
from mlestar.agents.fitting import answer
from mlestar.exceptions import DataError, ModelFileError
from mlestar.models.base import SupervisedModel
from mlestar.models.persistence import loads
from mlestar.pipeline.schema import TableSchema

_FORMAT = 1


class TabularEnsemble(SupervisedModel):
    """A weighted mean of fitted pipelines, asked with tables like the one it was made from.

    A run makes it; `load` reads it from the run's ``model`` folder.

    Parameters
    ----------
    schema : TableSchema
    task : str
    classes : sequence
        Labels in the order of their numbers.
    metric : str
        What `score` computes.
    members : sequence of (weight, fitted pipelines)
        Each member's answer is the mean of its pipelines'.
    """

    def __init__(
        self,
        schema: TableSchema,
        task: str,
        classes: Sequence[Any],
        metric: str,
        members: Sequence[tuple[float, Sequence[Any]]],
    ) -> None:
        self.schema = schema
        self.task = task
        self.classes = classes
        self.metric = metric
        self.members = members

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit every member once more, on all rows of another table (`y` as class numbers or
        values)."""
        from sklearn.base import clone

        matrix = self._matrix(X)
        self.members = [
            (weight, [clone(pipelines[0]).fit(matrix, np.asarray(y))])
            for weight, pipelines in self.members
        ]
        return self

    def predict(self, X: Any) -> Any:
        """Values or labels, an array of shape (n_rows,).

        Parameters
        ----------
        X : DataFrame, or array with the columns in their order
        """
        mean = self._answer(X)
        if self.task == "regression":
            return mean
        return np.asarray(self.classes)[mean.argmax(axis=1)]

    def predict_proba(self, X: Any) -> Any:
        """Probabilities, an array of shape (n_rows, n_classes) in the order of `classes`."""
        if self.task == "regression":
            raise AttributeError("a regression has no class probabilities")
        return self._answer(X)

    def score(self, X: Any, y: Any = None) -> float:
        """The run's metric, greater is better (losses are negated)."""
        from mlestar.evaluation.metrics import MetricsCalculator

        metric = MetricsCalculator.find(self.metric)
        truth = np.asarray(y)
        given = self._answer(X)
        if self.task != "regression":
            numbers = {label: i for i, label in enumerate(self.classes)}
            truth = np.array([numbers[label] for label in truth.tolist()])
            given = given.argmax(axis=1) if metric.response == "label" else given
        return -metric.error(float(metric.score(truth, given)))

    def _answer(self, X: Any) -> Any:
        matrix = self._matrix(X)
        total: Any = 0.0
        for weight, pipelines in self.members:
            for pipeline in pipelines:
                part = answer(pipeline, matrix, self.task, len(self.classes))
                total = total + weight / len(pipelines) * part
        return total

    def _matrix(self, X: Any) -> Any:
        if not hasattr(X, "columns"):
            array = np.asarray(X)
            names = [column.name for column in self.schema.columns]
            if array.ndim != 2 or array.shape[1] != len(names):
                raise DataError(f"data has shape {array.shape}, but must have {len(names)} columns")
            X = require("pandas", "run").DataFrame(array, columns=names).infer_objects()
        return self.schema.matrix(X)

    def save(self, path: str | Path) -> Path:
        """Write a folder: ``model.json`` and a skops file for each pipeline; whole or not at
        all."""
        from mlestar.models.persistence import dumps

        files = [[dumps(p) for p in pipelines] for _, pipelines in self.members]
        return write_model(
            path,
            self.schema,
            self.task,
            self.classes,
            self.metric,
            [weight for weight, _ in self.members],
            files,
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model folder.

        Raises
        ------
        ModelFileError
            If it is none, or a file in it holds a type that mlestar does not trust.
        """
        path = Path(path)
        try:
            header = json.loads((path / "model.json").read_text(encoding="utf-8"))
            if header["format"] != _FORMAT:
                raise ModelFileError(f"{path} is of format {header['format']}, not {_FORMAT}")
            members = [
                (m["weight"], [loads((path / Path(f).name).read_bytes()) for f in m["files"]])
                for m in header["members"]
            ]
            schema = TableSchema.from_dict(header["schema"])
            return cls(schema, header["task"], header["classes"], header["metric"], members)
        except ModelFileError:
            raise
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{path} is no model folder: {error}") from error


def write_model(
    path: str | Path,
    schema: TableSchema,
    task: str,
    classes: Sequence[Any],
    metric: str,
    weights: Sequence[float],
    files: Sequence[Sequence[bytes | Path]],
) -> Path:
    """Write a model folder from pipelines as bytes or files (linked where the file system can); it
    appears whole or not at all."""
    path = Path(path)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=".model"))
    try:
        members = []
        for number, (weight, parts) in enumerate(zip(weights, files, strict=True)):
            names = []
            for place, data in enumerate(parts):
                names.append(f"member{number}-{place}.skops")
                target = temporary / names[-1]
                if isinstance(data, bytes):
                    target.write_bytes(data)
                    continue
                try:
                    os.link(data, target)
                except OSError:
                    shutil.copyfile(data, target)
            members.append({"weight": float(weight), "files": names})
        header = {
            "format": _FORMAT,
            "task": task,
            "classes": list(classes),
            "metric": metric,
            "schema": schema.to_dict(),
            "members": members,
        }
        (temporary / "model.json").write_text(json.dumps(header, indent=1), encoding="utf-8")
        temporary.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return path
