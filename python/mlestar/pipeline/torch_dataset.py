"""Chunks of a stream for PyTorch; imported where a dataset is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mlestar._lazy import require
from mlestar.pipeline.sources import open_source
from mlestar.pipeline.tables import numbers_matrix

if TYPE_CHECKING:
    from mlestar.pipeline.stream import StreamProcessor

_torch: Any = require("torch", "torch")
_Dataset: Any = _torch.utils.data.IterableDataset


class ChunkDataset(_Dataset):  # type: ignore[misc]
    """Chunks of a source; workers of a loader take turns at them."""

    def __init__(
        self, processor: StreamProcessor, source: Any, function: Callable[[Any], Any] | None
    ) -> None:
        super().__init__()
        if not open_source(source, processor.columns, processor.types).again:
            raise ValueError(
                "source is an iterator, which can be read once; give a function that makes one"
            )
        self._processor = processor
        self._source = source
        self._function = function or _tensor

    def __iter__(self) -> Iterator[Any]:
        worker = _torch.utils.data.get_worker_info()
        turn, turns = (0, 1) if worker is None else (worker.id, worker.num_workers)
        with self._processor.chunks(self._source) as stream:
            for count, chunk in enumerate(stream):
                if count % turns == turn:
                    yield stream.apply(self._function, chunk)


def _tensor(chunk: Any) -> Any:
    values = numbers_matrix(chunk) if hasattr(chunk, "iloc") else chunk
    return _torch.from_numpy(np.array(values))
