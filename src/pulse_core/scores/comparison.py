"""Is a forecaster better than the benchmark? The Diebold-Mariano test of mean losses that are equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel.bindings import comparisons, diebold_mariano_statistic
from pulse_core.kernel.special import student_t_cdf

Array = NDArray[np.float64]


def comparison_statistics(cells: Array, reported: Array, forecasters: int, benchmark: int) -> Array:
    """Return the Diebold-Mariano statistics of absolute errors against the benchmark's, and on how many origins.

    (forecaster, horizon, 2); NaN where there is none, as for the benchmark. `cells` (origin, stride) are the forecasts,
    `reported` the actuals (origin, horizon); on the origins scored for both.
    """
    statistic, count = comparisons(cells, reported, forecasters, benchmark)
    return np.stack([statistic, count.astype(np.float64)], axis=-1)


def p_values(statistics: Array) -> Array:
    """Return the two-sided p-values of statistics with their numbers of origins (.., 2), by t of n - 1; (..)."""
    return np.asarray(2.0 * student_t_cdf(statistics[..., 1] - 1.0, -np.abs(statistics[..., 0])))


def diebold_mariano(differences: Array, horizon: int) -> float:
    """Return the two-sided p-value that the mean loss difference is zero; NaN where the variance is not above rounding.

    `differences` (origin,) in order of time, of `horizon`-step losses; their long-run variance takes lags 0..horizon-1
    with equal weight, and the statistic is corrected for small samples and compared with t(n-1).
    Source: Diebold & Mariano (1995), JBES 13; Harvey, Leybourne & Newbold (1997), IJF 13.
    """
    statistic = diebold_mariano_statistic(differences, horizon)
    return float(p_values(np.array([statistic, len(differences)])))
