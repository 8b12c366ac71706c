"""The user's own metric: a Python function compiled to native code that the core calls."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, NoReturn, overload

import numpy as np

from mlestar._lazy import require
from mlestar._native import _core
from mlestar.metrics._user_rows import check_rows


class CompiledMetric:
    """A metric made by `metric`.

    Called with arrays it gives a float. Name, documentation and signature are the function's;
    pickles hold the name that it is imported by, so it must be defined in a module.

    Attributes
    ----------
    name : str
        What messages call it.
    greater_is_better : bool
        Whether more of it is better.
    takes_weights : bool
        Whether the function has a third argument, ``sample_weight``.
    """

    def __init__(
        self, function: Callable[..., Any], greater_is_better: bool = True, name: str | None = None
    ) -> None:
        self._takes = _arguments_of(function)
        self.name = name or getattr(function, "__name__", "metric")
        self.greater_is_better = greater_is_better
        self.takes_weights = self._takes > 2
        self._compiled: dict[bool, tuple[Any, Any]] = {}
        self._compiling = threading.Lock()
        update_wrapper(self, function)
        self._function = function
        self._qualname: str = function.__qualname__

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """The metric of these rows.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_samples,)
            Numbers, read as float64.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, finite and not negative.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            For arrays that cannot be used, and weights where the function takes none.
        TypeError
            If Numba cannot compile the function.
        ImportError
            If Numba is not installed.
        Exception
            What the function raises.
        """
        return self._on_rows(*self._checked(y_true, y_pred, sample_weight))

    def _checked(self, y_true: Any, y_pred: Any, weight: Any) -> tuple[Any, Any, Any]:
        """The rows as the compiled function takes them."""
        if weight is not None and not self.takes_weights:
            raise ValueError(
                f"sample_weight is given, but metric {self.name!r} is a function of y_true and "
                "y_pred alone; give it a third argument, sample_weight=None"
            )
        return check_rows(y_true, y_pred, weight)

    def _on_rows(self, y_true: Any, y_pred: Any, weight: Any) -> float:
        value = _core.metrics.call_callback(
            self._callback(weight is not None), y_true, y_pred, weight
        )
        return self._raise(y_true, y_pred, weight) if value is None else value

    def _callback(self, weighted: bool) -> Any:
        """The compiled function's capsule, which is good as long as this object lives."""
        with self._compiling:
            if weighted not in self._compiled:
                require("numba", "numba")
                from mlestar._jit.callback import compile_callback

                self._compiled[weighted] = compile_callback(self._function, weighted, self._takes)
            return self._compiled[weighted][0]

    def _raise(self, y_true: Any, y_pred: Any, weight: Any) -> NoReturn:
        """What the function raises on rows that its compiled form failed on.

        It is called again in Python, so that type, message and traceback are the user's.
        """
        arguments = [np.array(y_true), np.array(y_pred)]
        if weight is not None:
            arguments.append(np.array(weight))
        elif self._takes == 4:
            arguments.append(np.ones(len(arguments[0])))
        elif self._takes == 3:
            arguments.append(None)  # type: ignore[arg-type]
        for array in arguments:
            if array is not None:
                array.setflags(write=False)
        value = self._function(*arguments)
        raise RuntimeError(
            f"metric {self.name!r} raised where it was compiled, but gives {value!r} in Python on "
            f"the same {len(arguments[0])} rows. The two differ where a NumPy number is divided by "
            "zero: NumPy warns, Numba raises ZeroDivisionError; test the divisor first"
        )

    def __reduce__(self) -> str:
        return self._qualname

    def __repr__(self) -> str:
        return f"metric({self.__module__}.{self._qualname})"


