from typing import Any

from mlestar._core_cuda import memory as memory
from mlestar._core_cuda import metrics as metrics

def build_info() -> dict[str, Any]: ...
def synchronize(stream: int) -> None: ...
