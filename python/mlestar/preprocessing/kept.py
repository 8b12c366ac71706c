"""What transformers keep of the rows they have seen, to answer for the quantiles of all of them."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from mlestar._native import _core
from mlestar.preprocessing.base import StreamingTransformer
from mlestar.preprocessing.sketch import QuantileSketch

# Rows below which a sketch is exact and takes no time.
_EXACT_BELOW = 8192


class QuantileKeeper(StreamingTransformer):
    """A transformer that goes by quantiles: exact, or of a sketch, as its parameters say.

    It has the parameters ``quantiles`` and ``seed``, and holds ``_sketch`` or ``_rows``.
    """

    _keeping = {  # noqa: RUF012
        "quantiles": [StrOptions({"auto", "exact", "sketch"})],
        "seed": [Interval(Integral, 0, 2**63 - 1, closed="both")],
    }
    quantiles: str
    seed: int
    _sketch: QuantileSketch
    _rows: Any

    def _fractions(self) -> list[float]:
        """Those that are asked for."""
        raise NotImplementedError

    def _theirs(self) -> dict[str, Any]:
        """The parameters that scikit-learn's namesake has."""
        parameters: dict[str, Any] = self.get_params(deep=False)  # type: ignore[attr-defined]
        return {name: parameters[name] for name in parameters.keys() - self._keeping.keys()}

    def _exact(self, array: Any) -> Any:
        return _core.preprocessing.order_statistics(array, self._fractions(), np.nan)

    def _keep_nothing(self) -> None:
        for name in ("_sketch", "_rows"):
            self.__dict__.pop(name, None)

    def _keep(self, array: Any) -> None:
        """What is kept of rows whose quantiles were found exactly."""
        if self.quantiles == "exact":
            self._rows = array.copy()
        elif len(array) < _EXACT_BELOW:
            self._sketch = QuantileSketch(self.seed).update(array)

    def _added_pairs(self, array: Any, first: bool) -> Any:
        """Pairs of all rows, these included; None, and nothing changes, where there is infinity."""
        if self.quantiles == "exact":
            rows = array.copy() if first else np.concatenate([self._rows, array])
            pairs = self._exact(rows)
            if pairs is not None:
                self._rows = rows
            return pairs
        sketch = QuantileSketch(self.seed) if first else self._sketch
        if not sketch._core.update(np.require(array, requirements="A"), np.nan):
            return None
        self._sketch = sketch
        return sketch._core.pairs(self._fractions())

    def _merged_pairs(self, other: Any) -> Any:
        self._require_kept("self")
        other._require_kept("other")
        if "_rows" in vars(self):
            self._rows = np.concatenate([self._rows, other._rows])
            return self._exact(self._rows)
        self._sketch.merge(other._sketch)
        return self._sketch._core.pairs(self._fractions())

    def _require_kept(self, name: str) -> None:
        if "_sketch" not in vars(self) and "_rows" not in vars(self):
            raise ValueError(
                f"{name} was fitted by fit() to {_EXACT_BELOW} rows or more, of which nothing is "
                "kept that could be added to: fit it with quantiles='sketch' or 'exact', or by "
                "partial_fit alone"
            )

    def _optional(self) -> set[str]:
        return {"_sketch", "_rows"}

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        if "_sketch" in state:
            state["_sketch"] = list(state["_sketch"]._core.state())
        return state

    def _set_state(self, attributes: dict[str, Any]) -> None:
        sketch = attributes.get("_sketch")
        if sketch is not None:
            made = QuantileSketch(self.seed)
            integers, reals = sketch
            made.load_state_dict({**made.state_dict(), "integers": integers, "reals": reals})
            attributes = {**attributes, "_sketch": made}
        super()._set_state(attributes)
