import json

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")

from mlestar import DataValidator  # noqa: E402
from mlestar.exceptions import DataError  # noqa: E402
from mlestar.pipeline import (  # noqa: E402
    CHECKS,
    UNLEARNABLE,
    Column,
    TableSchema,
    alone,
    stability_index,
    target_scores,
)
from mlestar.pipeline.hashes import column_hashes  # noqa: E402
from pipeline import planted  # noqa: E402


def found(case):
    validator = DataValidator(
        schema=TableSchema.learn(case.history), time=case.time, groups=case.groups
    )
    findings = [*validator.validate(case.train, case.y), *validator.compare(case.train, case.test)]
    json.dumps([vars(finding) for finding in findings])
    assert {finding.check for finding in findings} <= set(CHECKS)
    assert all(finding.mend or finding.check == "target" for finding in findings)
    return {(f.check, f.column) for f in findings if f.severity != "note"}


def test_planted_faults_are_found():
    cases = [planted.planted_case(seed) for seed in range(planted.CASES)]
    assert sum(len(case.faults) for case in cases) == planted.CASES * planted.FAULTS_PER_CASE
    hits = sum(fault in got for case in cases for got in [found(case)] for fault in case.faults)
    assert hits >= 0.95 * planted.CASES * planted.FAULTS_PER_CASE


def test_clean_tables_have_no_findings():
    complaints = [found(planted.clean_case(seed)) for seed in range(planted.CASES)]
    assert sum(map(bool, complaints)) <= 0.05 * planted.CASES, complaints


def test_validator_finds_what_is_wrong():
    frame = pandas.DataFrame(
        {
            "id": np.arange(60),
            "one": 1,
            "none": np.nan,
            "x": np.r_[0.5, np.arange(59) * 0.5],
            "copy": 0.0,
        }
    )
    frame["copy"] = frame["x"]
    wrong = {(f.severity, f.column) for f in DataValidator().validate(frame)}
    assert wrong >= {
        ("warning", "id"),
        ("warning", "one"),
        ("warning", "none"),
        ("warning", "copy"),
    }
    strict = {"errors": UNLEARNABLE}
    assert DataValidator(required=["y"], **strict).validate(frame)[0].severity == "error"
    with pytest.raises(DataError, match="'y' is not in the table"):
        DataValidator(required=["y"], **strict).check(frame)
    with pytest.raises(DataError, match="target is constant"):
        DataValidator(**strict).check(frame, np.ones(60))
    with pytest.raises(DataError, match="60 rows"):
        DataValidator(**strict).check(frame, np.ones(6))
    with pytest.raises(DataError, match="more than one column"):
        DataValidator(**strict).check(pandas.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]))
    with pytest.raises(DataError, match="lists or objects"):
        DataValidator(**strict).check(pandas.DataFrame({"a": [[1], [2]]}))
    assert DataValidator(required=["y"]).check(frame)[0].severity == "warning"  # not marked


def test_a_row_number_and_doubled_rows_as_in_public_tables(rng):
    """The kinds of faults that Beijing's air and red wines are known for."""
    rows = 5000
    air = pandas.DataFrame(
        {"No": np.arange(1, rows + 1), "hour": np.arange(rows) % 24, "dewp": rng.normal(size=rows)}
    )
    validator = DataValidator(sample_rows=1000)
    findings = validator.validate(air, np.arange(rows) + rng.normal(0, 300, rows))
    assert [(f.check, f.column) for f in findings] == [("leakage", "No"), ("identifier", "No")] or [
        (f.check, f.column) for f in findings
    ] == [("identifier", "No"), ("leakage", "No")]
    assert any("rises by 1" in f.message for f in findings)
    wine = pandas.DataFrame(rng.gamma(2, 1, size=(1359, 11)).round(2))
    wine = pandas.concat([wine, wine.sample(240, random_state=0)])
    (doubled,) = DataValidator().validate(wine)
    assert doubled.check == "duplicate_rows"
    assert doubled.evidence["rows"] == 240


def test_rows_equal_by_chance_are_only_noted(rng):
    small = pandas.DataFrame(rng.integers(0, 4, size=(500, 2)))
    (note,) = DataValidator().validate(small)
    assert (note.check, note.severity) == ("duplicate_rows", "note")


