"""What people who build on mlestar test with: call counts and contract suites."""

from typing import TYPE_CHECKING, Any

from mlestar._calls import core_calls
from mlestar._lazy import load_lazily

if TYPE_CHECKING:
    from mlestar.testing.contracts import ExecutorContract, MemoryStoreContract, ModelContract
    from mlestar.testing.memory import HostPoolContract
    from mlestar.testing.streaming import StreamingMetricContract
    from mlestar.testing.transforms import TransformerContract

_NAMES = {
    "contracts": ["ExecutorContract", "MemoryStoreContract", "ModelContract"],
    "memory": ["HostPoolContract"],
    "streaming": ["StreamingMetricContract"],
    "transforms": ["TransformerContract"],
}

__all__ = [
    "ExecutorContract",
    "HostPoolContract",
    "MemoryStoreContract",
    "ModelContract",
    "StreamingMetricContract",
    "TransformerContract",
    "core_calls",
]


def __getattr__(name: str) -> Any:
    return load_lazily(__name__, globals(), _NAMES, name)
