from typing import Any

from mlestar._core import ensemble as ensemble
from mlestar._core import memory as memory
from mlestar._core import metrics as metrics
from mlestar._core import model_selection as model_selection
from mlestar._core import preprocessing as preprocessing

def build_info() -> dict[str, Any]: ...
def get_num_threads() -> int: ...
def set_num_threads(count: int) -> None: ...