def test_schema_of_hand_and_marked_errors():
    schema = TableSchema(
        (
            Column("age", "number", minimum=0, maximum=120, nullable=False),
            Column("sex", "category", ("f", "m"), closed=True),
            Column("born", "date"),
            Column("key", "number", unique=True),
        )
    )
    frame = pandas.DataFrame(
        {
            "age": [3.0, -1.0, np.nan, np.inf],
            "sex": ["f", "M", "m", None],
            "born": ["2001-01-01", "soon", None, "1999-12-31"],
            "key": [1, 2, 2, 3],
        }
    )
    got = {(f.check, f.column): f for f in DataValidator(schema=schema).validate(frame)}
    assert set(got) >= {
        ("range", "age"), ("null", "age"), ("infinite", "age"), ("category", "sex"), ("type", "born"), ("unique", "key"),
    }  # fmt: skip
    assert got["range", "age"].evidence == {"count": 1, "first_row": 1, "first_value": -1}
    assert got["category", "sex"].evidence["first_value"] == "M"
    assert got["type", "born"].evidence["first_row"] == 1
    with pytest.raises(DataError, match=r"column 'age' has 1 value missing; the first in row 2"):
        DataValidator(schema=schema, errors=["null:age"]).check(frame)
    DataValidator(schema=schema, errors=["null:sex"]).check(frame)
    assert TableSchema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
    old = {"columns": [{"name": "a", "kind": "number", "categories": []}]}
    assert TableSchema.from_dict(old).columns[0] == Column("a", "number")


def test_passes_over_chunks_are_passes_over_the_whole(rng):
    frame = pandas.DataFrame(
        {
            "n": rng.normal(size=900),
            "i": rng.permutation(900),
            "c": rng.choice(["a", "b", None], 900),
            "t": pandas.date_range("2020-01-01", periods=900, freq="h"),
        }
    )
    frame["twin"] = frame["c"]
    frame.loc[700:720] = frame.loc[100:120].to_numpy()
    y = (frame["n"].astype(float) > 0).astype(int)
    validator = DataValidator(sample_rows=400, time="t", max_hashes=300)
    whole = validator.validate(frame.convert_dtypes().astype({"n": float}), y)
    seen = validator.start()
    for start in range(0, 900, 130):
        seen.update(frame.iloc[start : start + 130], y[start : start + 130])
    chunked = seen.findings()
    assert {(f.check, f.column) for f in chunked} == {(f.check, f.column) for f in whole}
    assert {f.check for f in chunked} >= {"identifier", "leakage", "duplicate_column", "missing"}
    repeats = [f for f in chunked if f.check == "duplicate_rows"]
    assert all(not f.evidence["exact"] for f in repeats)


def test_a_stream_raises_at_the_chunk_that_breaks_what_was_marked():
    schema = TableSchema((Column("a", "number", minimum=0),))
    seen = DataValidator(schema=schema, errors=["range", "type"]).start()
    seen.update(pandas.DataFrame({"a": [1, 2]}))
    with pytest.raises(DataError, match=r"column 'a' .* the first is -1 in row 3"):
        seen.update(pandas.DataFrame({"a": [1, -1]}))
    seen = DataValidator(errors=["type"]).start()
    seen.update(pandas.DataFrame({"a": [1, 2]}))
    with pytest.raises(DataError, match="held number values before, from row 2 on"):
        seen.update(pandas.DataFrame({"a": ["x", "y"]}))
    seen = DataValidator().start()
    seen.update(pandas.DataFrame({"a": [1, 2]}))
    with pytest.raises(DataError, match=r"rows from 2 on have columns \['b'\]"):
        seen.update(pandas.DataFrame({"b": [1, 2]}))


def test_comparing_passes_and_tables(rng):
    train = pandas.DataFrame({"x": rng.normal(size=600), "g": rng.integers(0, 50, 600)})
    test = pandas.DataFrame({"x": rng.normal(1.0, 1, size=600), "g": rng.integers(40, 90, 600)})
    validator = DataValidator(groups="g", errors=["group_leakage"])
    passes = []
    for part in (train, test):
        seen = validator.start()
        seen.update(part[:300])
        seen.update(part[300:])
        passes.append(seen)
    for one, two in ((train, test), passes):
        findings = validator.compare(one, two)
        assert [(f.severity, f.check) for f in findings] == [
            ("error", "group_leakage"),
            ("warning", "drift"),
        ]
        assert findings[0].evidence["groups"] == 10
        assert 0.3 < findings[1].evidence["ks"] < 0.5
    with pytest.raises(ValueError, match="test has columns"):
        validator.compare(passes[0], test[["x"]])


