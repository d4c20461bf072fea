"""The delete-one-batch jackknife: a confidence interval of a forecaster's skill."""

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
    """A skill with the ends of its 95 % confidence interval, NaN where it has none, from a number of `batches`."""

    skill: float
    low: float
    high: float
    batches: int


def skill_interval(losses: Array, benchmark: Array) -> SkillInterval:
    """Return skill = 1 - sum of losses / sum of the benchmark's, with its delete-one-batch jackknife interval.

    `losses` and `benchmark` (batch,) are sums over the same origins of each batch; a batch with a NaN, or in which both
    sums are 0, is left out. With g batches the variance is (g-1)/g times the sum of squares of the leave-one-out skills
    about their mean, and the interval is symmetric, with Student's t of g - 1 degrees of freedom. Whole batches are
    left out because errors depend on one another mostly within a batch.

    Source: Miller (1974), The jackknife - a review, Biometrika 61; for blocks of a time series Künsch (1989), Annals of
    Statistics 17.
    """
    is_scored = np.isfinite(losses) & np.isfinite(benchmark) & (losses + benchmark > 0)
    losses, benchmark = losses[is_scored], benchmark[is_scored]
    ratio = _ratio(losses.sum(), benchmark.sum())
    margin = _margin(losses, benchmark) if len(losses) >= 2 and not math.isnan(ratio) else math.nan
    return SkillInterval(1.0 - ratio, 1.0 - ratio - margin, 1.0 - ratio + margin, len(losses))


def _margin(losses: Array, benchmark: Array) -> float:
    """Return half the width of the confidence interval, from at least two batches."""
    count = len(losses)
    total, benchmark_total = losses.sum(), benchmark.sum()
    ratios = np.array([_ratio(total - a, benchmark_total - b) for a, b in zip(losses, benchmark, strict=True)])
    variance = (count - 1) / count * float(((ratios - ratios.mean()) ** 2).sum())
    return float(student_t_quantile(count - 1, (1.0 + CONFIDENCE) / 2.0)) * math.sqrt(variance)


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator > 0 else math.nan
