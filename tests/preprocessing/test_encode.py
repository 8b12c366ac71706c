import pickle
import warnings

import numpy as np
import pytest
import sklearn.preprocessing as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar.preprocessing as ours
from mlestar import _core
from mlestar.testing import TransformerContract, core_calls

WORDS = np.array(["", "a", "ab", "b", "longer words", "é", "\U0001f600x", "zz"])
KINDS = [
    "int64",
    "int8",
    "uint16",
    "uint64",
    "bool",
    "float64",
    "float32",
    "far",
    "U",
    "O",
    "missing",
]

RARE_AND_UNKNOWN = {
    "handle_unknown": "use_encoded_value",
    "unknown_value": -1,
    "max_categories": 4,
}


def table(kind, n=400, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 8, (n, 3))
    if kind == "U":
        return WORDS[codes]
    if kind == "O":
        return WORDS.astype(object)[codes]
    if kind == "missing":
        values = WORDS.astype(object)
        values[3], values[5] = None, np.nan
        return values[codes]
    if kind == "far":
        return np.array([-(2**62), -(2**53) - 1, -5, 0, 3, 10**9, 2**53 + 1, 2**62])[codes]
    if kind.startswith("float"):
        values = np.array([-2.5, -1, 0.0, 1e-17, 3, 1e30, 7, np.nan], dtype=kind)
        return np.where(rng.random(codes.shape) < 0.5, -0.0, values[codes]).astype(kind)
    return codes.astype(kind)


class CategoryContract(TransformerContract):
    attributes = ("categories_",)
    inverse = False
    out = False  # not of X's shape or type: see below
    shapes = ((70_000, 3), (3, 700), (1, 1), (2, 70))

    def rows(self, n=300, dtype="float64"):
        rng = np.random.default_rng(5)
        X = rng.integers(0, 6, (n, 5)).astype(dtype)
        X[:, 2] *= 1000.5
        X[rng.random(X.shape) < 0.1] = np.nan
        return X

    def table(self, shape, seed):
        return np.random.default_rng(seed).integers(0, 9, shape) * 0.5


class TestOrdinal(CategoryContract):
    make = staticmethod(ours.OrdinalEncoder)
    original = staticmethod(theirs.OrdinalEncoder)


class TestOrdinalOfRareAndUnknown(CategoryContract):
    def make(self, **parameters):
        return ours.OrdinalEncoder(**RARE_AND_UNKNOWN, **parameters)

    def original(self, **parameters):
        return theirs.OrdinalEncoder(**RARE_AND_UNKNOWN, **parameters)


class TestOneHot(CategoryContract):
    make = staticmethod(ours.OneHotEncoder)
    original = staticmethod(theirs.OneHotEncoder)

    def test_names_of_columns(self):
        """Tables of names are not sparse: see the dense one."""


class TestDenseOneHot(CategoryContract):
    def make(self, **parameters):
        return ours.OneHotEncoder(sparse_output=False, **parameters)

    def original(self, **parameters):
        return theirs.OneHotEncoder(sparse_output=False, **parameters)


def same(mine, other):
    for name in ("toarray",):
        if hasattr(other, name):
            assert type(mine) is type(other)
            assert mine.indices.dtype == other.indices.dtype
            mine, other = mine.toarray(), other.toarray()
    assert mine.dtype == other.dtype
    np.testing.assert_array_equal(mine, other)


def words(values):
    """Of values that need not equal themselves; a zero has no sign."""
    return str([v + 0.0 if isinstance(v, float) else v for v in values.tolist()])


