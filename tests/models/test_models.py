import itertools
import pickle
import zipfile

import numpy as np
import pytest

skops = pytest.importorskip("skops.io")

from sklearn.linear_model import LinearRegression, Ridge  # noqa: E402
from sklearn.pipeline import make_pipeline as sk_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from mlestar.exceptions import ModelFileError  # noqa: E402
from mlestar.models import (  # noqa: E402
    FAMILIES,
    ReinforcementModel,
    SklearnModel,
    TrainingStage,
    make_estimator,
)
from mlestar.models.persistence import TRUSTED_TYPES, dumps, loads  # noqa: E402
from mlestar.pipeline import PipelineSpec, make_pipeline  # noqa: E402
from mlestar.testing import ModelContract  # noqa: E402


class TestAdapter(ModelContract):
    def make(self):
        return SklearnModel(sk_pipeline(StandardScaler(), Ridge(0.1)))


def test_the_adapter_is_a_training_stage_and_tells_its_callbacks():
    told = []
    model = SklearnModel(LinearRegression(), callbacks=[lambda event, figures: told.append(event)])
    assert isinstance(model, TrainingStage)
    model.fit([[0.0], [1.0]], [0.0, 1.0])
    assert told == ["fit_begin", "fit_end"]


def test_checkpoints_keep_no_callbacks(tmp_path):
    model = SklearnModel(LinearRegression(), callbacks=[print]).fit([[0.0], [1.0]], [0.0, 1.0])
    again = SklearnModel.load(model.checkpoint(tmp_path / "c.skops"))
    assert again.callbacks == ()
    assert again.predict([[2.0]])[0] == pytest.approx(2.0)


class Foreign:
    def __reduce__(self):
        return (print, ("a foreign type ran",))


class Unknown(LinearRegression):
    pass


def test_a_file_with_a_foreign_type_is_refused(tmp_path, capsys):
    data = skops.dumps({"format": 1, "class": "SklearnModel", "state": {"estimator": Unknown()}})
    path = tmp_path / "foreign.skops"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match="not trusted.*Unknown"):
        SklearnModel.load(path)
    with pytest.raises(ModelFileError, match="may not"):
        SklearnModel(Unknown()).save(tmp_path / "mine.skops")
    assert not (tmp_path / "mine.skops").exists()
    pickled = tmp_path / "pickle.skops"
    pickled.write_bytes(pickle.dumps(Foreign()))
    with pytest.raises(ModelFileError, match="no model file"):
        SklearnModel.load(pickled)
    assert capsys.readouterr().out == ""


def test_damaged_and_other_files(tmp_path):
    model = SklearnModel(Ridge()).fit([[0.0], [1.0]], [0.0, 1.0])
    path = model.save(tmp_path / "m.skops")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFileError):
        SklearnModel.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", "{}")
    with pytest.raises(ModelFileError):
        SklearnModel.load(path)
    with pytest.raises(ModelFileError, match="cannot be read"):
        SklearnModel.load(tmp_path / "absent.skops")
    path.write_bytes(dumps({"format": 1, "class": "Other", "state": {}}))
    with pytest.raises(ModelFileError, match="holds a Other"):
        SklearnModel.load(path)


def test_every_pipeline_of_the_search_can_be_saved(rng):
    """Nothing that a search builds holds a type outside the list, and all of the list is needed."""
    pytest.importorskip("lightgbm")
    n = 120
    X = np.column_stack([rng.normal(size=(n, 2)), rng.integers(0, 4, n)]).astype(float)
    X[::7, 0] = X[::9, 2] = np.nan
    targets = {
        "binary": rng.integers(0, 2, n),
        "multiclass": np.arange(n) % 3,
        "regression": rng.normal(size=n),
    }
    light = {
        "lightgbm": {"n_estimators": 3},
        "hist_gradient_boosting": {"max_iter": 3},
        "extra_trees": {"n_estimators": 3},
        "random_forest": {"n_estimators": 3},
        "mlp": {"max_iter": 3, "early_stopping": False},
        "linear": {},
    }
    seen = set()
    import warnings

    for family, (task, y) in itertools.product(FAMILIES, targets.items()):
        blocks = [("median", "onehot", "standard"), ("median_indicator", "target", "quantile")]
        if family in ("lightgbm", "hist_gradient_boosting"):
            blocks.append(("none", "native" if family == "lightgbm" else "ordinal", "none"))
        for impute, encode, scale in blocks:
            kinds = [{"p": 1}, {"p": 2}] if family == "k_nearest_neighbors" else [light[family]]
            for params in kinds:
                spec = PipelineSpec(family, impute, encode, scale, params)
                pipeline, arguments = make_pipeline(spec, task, [0, 0, 4])
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    pipeline.fit(X, y, **arguments)
                    data = dumps(pipeline)
                    seen |= set(skops.get_untrusted_types(data=data))
                    np.testing.assert_array_equal(loads(data).predict(X), pipeline.predict(X))
    assert seen == set(TRUSTED_TYPES)


def test_families():
    with pytest.raises(ValueError, match="family is 'svm'"):
        make_estimator("svm", "binary", {})
    with pytest.raises(ValueError, match="encode is 'native'"):
        make_pipeline(PipelineSpec("linear", encode="native"), "binary", [0])
    with pytest.raises(ValueError, match="impute is 'none'"):
        make_pipeline(PipelineSpec("linear", impute="none"), "binary", [0])
    with pytest.raises(ValueError, match="scale is 'log'"):
        make_pipeline(PipelineSpec("linear", scale="log"), "binary", [0])


class Corridor:
    """Walk right five times: gymnasium's interface in a few lines."""

    def reset(self, seed=None):
        self.place, self.steps = 0, 0
        return self.place, {}

    def step(self, action):
        self.place += 1 if action else -1
        self.steps += 1
        return self.place, float(self.place == 5), self.place == 5, self.steps == 20, {}


class Fixed(ReinforcementModel):
    def __init__(self, action=0):
        self.action = action

    def fit(self, X, y=None):
        self.action = max((0, 1), key=lambda a: Fixed(a).score(X, episodes=1))
        return self

    def predict(self, X):
        return self.action


def test_a_policy_is_scored_by_playing():
    model = Fixed()
    assert model.score(Corridor()) == 0.0
    assert model.fit(Corridor()).score(Corridor(), episodes=3) == 1.0
