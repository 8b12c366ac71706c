"""The compiled core, or an error that says how to build it; there is no silent fall-back."""

from __future__ import annotations

try:
    from mlestar import _core
except ImportError as error:
    raise ImportError(
        "mlestar's compiled core could not be loaded "
        f"({error}). Build it with a C++20 compiler: pip install . in the source tree, or "
        "reinstall the package with pip install --force-reinstall mlestar"
    ) from error

from mlestar._devices import cuda_module
from mlestar._threads import register

__all__ = ["_core", "build_info", "get_num_threads", "set_num_threads"]

register()


def build_info() -> dict[str, object]:
    """What the core was built with and what it uses here.

    Returns
    -------
    dict
        ``version``, ``compiler``, ``flags``, ``levels`` (instruction-set levels compiled
        that this CPU runs),
        ``level`` (the one in use; the environment variable ``MLESTAR_SIMD`` forces it), ``threads``
        (see `set_num_threads`) and ``cuda``: None without the CUDA module, else a dict with
        ``architectures``, ``runtime`` and ``driver`` (versions as CUDA counts: 13000 is 13.0),
        ``devices`` (names) and ``why_no_device``.

    Examples
    --------
    >>> import mlestar
    >>> "baseline" in mlestar.build_info()["levels"]
    True
    """
    module = cuda_module()
    return {**_core.build_info(), "cuda": None if module is None else module.build_info()}


def get_num_threads() -> int:
    """Threads that one call may use.

    Returns
    -------
    int
        What `set_num_threads` set; before that ``MLESTAR_NUM_THREADS``, else ``OMP_NUM_THREADS``,
        else the cores that affinity and the cgroup's quota leave to this process.

    Examples
    --------
    >>> import mlestar
    >>> mlestar.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()


def set_num_threads(count: int) -> None:
    """Set the threads that one call may use, for the whole process. No answer depends on it.

    Parameters
    ----------
    count : int
        Between 1 and 1024, the calling thread included.

    Raises
    ------
    ValueError
        If `count` is outside that range.

    Examples
    --------
    >>> import mlestar
    >>> before = mlestar.get_num_threads()
    >>> mlestar.set_num_threads(1)
    >>> mlestar.get_num_threads()
    1
    >>> mlestar.set_num_threads(before)
    """
    _core.set_num_threads(count)
