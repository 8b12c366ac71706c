import dataclasses
import json

import pytest

from mlestar import CoordinationConfig, DataConfig, EvalConfig, MLConfig
from mlestar.exceptions import ConfigError


def test_exactly_five_fields_at_the_top():
    assert [f.name for f in dataclasses.fields(MLConfig)] == [
        "model_type",
        "training_params",
        "data_config",
        "evaluation_config",
        "coordination_config",
    ]
    assert dataclasses.is_dataclass(DataConfig)
    assert dataclasses.is_dataclass(EvalConfig)
    assert dataclasses.is_dataclass(CoordinationConfig)


VALUES = {
    "model_type": "binary",
    "training_params": {"seconds": 5, "families": ["linear"]},
    "evaluation_config": {"folds": 3},
}


@pytest.mark.parametrize("suffix", [".toml", ".yaml", ".json"])
def test_files_of_every_kind(tmp_path, suffix):
    texts = {
        ".toml": 'model_type = "binary"\n[training_params]\nseconds = 5\nfamilies = ["linear"]\n'
        "[evaluation_config]\nfolds = 3\n",
        ".yaml": "model_type: binary\ntraining_params:\n  seconds: 5\n  families: [linear]\n"
        "evaluation_config:\n  folds: 3\n",
        ".json": json.dumps(VALUES),
    }
    if suffix == ".yaml":
        pytest.importorskip("yaml")
    path = tmp_path / f"config{suffix}"
    path.write_text(texts[suffix])
    config = MLConfig.load(path)
    assert config == MLConfig.from_dict(VALUES)
    assert config.training_params.seconds == 5.0
    assert MLConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"modl_type": "binary"}, "unknown key modl_type; did you mean 'model_type'"),
        ({"training_params": {"sed": 1}}, "training_params.sed; did you mean 'seed'"),
        ({"training_params": {"seed": "1"}}, "training_params.seed is '1', but must be int"),
        ({"training_params": {"seed": True}}, "training_params.seed is True"),
        ({"training_params": {"seed": -1}}, "training_params.seed is -1"),
        ({"training_params": {"fits": 0}}, "training_params.fits is 0"),
        ({"training_params": {"families": [1]}}, "training_params.families"),
        ({"training_params": 3}, "training_params is 3, but must be a table"),
        ({"evaluation_config": {"folds": 1}}, "evaluation_config.folds is 1"),
        ({"evaluation_config": {"confidence": 1.5}}, "evaluation_config.confidence is 1.5"),
        ({"coordination_config": {"workers": 0}}, "coordination_config.workers is 0"),
        ({"coordination_config": {"backend": "x"}}, "coordination_config.backend is 'x'"),
        ({"coordination_config": {"window": -1}}, "coordination_config.window is -1"),
        ({"model_type": "tree"}, "model_type is 'tree'"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(values, words):
    with pytest.raises(ConfigError) as caught:
        MLConfig.from_dict(values)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("c.toml", "model_type = ", "cannot be parsed"),
        ("c.json", "{", "cannot be parsed"),
        ("c.ini", "x", "must be .toml, .yaml or .json"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=words):
        MLConfig.load(tmp_path / name)
    with pytest.raises(ConfigError, match="cannot be read"):
        MLConfig.load(tmp_path / "absent.toml")


def test_overrides_keep_the_rest():
    config = MLConfig.from_dict(VALUES).override("training_params.seed", 9)
    assert config.training_params.seed == 9
    assert config.training_params.seconds == 5.0
    assert config.override("training_params.seed", None) is config
    with pytest.raises(ConfigError):
        config.override("training_params.seed", "x")
