"""Validation: a whole pass over a tenth of the rows, and what of it pandas can answer."""

from typing import Any

import numpy as np
import pandas

from bench.row import Row, bench_rows
from mlestar import DataValidator


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    size, n = n, max(100, n // 10)
    numbers = pandas.DataFrame(rng.normal(size=(n, 10))).add_prefix("n")
    mixed = numbers.assign(
        text=rng.choice(["red", "green", "blue"], n),
        count=rng.poisson(3, n),
        flag=rng.random(n) < 0.5,
    )
    copied = max(1, n // 50)

    def doubled(table: Any) -> Any:
        return pandas.concat([table, table[:copied]], ignore_index=True)

    def ours(table: Any) -> int:
        findings = DataValidator().validate(table)
        (found,) = (f for f in findings if f.check == "duplicate_rows")
        return int(found.evidence["rows"])

    def theirs(table: Any) -> int:
        # The same questions, as far as pandas has answers: repeated rows, missing, distinct values.
        table.isna().sum()
        table.nunique()
        return int(table.duplicated().sum())

    return [
        Row(
            f"DataValidator, {name}",
            size,
            lambda t=table: ours(t),
            {"pandas": lambda t=table: theirs(t)},
        )
        for name, table in (("10 numbers", doubled(numbers)), ("mixed", doubled(mixed)))
    ]


test_rows = bench_rows(rows)