def outcome(call):
    """A result, or the error's type and words, and the warnings' words."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call()
        except (ValueError, TypeError) as error:
            result = (type(error), str(error))
    return result, [str(w.message) for w in caught]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_columns(kind):
    X = table(kind)
    for name in ("OrdinalEncoder", "OneHotEncoder"):
        mine, other = getattr(ours, name)().fit(X), getattr(theirs, name)().fit(X)
        for one, two in zip(mine.categories_, other.categories_, strict=True):
            assert one.dtype == two.dtype
            assert words(one) == words(two)
        before = core_calls()[name]["core"]
        same(mine.transform(X), other.transform(X))
        same(mine.transform(X[::-2]), other.transform(X[::-2]))
        same(mine.transform(X[:1]), other.transform(X[:1]))
        assert core_calls()[name]["core"] == before + 3
        back = mine.inverse_transform(mine.transform(X))
        assert words(back.ravel()) == words(other.inverse_transform(other.transform(X)).ravel())
        loaded = getattr(ours, name)().load_state_dict(mine.state_dict())
        same(loaded.transform(X), other.transform(X))
        same(pickle.loads(pickle.dumps(mine)).transform(X), other.transform(X))


@pytest.mark.parametrize("kind", KINDS)
def test_batches_of_kinds_give_what_all_rows_give(kind):
    X = table(kind)
    for name in ("OrdinalEncoder", "OneHotEncoder"):
        other = getattr(theirs, name)(min_frequency=60, handle_unknown="error").fit(X)
        make = lambda: getattr(ours, name)(min_frequency=60)  # noqa: B023, E731
        one = make().partial_fit(X[:50]).partial_fit(X[50:51])
        one.merge(make().fit(X[51:])).merge(make())
        for a, b in zip(one.categories_, other.categories_, strict=True):
            assert words(a) == words(b)
        same(one.transform(X), other.transform(X))


@pytest.mark.parametrize("fitted", KINDS)
@pytest.mark.parametrize("given", KINDS)
def test_columns_of_another_kind_than_fitted(fitted, given):
    X, Z = table(fitted), table(given, seed=1)
    for options in ({}, {"handle_unknown": "use_encoded_value", "unknown_value": -2}):
        mine = ours.OrdinalEncoder(**options).fit(X)
        other = theirs.OrdinalEncoder(**options).fit(X)
        (one, _), (two, _) = outcome(lambda: mine.transform(Z)), outcome(lambda: other.transform(Z))  # noqa: B023
        if isinstance(two, tuple):
            assert one[0] is two[0]
        else:
            same(one, two)


@pytest.mark.parametrize("sparse_output", [True, False])
@pytest.mark.parametrize("drop", [None, "first", "if_binary", ["b", 20]])
@pytest.mark.parametrize("unknown", ["error", "ignore", "infrequent_if_exist", "warn"])
@pytest.mark.parametrize("rare", [{}, {"min_frequency": 3}, {"max_categories": 2}])
def test_one_hot_options(sparse_output, drop, unknown, rare):
    X = np.array([["a", 10], ["b", 20], ["b", 20], ["b", 10], ["d", 20]], dtype=object)
    Z = np.array([["b", 20], ["c", 10], ["d", 30], ["a", 20]], dtype=object)
    options = {"sparse_output": sparse_output, "drop": drop, "handle_unknown": unknown, **rare}
    options["dtype"] = np.float32
    mine, other = ours.OneHotEncoder(**options), theirs.OneHotEncoder(**options)
    (one, _), (two, _) = outcome(lambda: mine.fit(X)), outcome(lambda: other.fit(X))
    if isinstance(two, tuple):
        assert one == two
        return
    np.testing.assert_array_equal(mine.drop_idx_, other.drop_idx_)
    for rows in (X, Z):
        (one, mine_warns), (two, other_warns) = (
            outcome(lambda: mine.transform(rows)),  # noqa: B023
            outcome(lambda: other.transform(rows)),  # noqa: B023
        )
        assert mine_warns == other_warns
        if isinstance(two, tuple):
            assert one == two
            continue
        same(one, two)
        (back, _), (expected, _) = (
            outcome(lambda: mine.inverse_transform(one)),  # noqa: B023
            outcome(lambda: other.inverse_transform(two)),  # noqa: B023
        )
        assert np.array_equal(back, expected) or back == expected
    np.testing.assert_array_equal(mine.get_feature_names_out(), other.get_feature_names_out())


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "int64", "int32", "int8", "uint16"]
)
@pytest.mark.parametrize("kind", ["int64", "float64", "missing"])
def test_ordinal_options(dtype, kind):
    X, Z = table(kind), table(kind, seed=1)
    Z = np.where(
        np.random.default_rng(2).random(Z.shape) < 0.1,
        Z.dtype.type(99) if kind != "missing" else "new",
        Z,
    )
    for options in (
        {"encoded_missing_value": 70},
        {"encoded_missing_value": 70, "handle_unknown": "use_encoded_value", "unknown_value": 77},
        {
            "encoded_missing_value": 70,
            "min_frequency": 50,
            "handle_unknown": "use_encoded_value",
            "unknown_value": 77,
        },
        {
            "encoded_missing_value": 70,
            "max_categories": 3,
            "handle_unknown": "use_encoded_value",
            "unknown_value": 77,
        },
    ):
        mine = ours.OrdinalEncoder(dtype=dtype, **options).fit(X)
        other = theirs.OrdinalEncoder(dtype=dtype, **options).fit(X)
        same(mine.transform(X), other.transform(X))
        for order in "CF":
            out = np.empty(X.shape, dtype, order=order)
            assert mine.transform(X, out=out) is out
            same(out, other.transform(X))
        (one, _), (two, _) = outcome(lambda: mine.transform(Z)), outcome(lambda: other.transform(Z))  # noqa: B023
        if isinstance(two, tuple):
            assert one[0] is two[0]
        else:
            same(one, two)


def test_given_categories():
    X = np.array([["b", "x"], ["a", "y"], ["b", "y"]], dtype=object)
    given = [["b", "a", "c"], ["y", "x"]]
    mine = ours.OrdinalEncoder(categories=given).fit(X)
    other = theirs.OrdinalEncoder(categories=given).fit(X)
    same(mine.transform(X), other.transform(X))
    same(mine.transform(X.astype("U")), other.transform(X.astype("U")))
    options = {"categories": given, "max_categories": 2, "handle_unknown": "ignore"}
    rare = ours.OneHotEncoder(**options).partial_fit(X[:2]).partial_fit(X[2:])
    rare.merge(ours.OneHotEncoder(**options).fit([["c", "q"], ["c", "q"], ["c", "x"]]))
    both = np.concatenate([X, [["c", "q"], ["c", "q"], ["c", "x"]]])
    same(rare.transform(both), theirs.OneHotEncoder(**options).fit(both).transform(both))
    with pytest.raises(ValueError, match=r"unknown categories \['q'\] in column 1 during fit"):
        mine.partial_fit(np.array([["c", "q"]], dtype=object))
    again = ours.OrdinalEncoder(categories=given).load_state_dict(mine.state_dict())
    same(again.transform(X), other.transform(X))


def test_tables_of_pandas():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "n": [3, 1, 3, 2],
            "f": [0.5, np.nan, 0.5, -1.0],
            "s": ["x", "y", None, "x"],
            "c": pd.Categorical(["u", "v", "u", "u"]),
        }
    )
    for name, options in (("OrdinalEncoder", {}), ("OneHotEncoder", {"sparse_output": False})):
        mine = getattr(ours, name)(**options).set_output(transform="pandas").fit(frame)
        other = getattr(theirs, name)(**options).set_output(transform="pandas").fit(frame)
        before = core_calls()[name]["core"]
        pd.testing.assert_frame_equal(mine.transform(frame), other.transform(frame))
        assert core_calls()[name]["core"] > before
        mine = getattr(ours, name)(**options).partial_fit(frame[:2]).partial_fit(frame[2:])
        np.testing.assert_array_equal(mine.transform(frame), other.transform(frame))


def test_results_are_written_where_they_are_wanted():
    X = table("int64")
    mine = ours.OneHotEncoder(sparse_output=False).fit(X)
    expected = mine.transform(X)
    out = np.full_like(expected, 7)
    assert mine.transform(X, out=out) is out
    same(out, expected)
    for bad, words in (
        (np.empty((2, 2)), "out has shape"),
        (expected.astype("f4"), "out has dtype float32"),
        (np.asfortranarray(expected), "C order"),
        ([1], "out is a list"),
    ):
        with pytest.raises(ValueError, match=words):
            mine.transform(X, out=bad)
    with pytest.raises(ValueError, match="sparse_output"):
        ours.OneHotEncoder().fit(X).transform(X, out=out)
    ordinal = ours.OrdinalEncoder(dtype=np.int64).fit(X)
    with pytest.raises(ValueError, match="out overlaps X"):
        ordinal.transform(X, out=X)
    frozen = np.empty(X.shape)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        ours.OrdinalEncoder().fit(X).transform(X, out=frozen)


def test_what_is_left_to_scikit_learn():
    bad = np.array([[1.0, np.inf], [2.0, 3.0]])
    for make in (ours.OrdinalEncoder, ours.OneHotEncoder):
        fitted = make().fit(bad[:, :1])
        for call in (make().fit, make().partial_fit):
            with pytest.raises(ValueError, match="infinity"):
                call(bad)
        with pytest.raises(ValueError, match="infinity"):
            fitted.transform(bad[:1, 1:])
        with pytest.raises(ValueError, match="unknown categories"):
            fitted.transform([[9.0]])
        mixed = np.array([[1], ["a"]], dtype=object)
        with pytest.raises(TypeError, match="uniformly"):
            make().partial_fit(mixed)
        with pytest.raises(ValueError, match="strings in all of them"):
            make().fit([["a"]]).partial_fit(np.array([[1.0]]))
        wide = np.array([[2**63 + 5], [1]], dtype=np.uint64)
        other = getattr(theirs, make.__name__)().fit(wide)
        mine = make().fit(wide)
        same(mine.transform(wide), other.transform(wide))
        with pytest.raises(ValueError, match="nothing can be added"):
            mine.partial_fit(wide)
        with pytest.raises(ValueError, match="nothing can be added"):
            mine.state_dict()


def test_damaged_states_are_refused():
    state = ours.OrdinalEncoder().fit(table("int64")).state_dict()
    for name, value in (
        ("n_features_in_", 2),
        ("_category_counts", [np.zeros(3)] * 3),
        ("categories_", []),
    ):
        damaged = {**state, "attributes": {**state["attributes"], name: value}}
        with pytest.raises(ValueError, match="state has"):
            ours.OrdinalEncoder().load_state_dict(damaged)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=5), min_size=1, max_size=30), st.integers(0, 4))
def test_any_strings(words, more):
    words = [w.rstrip("\0") for w in words]
    X = np.array(words, dtype=f"U{max(1, *map(len, words)) + more}")[:, None]
    mine, other = ours.OrdinalEncoder().fit(X), theirs.OrdinalEncoder().fit(X)
    assert mine.categories_[0].tolist() == other.categories_[0].tolist()
    same(mine.transform(X), other.transform(X))
    narrow = np.array(words)[:, None]
    same(mine.transform(narrow), other.transform(X))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), min_size=1, max_size=30))
def test_any_integers(values):
    X = np.array(values)[:, None]
    mine, other = ours.OrdinalEncoder().fit(X), theirs.OrdinalEncoder().fit(X)
    assert mine.categories_[0].tolist() == other.categories_[0].tolist()
    same(mine.transform(X), other.transform(X))


def test_many_categories_of_each_kind(rng):
    for column in (
        rng.integers(0, 2**40, 30_000),
        rng.normal(size=30_000),
        np.char.mod("%d", rng.integers(0, 20_000, 30_000)),
    ):
        X = column[:, None]
        mine, other = ours.OrdinalEncoder().fit(X), theirs.OrdinalEncoder().fit(X)
        np.testing.assert_array_equal(mine.categories_[0], other.categories_[0])
        same(mine.transform(X), other.transform(X))


def test_bindings_refuse_what_does_not_fit():
    X = [np.arange(5), np.arange(5) % 2]
    coders = _core.preprocessing.ColumnCoders([np.arange(5), np.arange(2)])
    assert coders.sizes() == [5, 2]
    values = [np.arange(6.0), np.arange(3.0)]
    out = np.empty((5, 2))
    assert _core.preprocessing.encode_into(coders, X, values, out).tolist() == [False, False]
    for arguments, words in (
        ((coders, X[:1], values, out), "columns"),
        ((coders, X, values[:1], out), "values must have"),
        ((coders, X, [values[0], values[0]], out), "values must have"),
        ((coders, X, values, out[:4]), "out must have shape"),
        ((coders, [X[0], X[1][:3]], values, out), "several lengths"),
        ((coders, X, values, out[::-1]), "contiguous"),
    ):
        with pytest.raises(ValueError, match=words):
            _core.preprocessing.encode_into(*arguments)
    places = [np.arange(6, dtype=np.int32), np.full(3, 9, np.int32)]
    with pytest.raises(ValueError, match="places must lie"):
        _core.preprocessing.one_hot_into(
            coders, X, places, np.ones(1), np.zeros(1), np.empty((5, 7))
        )
    assert _core.preprocessing.categories_of([np.array(["a"]), np.array([np.inf])]) is None
    with pytest.raises(ValueError, match="beyond int64"):
        _core.preprocessing.ColumnCoders([np.array([2**63], np.uint64)])


@pytest.mark.parametrize("dtype", [">i4", ">f8", ">U1"])
def test_categories_of_swapped_bytes(dtype):
    swapped = np.array([[1], [2], [1]]).astype(dtype)
    native = swapped.astype(swapped.dtype.newbyteorder("="))
    for name in ("OrdinalEncoder", "OneHotEncoder"):
        mine, other = getattr(ours, name)().fit(swapped), getattr(theirs, name)().fit(swapped)
        same(mine.transform(native), other.transform(native))
    y = [1.0, 2.0, 4.5]
    mine, other = ours.TargetEncoder().fit(swapped, y), theirs.TargetEncoder().fit(swapped, y)
    same(mine.transform(native), other.transform(native))


def test_an_encoder_stays_as_it_was_where_something_raises():
    few, many = np.array([["a"], ["b"]]), np.array([[c] for c in "cdefgh"])
    # One more that is as rare as the given one to be dropped: the drop is refused late in the fit.
    made = ours.OneHotEncoder(drop=["a"], min_frequency=2).fit(few.repeat(2, axis=0))
    made.set_params(drop=["x"])
    expected = made.transform(few)
    state = ours.OneHotEncoder(drop=["a"], min_frequency=2).fit(few.repeat(2, axis=0)).state_dict()
    other = ours.OneHotEncoder(drop=["x"], min_frequency=2)
    with pytest.raises(ValueError, match="drop"):
        other.load_state_dict({**state, "parameters": made.state_dict()["parameters"]})
    assert "categories_" not in vars(other)
    other = ours.OneHotEncoder(drop=["c"], min_frequency=2).fit(many.repeat(2, axis=0))
    for call in (
        lambda: made.partial_fit(many),
        lambda: made.fit(many),
        lambda: made.merge(other.set_params(drop=["x"])),
    ):
        before = dict(vars(made))
        with pytest.raises(ValueError, match="drop"):
            call()
        assert vars(made).keys() == before.keys()
        assert all(vars(made)[name] is before[name] for name in before)
        same(made.transform(few), expected)
    fresh = ours.OneHotEncoder(drop=["x"])
    with pytest.raises(ValueError, match="drop"):
        fresh.partial_fit(few)
    assert "n_features_in_" not in vars(fresh)


def test_categories_of_several_types_do_not_fall_together():
    large = 2**53
    fit = lambda *values, dtype: ours.OrdinalEncoder().fit(np.array([values], dtype).T)  # noqa: E731
    made = fit(large, large + 1, dtype="i8").merge(fit(large + 2, large + 3, dtype="u8"))
    assert made.categories_[0].tolist() == [large, large + 1, large + 2, large + 3]
    assert made.categories_[0].dtype == np.int64
    with pytest.raises(ValueError, match="beyond int64"):
        ours.LabelEncoder().fit(np.array([2**63], np.uint64)).partial_fit([-1])
    for value in (large + 1, -large - 1):
        with pytest.raises(ValueError, match="no float64 is"):
            fit(value, dtype="i8").merge(fit(0.5, dtype="f8"))
    made = fit(0.5, dtype="f4").merge(fit(large, 2**62, dtype="i8"))
    assert made.categories_[0].tolist() == [0.5, large, 2**62]


def test_categories_that_are_replaced_are_seen():
    made, other = ours.OrdinalEncoder().fit([[1], [2]]), theirs.OrdinalEncoder().fit([[1], [2]])
    made.transform([[1]])
    made.categories_[0] = other.categories_[0] = np.array([2, 3])
    same(made.transform([[2]]), other.transform([[2]]))
    for sparse_output in (False, True):
        ones = ours.OneHotEncoder(sparse_output=sparse_output).fit([[1], [2]])
        ones.categories_[0] = np.array([1, 2, 3])
        with pytest.raises(ValueError, match="more than were fitted"):
            ones.transform([[3]])
