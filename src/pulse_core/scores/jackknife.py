"""How sure a skill is: the interval that leaving out one batch after the other gives."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel.special import student_t_quantile

Array = NDArray[np.float64]

CONFIDENCE = 0.95


@attrs.frozen
class SkillInterval:
    """A skill with the ends of its 95 % confidence interval, from so many `batches`; NaN where there is none."""

    skill: float
    low: float
    high: float
    batches: int


def skill_interval(losses: Array, benchmark: Array) -> SkillInterval:
    """Return skill = 1 - sum of losses / sum of the benchmark's, with its delete-one-batch jackknife interval.

    `losses` and `benchmark` (batch,) are sums over the same origins of each batch; one that has a NaN, or in which
    neither lost anything, says nothing and is left out. With g batches the variance is (g-1)/g times the sum of squares
    of the leave-one-out skills about their mean, and the interval is symmetric, with Student's t of g - 1 degrees of
    freedom. Errors depend on one another mostly within a batch, which leaves as a whole.

    Source: Miller (1974), The jackknife - a review, Biometrika 61; for blocks of a time series Künsch (1989), Annals of
    Statistics 17.
    """
    told = np.isfinite(losses) & np.isfinite(benchmark) & (losses + benchmark > 0)
    lost, lost_by_benchmark = losses[told], benchmark[told]
    count = len(lost)
    total = _ratio(lost.sum(), lost_by_benchmark.sum())
    if count < 2 or math.isnan(total):
        return SkillInterval(1.0 - total, math.nan, math.nan, count)
    left = np.array(
        [_ratio(lost.sum() - a, lost_by_benchmark.sum() - b) for a, b in zip(lost, lost_by_benchmark, strict=True)]
    )
    variance = (count - 1) / count * float(((left - left.mean()) ** 2).sum())
    reach = float(student_t_quantile(count - 1, (1.0 + CONFIDENCE) / 2.0)) * math.sqrt(variance)
    return SkillInterval(1.0 - total, 1.0 - total - reach, 1.0 - total + reach, count)


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator > 0 else math.nan