def test_other_libraries_tables():
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"a": [1, 1, 1], "b": [1.0, None, 2.0]})
    assert [f.check for f in DataValidator().validate(table)] == ["constant", "missing"]
    assert {f.check for f in DataValidator().validate(np.ones((3, 1)))} >= {"constant"}
    with pytest.raises(ValueError, match="3 axes"):
        DataValidator().validate(np.zeros((1, 1, 1)))


def test_polars_tables():
    polars = pytest.importorskip("polars")
    table = polars.DataFrame({"a": [1, 1, 1], "b": ["x", None, "y"]})
    assert [f.check for f in DataValidator().validate(table)] == ["constant", "missing"]


def test_pandera_schemas():
    pandera = pytest.importorskip("pandera.pandas")
    schema = pandera.DataFrameSchema(
        {"a": pandera.Column(int, pandera.Check.ge(0)), "b": pandera.Column(nullable=False)}
    )
    frame = pandas.DataFrame({"a": [1, -1, -2], "b": [1.0, 2.0, None]})
    got = {(f.check, f.column): f for f in DataValidator(schema=schema).validate(frame)}
    assert got["schema", "a"].evidence["count"] == 2
    assert got["schema", "a"].evidence["first_row"] == 1
    assert ("schema", "b") in got
    with pytest.raises(DataError, match="column 'a'"):
        DataValidator(schema=schema, errors=["schema"]).check(frame)


def odd_columns(rng, n):
    return {
        "tz": pandas.Series(pandas.date_range("2020", periods=n, freq="h", tz="Europe/Berlin")),
        "categorical": pandas.Series(pandas.Categorical(rng.choice(["a", "b"], n))),
        "Int64": pandas.Series(rng.integers(0, 9, n), dtype="Int64").where(rng.random(n) < 0.9),
        "boolean": pandas.Series(rng.random(n) < 0.5, dtype="boolean").where(rng.random(n) < 0.9),
        "bytes": pandas.Series([b"x"] * n),
        "timedelta": pandas.Series(pandas.to_timedelta(np.arange(n), unit="s")),
        "period": pandas.Series(pandas.period_range("2020", periods=n, freq="D")),
        "objects": pandas.Series([object() for _ in range(n)]),
        "dicts": pandas.Series([{}] * n),
        "none": pandas.Series([None] * n),
        "nat": pandas.Series([pandas.NaT] * n),
        "mixed": pandas.Series(["a", 1, 2.5, None] * (n // 4)),
        "complex": pandas.Series(rng.normal(size=n) + 1j),
        "float16": pandas.Series(rng.normal(size=n).astype(np.float16)),
        "uint64": pandas.Series(np.full(n, 2**64 - 1, dtype=np.uint64)),
        "huge": pandas.Series([1e308, -1e308, np.inf, -np.inf] * (n // 4)),
        "nested": pandas.Series([np.zeros(2)] * n),
    }


def test_odd_columns_are_found_fault_with_and_nothing_else(rng):
    """Whatever a column holds there are findings or a DataError, no other error and no warning."""
    columns = odd_columns(rng, 120)
    y = rng.integers(0, 2, 120)
    for name, values in columns.items():
        table = pandas.DataFrame({"a": values, "b": rng.normal(size=120)})
        findings = DataValidator().validate(table, y)
        assert ("objects" in {f.check for f in findings}) == (
            name in ("dicts", "complex", "nested")
        )
        DataValidator().validate(table[["b"]], values)
        for role in ("time", "groups"):
            DataValidator(**{role: "a"}).compare(table[:60], table[60:])
        try:
            schema = TableSchema.learn(table)
        except DataError:
            continue
        for other in columns.values():
            DataValidator(schema=schema).validate(table.assign(a=other))
            DataValidator().compare(table[["a"]], pandas.DataFrame({"a": other}))
    doubled = pandas.DataFrame([[1, 2], [1, 2]], columns=["a", "a"])
    for table in (pandas.DataFrame(), pandas.DataFrame({"a": [1]}), doubled):
        DataValidator().validate(table, np.zeros(len(table)))
        DataValidator().compare(table, table)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"errors": ["nulls"]}, "errors has 'nulls'"),
        ({"errors": "null"}, "must be a list"),
        ({"leakage": 0}, "leakage is 0"),
        ({"sample_rows": 0}, "sample_rows is 0"),
        ({"max_hashes": True}, "max_hashes is True"),
        ({"schema": 3}, "schema is a int"),
    ],
)
def test_bad_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        DataValidator(**arguments)


