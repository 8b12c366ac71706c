"""What is wrong, or suspicious, with a table, a stream of tables, or two of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlestar.pipeline.comparison import compare_passes
from mlestar.pipeline.findings import Finding, check_names, raise_first, ranked
from mlestar.pipeline.schema import TableSchema
from mlestar.pipeline.tables import as_frame
from mlestar.pipeline.validation_pass import ValidationPass


class DataValidator:
    """Checks tables before anything learns from them, whole or in chunks, alone or in pairs.

    Parameters
    ----------
    required : sequence of str, default=()
        Columns that must be there.
    min_rows : int, default=1
        Rows that must be there.
    schema : TableSchema, pandera.DataFrameSchema or None, default=None
        What values are held to: types, ranges, categories, missing and repeated values. Learn one
        from a table that is right (`TableSchema.learn`), or write it.
    errors : sequence of str, default=()
        Checks whose findings are errors, which `check` raises: names of
        `mlestar.pipeline.CHECKS`, or ``"check:column"`` for one column alone.
        `mlestar.pipeline.UNLEARNABLE` are those that leave nothing to learn.
    time, groups : str or None, default=None
        Columns that tell when a row was, and what rows belong together: what a split must not tear
        apart. They are not held for names of rows, and may drift. Texts of a time are read as
        dates; a column that is not there, or holds no times, is a finding.
    leakage : float, default=0.95
        Score from which a column tells the target too well (see `mlestar.pipeline.alone`).
    sample_rows : int, default=20000
        Rows that leakage, drift, copies and names of rows are judged by; the same ones for the
        same rows, whatever the chunks. The other checks see every row.
    max_hashes : int, default=2000000
        Row hashes that are held for repeated and shared rows (8 bytes each); beyond, their number
        is an unbiased estimate.

    Examples
    --------
    >>> import pandas as pd
    >>> from mlestar import DataValidator
    >>> table = pd.DataFrame({"a": [1, 1, 1], "b": [1, 2, 3], "c": [1, 2, 3]})
    >>> [f"{f.column}: {f.message}" for f in DataValidator().validate(table)]
    ['a: holds one value only', 'c: holds the same values as b']

    Held to what an earlier table was like:

    >>> from mlestar.pipeline import Column, TableSchema
    >>> schema = TableSchema((Column("b", "number", minimum=0, maximum=2),))
    >>> validator = DataValidator(schema=schema, errors=["range"])
    >>> validator.check(table)
    Traceback (most recent call last):
    ...
    mlestar.exceptions.DataError: column 'b' has 1 value outside of [0, 2]; the first is 3 in row 2
    """

    def __init__(
        self,
        required: Sequence[str] = (),
        min_rows: int = 1,
        *,
        schema: Any = None,
        errors: Sequence[str] = (),
        time: str | None = None,
        groups: str | None = None,
        leakage: float = 0.95,
        sample_rows: int = 20_000,
        max_hashes: int = 2_000_000,
    ) -> None:
        if not 0 < leakage <= 1:
            raise ValueError(f"leakage is {leakage!r}, but must be above 0 and at most 1")
        for name, value in (("sample_rows", sample_rows), ("max_hashes", max_hashes)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} is {value!r}, but must be a whole number above 0")
        if not (schema is None or isinstance(schema, TableSchema) or hasattr(schema, "validate")):
            raise ValueError(
                f"schema is a {type(schema).__name__}, but must be a TableSchema or a "
                "pandera.DataFrameSchema"
            )
        self.required = required
        self.min_rows = min_rows
        self.schema = schema
        self.errors = check_names(errors)
        self.time = time
        self.groups = groups
        self.leakage = leakage
        self.sample_rows = sample_rows
        self.max_hashes = max_hashes

    def start(self) -> ValidationPass:
        """A pass over a stream: `update` it with each chunk, then ask for its `findings`.

        Examples
        --------
        >>> import numpy as np
        >>> from mlestar import DataValidator
        >>> seen = DataValidator().start()
        >>> for start in range(0, 300, 100):
        ...     seen.update(np.arange(start, start + 100))
        >>> [finding.message for finding in seen.findings()]
        ['names its rows: a row number that rises by 1; it predicts nothing in new ones']
        """
        return ValidationPass(self)

    def validate(self, table: Any, y: Any = None) -> list[Finding]:
        """Everything found, errors first; nothing is raised for what is found.

        Parameters
        ----------
        table : DataFrame, Arrow table, polars frame, or array of shape (n_rows, n_columns)
        y : array-like of shape (n_rows,), default=None
            The target, checked too where given.

        Raises
        ------
        ValueError
            If `table` is no table.
        """
        return self._whole(table, y).findings()

    def check(self, table: Any, y: Any = None) -> list[Finding]:
        """As `validate`, but the first finding that is marked in `errors` is raised.

        Raises
        ------
        DataError
            For a finding that the user calls an error.
        """
        findings = self.validate(table, y)
        raise_first(findings)
        return findings

    def compare(self, train: Any, test: Any) -> list[Finding]:
        """What is wrong between rows to train on and rows to test on.

        Rows of one in the other, test rows from before the last training row (`time`), groups in
        both (`groups`), and columns that drifted: by the distance of Kolmogorov and Smirnov, the
        chi-square test and the population stability index.

        Parameters
        ----------
        train, test : table or ValidationPass
            As of `validate`, or passes over streams of the same columns.

        Returns
        -------
        list of Finding

        Examples
        --------
        >>> import numpy as np
        >>> from mlestar import DataValidator
        >>> rng = np.random.default_rng(0)
        >>> train, test = rng.normal(size=(500, 2)), rng.normal(size=(400, 2)) + [0, 1]
        >>> test[:20] = train[:20]
        >>> [(f.check, f.column) for f in DataValidator().compare(train, test)]
        [('overlap', ''), ('drift', 'x1')]
        """
        passes = [train, test]
        frames = [None if isinstance(p, ValidationPass) else as_frame(p) for p in passes]
        if frames[0] is not None and frames[1] is not None:
            theirs = set(map(str, frames[1].columns))
            shared = [name for name in frames[0].columns if str(name) in theirs]
            by_name = {str(name): name for name in frames[1].columns}
            frames = [frames[0][shared], frames[1][[by_name[str(name)] for name in shared]]]
        seen = []
        for given, frame in zip(passes, frames, strict=True):
            seen.append(given if frame is None else self._bare()._whole(frame, None))
        first, second = seen
        if first.names != second.names:
            raise ValueError(
                f"test has columns {second.names}, but must have {first.names}, as train has"
            )
        return ranked(compare_passes(self, first, second), self.errors)

    def _bare(self) -> DataValidator:
        """One that only gathers what comparing needs."""
        return DataValidator(
            time=self.time,
            groups=self.groups,
            sample_rows=self.sample_rows,
            max_hashes=self.max_hashes,
        )

    def _whole(self, table: Any, y: Any) -> ValidationPass:
        seen = self.start()
        seen._update(as_frame(table), y, raising=False)
        return seen
