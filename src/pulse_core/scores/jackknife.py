"""The delete-one-batch jackknife: a confidence interval of a forecaster's skill."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import finite_or_nan
from pulse_core.kernel.special import student_t_quantile

Array = NDArray[np.float64]

CONFIDENCE: Final = 0.95


def skill_intervals(losses: Array, benchmark: Array) -> tuple[Array, Array]:
    """Return the ends of the 95 % confidence intervals of skill = 1 - sum of losses / sum of the benchmark's; (..).

    `losses` and `benchmark` (batch, ..) are sums over the same origins of each batch; a batch in which both sums are 0
    is left out. With g batches the variance is (g-1)/g times the sum of squares of the leave-one-out skills about their
    mean, and the interval is symmetric, with Student's t of g - 1 degrees of freedom, up to 1, which no skill exceeds:
    NaN with fewer than two batches, or where the benchmark has lost nothing without some batch. Whole batches are left
    out because errors depend on one another mostly within a batch.

    Source: Miller (1974), The jackknife - a review, Biometrika 61; for blocks of a time series Künsch (1989), Annals of
    Statistics 17.
    """
    with np.errstate(all="ignore"):  # what is not finite is no interval
        is_scored = losses + benchmark > 0
        count = is_scored.sum(axis=0)
        total, benchmark_total = losses.sum(axis=0), benchmark.sum(axis=0)
        left_out = np.where(is_scored, (total - losses) / (benchmark_total - benchmark), 0.0)
        apart = np.where(is_scored, left_out - left_out.sum(axis=0) / count, 0.0)
        variance = (count - 1) / count * (apart * apart).sum(axis=0)
        skill = 1.0 - total / benchmark_total
        margin = _student_t(count - 1) * np.sqrt(variance)
        return finite_or_nan(skill - margin), finite_or_nan(np.minimum(skill + margin, 1.0))


def _student_t(freedom: NDArray[np.int64]) -> Array:
    """Return the two-sided quantiles of Student's t; NaN without a degree of freedom."""
    distinct, inverse = np.unique(freedom, return_inverse=True)
    quantiles = student_t_quantile(distinct, (1.0 + CONFIDENCE) / 2.0)
    return np.asarray(np.where(distinct > 0, quantiles, np.nan)[inverse].reshape(freedom.shape))