def _arguments_of(function: Any) -> int:
    """2 for (y_true, y_pred), 3 with a sample_weight that may be None, 4 with one that may not."""
    if not inspect.isfunction(function):
        raise TypeError(
            f"metric is given {function!r}, but must be given a Python function of y_true, y_pred "
            "and perhaps sample_weight"
        )
    parameters = list(inspect.signature(function).parameters.values())
    kinds = {parameter.kind for parameter in parameters}
    plain = kinds <= {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY}
    names = [parameter.name for parameter in parameters]
    if not plain or len(names) not in (2, 3) or names[2:] not in ([], ["sample_weight"]):
        raise TypeError(
            f"metric {function.__qualname__!r} takes {inspect.signature(function)}, but must take "
            "(y_true, y_pred) or (y_true, y_pred, sample_weight=None)"
        )
    if len(names) == 2:
        return 2
    default = parameters[2].default
    if default is not None and default is not inspect.Parameter.empty:
        raise TypeError(
            f"metric {function.__qualname__!r} has {default!r} for the default of sample_weight, "
            "but must have None or no default"
        )
    return 3 if default is None else 4


@overload
def metric(
    function: Callable[..., Any], *, greater_is_better: bool = True, name: str | None = None
) -> CompiledMetric: ...
@overload
def metric(
    function: None = None, *, greater_is_better: bool = True, name: str | None = None
) -> Callable[[Callable[..., Any]], CompiledMetric]: ...
def metric(
    function: Callable[..., Any] | None = None,
    *,
    greater_is_better: bool = True,
    name: str | None = None,
) -> Any:
    """Make a metric of a Python function: native code that resampling calls on all threads.

    As a decorator, ``@metric`` or ``@metric(greater_is_better=False)``. The function is compiled by
    Numba (the extra ``mlestar[numba]``) when it is first called, and may do what Numba's nopython
    mode can: loops, arithmetic, most of NumPy. `bootstrap`, the paired tests of
    `mlestar.evaluation`, `streaming.UserMetric` and `mlestar.ensemble.greedy_weights` then call it
    without the GIL.

    Parameters
    ----------
    function : callable
        ``function(y_true, y_pred)`` or ``function(y_true, y_pred, sample_weight=None)``, of float64
        arrays of shape (n_samples,) that it must not write to, giving a real number. Without
        weights, the third is None; where it has no default, an array of ones.
    greater_is_better : bool, default=True
        False for a loss.
    name : str, default=None
        What messages call it; the function's name by default.

    Returns
    -------
    CompiledMetric
        Called like the function, on arrays, lists, Series or CPU tensors; integers, bool and
        float32 are read as float64.

    Raises
    ------
    TypeError
        For a function of other arguments; at the first call if Numba cannot compile it, with
        Numba's reason. It is never called in Python instead.

    Notes
    -----
    An exception inside compiled code stops all threads; the function is then called in Python on
    the same rows, and what it raises there is raised. Indices are checked, and division by zero
    raises ZeroDivisionError, of NumPy's numbers too. A value of NaN says that the metric is
    undefined. NaN and infinity in `y_true` and `y_pred` are the function's own business.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.metrics import bootstrap, metric
    >>> @metric(greater_is_better=False)
    ... def cost(y_true, y_pred):
    ...     total = 0.0
    ...     for i in range(len(y_true)):
    ...         error = y_pred[i] - y_true[i]
    ...         total += 3 * error if error > 0 else -error
    ...     return total / len(y_true)
    >>> cost([1, 2, 3], [2, 2, 2])
    1.3333333333333333
    >>> rng = np.random.default_rng(0)
    >>> y = rng.normal(size=500)
    >>> print(bootstrap(cost, y, y + rng.normal(size=500), random_state=0))
    1.4218, 95% interval 1.3016 to 1.5477 (percentile bootstrap, 2000 resamples)
    """
    if not isinstance(greater_is_better, bool):
        raise TypeError(f"greater_is_better is {greater_is_better!r}, but must be True or False")
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name is {name!r}, but must be a string or None")
    if function is None:
        return lambda given: CompiledMetric(given, greater_is_better, name)
    return CompiledMetric(function, greater_is_better, name)
