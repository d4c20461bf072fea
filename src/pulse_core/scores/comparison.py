"""Is a forecaster better than the benchmark? The Diebold-Mariano test of mean losses that are equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel.bindings import comparisons, diebold_mariano_statistic
from pulse_core.kernel.special import student_t_cdf

Array = NDArray[np.float64]


def comparison_p_values(cells: Array, reported: Array, forecasters: int, benchmark: int) -> Array:
    """Return the Diebold-Mariano p-values of absolute errors against the benchmark's; (forecaster, horizon).

    `cells` (origin, stride) are the forecasts, `reported` the actuals (origin, horizon). On the origins scored for
    both; NaN for the benchmark.
    """
    statistic, count = comparisons(cells, reported, forecasters, benchmark)
    return _p_values(statistic, count)


def diebold_mariano(differences: Array, horizon: int) -> float:
    """Return the two-sided p-value that the mean loss difference is zero; NaN where the variance is not above rounding.

    `differences` (origin,) in order of time, of `horizon`-step losses; their long-run variance takes lags 0..horizon-1
    with equal weight, and the statistic is corrected for small samples and compared with t(n-1).
    Source: Diebold & Mariano (1995), JBES 13; Harvey, Leybourne & Newbold (1997), IJF 13.
    """
    statistic = diebold_mariano_statistic(differences, horizon)
    return float(_p_values(np.array([statistic]), np.array([len(differences)]))[0])


def _p_values(statistic: Array, count: NDArray[np.int64]) -> Array:
    return np.asarray(2.0 * student_t_cdf(count - 1, -np.abs(statistic)))
