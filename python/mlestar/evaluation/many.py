"""Tests of many models on many data sets: Friedman with Nemenyi, Wilcoxon with Holm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlestar.metrics._intervals import check_level


@dataclass(frozen=True)
class FriedmanResult:
    """What `friedman_test` found.

    Attributes
    ----------
    statistic, p_value : float
        Friedman's chi-square.
    f_statistic, f_p_value : float
        Iman and Davenport's F, which is less conservative.
    names : tuple of str
        Of the models.
    mean_ranks : tuple of float
        Mean rank of each model; 1 is the best there is.
    critical_difference : float
        Nemenyi's: models whose mean ranks differ by more are different at level `alpha`.
    nemenyi_p_values : ndarray of shape (n_models, n_models)
        Of each pair being the same.
    alpha : float
    """

    statistic: float
    p_value: float
    f_statistic: float
    f_p_value: float
    names: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    critical_difference: float
    nemenyi_p_values: NDArray[np.float64]
    alpha: float = 0.05

    def different_pairs(self) -> list[tuple[str, str]]:
        """Pairs of models (better, worse) that differ by more than the critical difference."""
        order = np.argsort(self.mean_ranks, kind="stable").tolist()
        return [
            (self.names[i], self.names[j])
            for i, j in combinations(order, 2)
            if self.mean_ranks[j] - self.mean_ranks[i] > self.critical_difference
        ]

    def __str__(self) -> str:
        ranks = ", ".join(
            f"{name} {rank:.3f}"
            for rank, name in sorted(zip(self.mean_ranks, self.names, strict=True))
        )
        pairs = ", ".join(f"{a} beats {b}" for a, b in self.different_pairs()) or "none"
        return (
            f"Friedman's chi-square is {self.statistic:.4g} (p = {self.p_value:.3g}), F "
            f"{self.f_statistic:.4g} (p = {self.f_p_value:.3g}); mean ranks: {ranks}; pairs "
            f"further apart than Nemenyi's critical difference of {self.critical_difference:.3f}: "
            f"{pairs}."
        )


@dataclass(frozen=True)
class PairwiseComparison:
    """One pair of models in `pairwise_wilcoxon_test`.

    Attributes
    ----------
    first, second : str
        Names of the models.
    statistic : float
        Wilcoxon's: the lesser of the sums of ranks.
    p_value : float
        Of the pair by itself.
    adjusted_p_value : float
        Holm's, for all pairs together.
    difference : float
        Median over the data sets of (first - second).
    """

    first: str
    second: str
    statistic: float
    p_value: float
    adjusted_p_value: float
    difference: float

    def __str__(self) -> str:
        return (
            f"{self.first} differs from {self.second} by {self.difference:.4g} (median), p = "
            f"{self.adjusted_p_value:.3g} by Wilcoxon's signed-rank test with Holm's correction."
        )


def _table(scores: Any, names: Sequence[str] | None, least: int) -> tuple[Any, tuple[str, ...]]:
    if names is None and hasattr(scores, "columns"):
        names = [str(name) for name in scores.columns]
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < least:
        raise ValueError(
            f"scores has shape {table.shape}, but must have at least 2 rows (data sets) and "
            f"{least} columns (models)"
        )
    if not np.isfinite(table).all():
        raise ValueError("scores holds NaN or infinity, but every model needs every data set")
    if names is None:
        names = [f"model {i}" for i in range(table.shape[1])]
    if len(names) != table.shape[1]:
        raise ValueError(
            f"names has {len(names)} names, but scores has {table.shape[1]} columns (models)"
        )
    return table, tuple(str(name) for name in names)


def friedman_test(
    scores: Any,
    *,
    names: Sequence[str] | None = None,
    greater_is_better: bool = True,
    alpha: float = 0.05,
    tie_correction: bool = False,
) -> FriedmanResult:
    """Friedman's test that some models do the same, with Nemenyi's test of the pairs.

    Parameters
    ----------
    scores : array-like of shape (n_data_sets, n_models)
        One score (a mean over folds, say) a data set and model; at least 3 models.
    names : sequence of str, default=None
        Of the models; by default the columns of a DataFrame, else ``model 0`` and so on.
    greater_is_better : bool, default=True
        False for losses.
    alpha : float, default=0.05
        Level of the critical difference.
    tie_correction : bool, default=False
        Divide chi-square by what ties take from it, as `scipy.stats.friedmanchisquare` does;
        Demsar's formulas do not.

    Returns
    -------
    FriedmanResult

    Raises
    ------
    ValueError
        For fewer than 2 data sets or 3 models, scores that are not finite, and names not as many.

    Notes
    -----
    Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006, 3.2.

    Examples
    --------
    >>> from mlestar.evaluation import friedman_test
    >>> scores = [[0.9, 0.8, 0.7], [0.8, 0.7, 0.6], [0.9, 0.7, 0.8], [0.7, 0.6, 0.5]]
    >>> result = friedman_test(scores, names=["a", "b", "c"])
    >>> result.statistic, result.mean_ranks
    (6.5, (1.0, 2.25, 2.75))
    """
    check_level("alpha", alpha)
    from scipy.stats import chi2, f, rankdata, studentized_range

    table, known = _table(scores, names, 3)
    sets, models = table.shape
    ranks = rankdata(-table if greater_is_better else table, axis=1)
    mean = ranks.mean(axis=0)
    square = 12 * sets / (models * (models + 1)) * float(np.sum((mean - (models + 1) / 2) ** 2))
    if tie_correction and square > 0:
        runs = np.concatenate([np.unique(row, return_counts=True)[1] for row in ranks])
        square /= 1 - float(np.sum(runs**3 - runs)) / (sets * models * (models**2 - 1))
    freedom = (models - 1, (models - 1) * (sets - 1))
    rest = sets * (models - 1) - square
    ratio = (sets - 1) * square / rest if rest > 1e-9 else math.inf
    unit = math.sqrt(models * (models + 1) / (6 * sets))
    apart = np.abs(mean[:, None] - mean[None, :]) / unit * math.sqrt(2)
    pairs = np.array(studentized_range.sf(apart, models, np.inf))
    np.fill_diagonal(pairs, 1.0)
    return FriedmanResult(
        square,
        float(chi2.sf(square, models - 1)),
        ratio,
        float(f.sf(ratio, *freedom)),
        known,
        tuple(mean.tolist()),
        float(studentized_range.ppf(1 - alpha, models, np.inf)) / math.sqrt(2) * unit,
        pairs,
        float(alpha),
    )


def pairwise_wilcoxon_test(
    scores: Any, *, names: Sequence[str] | None = None, control: str | None = None
) -> list[PairwiseComparison]:
    """Wilcoxon's signed-rank test of every pair of models, with Holm's correction.

    Parameters
    ----------
    scores : array-like of shape (n_data_sets, n_models)
        One score a data set and model; at least 2 models.
    names : sequence of str, default=None
        Of the models; by default the columns of a DataFrame, else ``model 0`` and so on.
    control : str, default=None
        Name of the model that all others are compared with; None compares every pair.

    Returns
    -------
    list of PairwiseComparison
        The least p-value first.

    Raises
    ------
    ValueError
        As `friedman_test`, and for a control that is no name.

    Notes
    -----
    Demsar 2006, 3.1.3: ranks of differences of zero are split between the two sums. Holm, "A simple
    sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.

    Examples
    --------
    >>> from mlestar.evaluation import pairwise_wilcoxon_test
    >>> scores = [[0.91, 0.8], [0.8, 0.72], [0.9, 0.75], [0.7, 0.6], [0.8, 0.68], [0.9, 0.77]]
    >>> pairwise_wilcoxon_test(scores, names=["a", "b"])[0].adjusted_p_value
    0.03125
    """
    from scipy.stats import wilcoxon

    table, known = _table(scores, names, 2)
    if control is not None and control not in known:
        raise ValueError(f"control is {control!r}, but must be one of {list(known)}")
    pairs = list(combinations(range(len(known)), 2))
    if control is not None:
        place = known.index(control)
        pairs = [(place, j) for j in range(len(known)) if j != place]
    found = []
    for i, j in pairs:
        apart = table[:, i] - table[:, j]
        statistic, p_value = len(apart) * (len(apart) + 1) / 4, 1.0
        if apart.any():
            statistic, p_value = (
                float(value) for value in wilcoxon(apart, zero_method="zsplit")[:2]
            )
        found.append((known[i], known[j], statistic, p_value, float(np.median(apart))))
    adjusted = holm_correction([row[3] for row in found]).tolist()
    result = [
        PairwiseComparison(a, b, statistic, p_value, corrected, difference)
        for (a, b, statistic, p_value, difference), corrected in zip(found, adjusted, strict=True)
    ]
    return sorted(result, key=lambda pair: pair.p_value)


def holm_correction(p_values: Any) -> NDArray[np.float64]:
    """P-values adjusted so that those below a level err together at that level at most.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)

    Returns
    -------
    ndarray of shape (n_tests,)
        In the order given.

    Raises
    ------
    ValueError
        For p-values outside [0, 1].

    Notes
    -----
    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6, 1979.

    Examples
    --------
    >>> from mlestar.evaluation import holm_correction
    >>> holm_correction([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p_values must have one axis of values between 0 and 1")
    order = np.argsort(p, kind="stable")
    result = np.empty_like(p)
    result[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return result