def test_bad_columns():
    with pytest.raises(ValueError, match="kind is 'text'"):
        Column("a", "text")
    with pytest.raises(ValueError, match="minimum is 2"):
        Column("a", "number", minimum=2, maximum=1)


def test_scores_by_hand(rng):
    y = rng.integers(0, 2, 1000)
    kind, outputs = target_scores(y)
    assert (kind, outputs.shape) == ("classes", (1000, 1))
    assert alone(pandas.Series(y * 2.0 - 1), kind, outputs) == 1.0
    assert alone(pandas.Series(rng.normal(size=1000)), kind, outputs) < 0.15
    values = rng.normal(size=2000)
    kind, outputs = target_scores(values)
    assert kind == "values"
    assert alone(pandas.Series(np.exp(values)), kind, outputs) > 0.99
    half = alone(pandas.Series(values + rng.normal(size=2000)), kind, outputs)
    assert 0.35 < half < 0.6
    assert target_scores(values[:10])[0] == ""
    one, two = np.array([0.5, 0.5]), np.array([0.2, 0.8])
    assert stability_index([50, 50], [20, 80]) == pytest.approx(
        ((two - one) * np.log(two / one)).sum()
    )


@pytest.mark.parametrize("dtype", ["int64", "uint64", "Int64", "object"])
def test_large_whole_numbers_are_told_apart(dtype):
    numbers = pandas.Series(np.arange(5) + 2**60).astype(dtype)
    found = {f.check for f in DataValidator().validate(pandas.DataFrame({"i": numbers}))}
    assert not found & {"constant", "duplicate_rows"}


def test_large_whole_numbers_equal_their_floats():
    edge = pandas.Series([2**53, 2**60, -(2**63)])
    np.testing.assert_array_equal(column_hashes(edge), column_hashes(edge.astype(float)))
    top = pandas.Series([2**63 - 1], dtype="int64"), pandas.Series([2.0**63])
    assert column_hashes(top[0]) != column_hashes(top[1])
    assert column_hashes(top[0]) == column_hashes(top[0].astype("uint64"))


def test_times_as_texts_and_roles_that_are_not_there():
    train = pandas.DataFrame(
        {"t": ["2024-01-01", "2024-02-01", "2024-03-01"], "x": [1.0, 2.0, 5.0]}
    )
    test = pandas.DataFrame({"t": ["2024-02-15", "2024-04-01", None], "x": [1.5, 3.0, 4.0]})

    def checks(findings):
        return {(f.severity, f.check, f.column) for f in findings}

    validator = DataValidator(time="t", groups="gruop")
    leak, absent = ("warning", "time_leakage", "t"), ("warning", "columns", "gruop")
    assert checks(validator.compare(train, test)) == {leak, absent}
    assert absent in checks(validator.validate(train))
    vague = train.assign(t=["soon", "later", "2024-01-01"])
    words = [f.message for f in validator.validate(vague) if f.check == "type"]
    assert words == ["is named as time, but 2 of its values are no times"]
    assert ("warning", "type", "t") in checks(validator.compare(vague, test))
    validator = DataValidator(time="t")
    assert not validator.compare(train, test[:0])
    assert not validator.compare(train[:0], test)
    naive = train.assign(t=pandas.to_datetime(train["t"]))
    zoned = test.assign(t=pandas.to_datetime(test["t"], utc=True))
    assert checks(validator.compare(naive, zoned)) == {("warning", "type", "t")}
    assert checks(validator.compare(naive.assign(t=[1, 2, 3]), zoned)) == {("warning", "type", "t")}
    other = naive.assign(t=naive["t"].dt.tz_localize("Europe/Berlin"))
    assert checks(validator.compare(other, zoned)) == {leak}
    both = validator.start()
    both.update(naive)
    both.update(other)
    assert ("warning", "type", "t") in checks(both.findings())


def test_a_target_of_two_axes_is_named():
    with pytest.raises(ValueError, match=r"y has shape \(3, 1\), but must have one axis"):
        DataValidator().validate(np.eye(3), np.zeros((3, 1)))
