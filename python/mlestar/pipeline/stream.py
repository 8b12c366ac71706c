"""Tables larger than memory, a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mlestar._lazy import require


class StreamProcessor:
    """Reads a source in chunks of rows.

    Parameters
    ----------
    chunk_rows : int, default=65536
        Rows of a chunk.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar import StreamProcessor
    >>> [len(chunk) for chunk in StreamProcessor(chunk_rows=4).chunks(np.zeros((10, 2)))]
    [4, 4, 2]
    """

    def __init__(self, chunk_rows: int = 65536) -> None:
        if chunk_rows < 1:
            raise ValueError(f"chunk_rows is {chunk_rows}, but must be at least 1")
        self.chunk_rows = chunk_rows

    def chunks(self, source: Any) -> Iterator[Any]:
        """Chunks of an array, a DataFrame, a CSV file or a Parquet file, in order.

        Parameters
        ----------
        source : array-like, DataFrame, or path
            Files are never read whole.
        """
        if isinstance(source, str | Path):
            yield from self._file_chunks(Path(source))
            return
        rows = len(source)
        part = source.iloc if hasattr(source, "iloc") else source
        for start in range(0, rows, self.chunk_rows):
            yield part[start : start + self.chunk_rows]

    def _file_chunks(self, path: Path) -> Iterator[Any]:
        if path.suffix in (".parquet", ".pq"):
            file = require("pyarrow.parquet", "run").ParquetFile(path)
            for batch in file.iter_batches(batch_size=self.chunk_rows):
                yield batch.to_pandas()
            return
        with require("pandas", "run").read_csv(path, chunksize=self.chunk_rows) as reader:
            yield from reader

    def process(self, source: Any, function: Callable[[Any], Any]) -> Iterator[Any]:
        """function(chunk) for each chunk, as they are asked for."""
        return map(function, self.chunks(source))
