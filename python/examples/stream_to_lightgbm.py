"""Stream a CSV file through a pipeline into LightGBM, never holding the table.

    python stream_to_lightgbm.py [FILE TARGET]

Without a file one is generated. The pipeline says how often it reads the file to learn; then the
matrix is written in chunks to a file that LightGBM reads as a memmap.
"""

import sys
import tempfile
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd

from mlestar import DataPipeline, StreamProcessor
from mlestar.metrics import roc_auc_score
from mlestar.pipeline import TableEncoder
from mlestar.preprocessing import SimpleImputer, StandardScaler


def generated(path: Path, rows: int = 60_000) -> Path:
    """A table of people, half of what matters in texts, some of it missing."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.integers(17, 90, rows),
            "hours": rng.normal(40, 12, rows).round(),
            "gain": np.where(rng.random(rows) < 0.9, 0, rng.lognormal(8, 1, rows)).round(),
            "work": rng.choice(["private", "state", "own", None], rows, p=[0.7, 0.1, 0.15, 0.05]),
            "school": rng.choice(["none", "high", "college", "master"], rows),
        }
    )
    z = 0.04 * (table["age"] - 50) + 0.05 * (table["hours"] - 45) + (table["school"] == "master")
    table["income"] = np.where(z + rng.logistic(size=rows) > 0.5, "more", "less")
    table.to_csv(path, index=False)
    return path


def main(folder: Path, file: str | None = None, target: str = "income") -> None:
    """Validate, fit, transform and train, in chunks."""
    path = Path(file) if file else generated(folder / "people.csv")
    chunks = StreamProcessor(8_192, max_bytes=64 * 2**20)

    pipeline = DataPipeline(
        [TableEncoder(), SimpleImputer(strategy="median", quantiles="sketch"), StandardScaler()],
        streaming=chunks,
    )
    print("passes:", pipeline.passes())
    pipeline.fit_stream(path, target=target)
    for finding in pipeline.findings_:
        print(f"{finding.severity}: {finding.column or 'the table'} {finding.message}")

    positive = None

    def is_positive(chunk: pd.DataFrame) -> np.ndarray:
        nonlocal positive
        positive = chunk[target].max() if positive is None else positive
        return (chunk[target] == positive).to_numpy(float)

    def transformed(chunk: pd.DataFrame) -> np.ndarray:
        return pipeline.transform(chunk.drop(columns=target))

    rows = chunks.write(path, folder / "X.npy", transformed)
    chunks.write(path, folder / "y.npy", is_positive)
    X, y = (np.load(folder / name, mmap_mode="r") for name in ("X.npy", "y.npy"))
    held_out = rows // 5
    booster = lightgbm.train(
        {"objective": "binary", "verbose": -1, "num_threads": 1, "seed": 0},
        lightgbm.Dataset(X[held_out:], y[held_out:]),
        num_boost_round=60,
    )
    print(f"{rows} rows, ROC AUC {roc_auc_score(y[:held_out], booster.predict(X[:held_out])):.3f}")
    print(pipeline.explain())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder), *sys.argv[1:])
