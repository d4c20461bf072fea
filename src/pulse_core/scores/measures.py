"""The scores, from the sums over any run of batches. NaN where a score is impossible.

Every function takes sums of shape (forecaster, horizon, sum) in the order of `SUMS` and returns (forecaster, horizon).
Sums are in the variable's scale: measures in the data's own units are multiplied by 2**exponent at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial, reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.calibration import LEVELS
from pulse_core.scores.sums import INTERVALS, SUMS
from pulse_core.scores.terms import CRPS_WEIGHTS, interval_score

Scores = NDArray[np.float64]


def _sum(sums: Scores, name: str) -> Scores:
    return np.asarray(sums[..., SUMS.index(name)])


def _ratio(numerator: Scores, denominator: Scores) -> Scores:
    result = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=result, where=denominator > 0)
    return result


def _per_origin(sums: Scores, name: str) -> Scores:
    return _ratio(_sum(sums, name), _sum(sums, "count"))


def count(sums: Scores) -> Scores:
    """n: how many origins have been scored."""
    return _sum(sums, "count").copy()


def mean_error(sums: Scores) -> Scores:
    """ME: mean of e = actual - forecast."""
    return _per_origin(sums, "error")


def mean_absolute_error(sums: Scores) -> Scores:
    """MAE: mean of |e|."""
    return _per_origin(sums, "absolute")


def root_mean_squared_error(sums: Scores) -> Scores:
    """RMSE: square root of the mean of e^2."""
    return np.sqrt(_per_origin(sums, "square"))


def mean_absolute_scaled_error(sums: Scores) -> Scores:
    """MASE: mean of |e| / s1, s1 the mean absolute step so far at the origin (Hyndman & Koehler 2006)."""
    return _per_origin(sums, "scaled_absolute")


def root_mean_squared_scaled_error(sums: Scores) -> Scores:
    """RMSSE: square root of the mean of e^2 / s2, s2 the mean squared step so far at the origin (M5)."""
    return np.sqrt(_per_origin(sums, "scaled_square"))


def symmetric_percentage_error(sums: Scores) -> Scores:
    """Symmetric MAPE: mean of 200 |e| / (|y| + |f|), 0/0 = 0 (M4)."""
    return _per_origin(sums, "percentage")


def hit_rate(sums: Scores) -> Scores:
    """Share of forecast changes from y_n with the right sign, changes of zero (forecast or actual) left out."""
    return _ratio(_sum(sums, "hits"), _sum(sums, "calls"))


def skill_absolute(sums: Scores) -> Scores:
    """Skill for MAE: 1 - MAE / the benchmark's, on the origins scored for both."""
    return 1.0 - _ratio(_sum(sums, "common_absolute"), _sum(sums, "benchmark_absolute"))


def skill_squared(sums: Scores) -> Scores:
    """Skill for MSE: 1 - MSE / the benchmark's, on the origins scored for both."""
    return 1.0 - _ratio(_sum(sums, "common_square"), _sum(sums, "benchmark_square"))


def mean_pinball_loss(sums: Scores, level: float) -> Scores:
    """Mean pinball loss at one level (Koenker & Bassett 1978)."""
    return _ratio(_sum(sums, f"pinball_{level}"), _sum(sums, "quantile_count"))


def mean_quantile_loss(sums: Scores) -> Scores:
    """Twice the mean pinball loss over all levels."""
    return 2.0 * _added(mean_pinball_loss(sums, level) for level in LEVELS) / len(LEVELS)


def continuous_ranked_probability_score(sums: Scores) -> Scores:
    """CRPS: mean of the integral of twice the pinball loss; see terms.crps."""
    return _added(weight * mean_pinball_loss(sums, level) for weight, level in zip(CRPS_WEIGHTS, LEVELS, strict=True))


def skill_ranked_probability(sums: Scores) -> Scores:
    """Skill for CRPS: 1 - CRPS / the benchmark's, on the origins scored for both."""
    return 1.0 - _ratio(_sum(sums, "common_crps"), _sum(sums, "benchmark_crps"))


def coverage(sums: Scores, interval: int) -> Scores:
    """Share of actuals inside the central interval of so many per cent, its ends included."""
    return _ratio(_sum(sums, f"covered_{interval}"), _sum(sums, "quantile_count"))


def mean_width(sums: Scores, interval: int) -> Scores:
    """Mean width of the central interval of so many per cent."""
    return _ratio(_sum(sums, f"width_{interval}"), _sum(sums, "quantile_count"))


def mean_interval_score(sums: Scores) -> Scores:
    """Mean Winkler score of the 95 % interval; see terms.interval_score."""
    return interval_score(np.stack([mean_pinball_loss(sums, LEVELS[0]), mean_pinball_loss(sums, LEVELS[-1])]))


def mean_scaled_interval_score(sums: Scores) -> Scores:
    """MSIS: mean of the 95 % interval's score / s1, s1 the mean absolute step so far at the origin (M4)."""
    return _ratio(_sum(sums, "scaled_interval"), _sum(sums, "quantile_count"))


def _added(parts: Iterable[Scores]) -> Scores:
    return reduce(np.add, parts)


_MEASURES: Final[dict[str, Callable[[Scores], Scores]]] = {
    "n": count,
    "me": mean_error,
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "mase": mean_absolute_scaled_error,
    "rmsse": root_mean_squared_scaled_error,
    "smape": symmetric_percentage_error,
    "hit_rate": hit_rate,
    "skill_mae": skill_absolute,
    "skill_mse": skill_squared,
    "crps": continuous_ranked_probability_score,
    "skill_crps": skill_ranked_probability,
    "mean_quantile_loss": mean_quantile_loss,
    **{f"pinball_{level}": partial(mean_pinball_loss, level=level) for level in LEVELS},
    **{f"coverage_{interval}": partial(coverage, interval=interval) for interval in INTERVALS},
    **{f"width_{interval}": partial(mean_width, interval=interval) for interval in INTERVALS},
    "interval_score": mean_interval_score,
    "msis": mean_scaled_interval_score,
}
_SCALE_FREE: Final = ("n", "mase", "rmsse", "smape", "hit_rate", "msis")
_NO_SCALE: Final = "the series had not moved before a scored origin: its scale is zero"
_NO_LOSS: Final = "the benchmark made no error on the common origins"
_REASONS: Final = {
    "mase": _NO_SCALE,
    "rmsse": _NO_SCALE,
    "msis": _NO_SCALE,
    "hit_rate": "no origin had both a forecast change and a change",
    "skill_mae": _NO_LOSS,
    "skill_mse": _NO_LOSS,
    "skill_crps": _NO_LOSS,
    "dm_p": "it is the benchmark, or its losses differ too little from the benchmark's to tell their variance",
}

MEASURES: Final = (*_MEASURES, "dm_p")
"""The names of the scores: those of `all_measures` in order, and the Diebold-Mariano p-value, which is no sum."""


def all_measures(sums: Scores, exponent: int) -> Scores:
    """Return MEASURES but the last, which follow from sums (..., sum), in the data's units; (..., measure)."""
    with np.errstate(all="ignore"):  # what overflows or is undefined becomes null below
        scores = np.stack([measure(sums) for measure in _MEASURES.values()], axis=-1)
        for place, name in enumerate(_MEASURES):
            if name not in _SCALE_FREE and not name.startswith(("skill", "coverage")):
                scores[..., place] = np.ldexp(scores[..., place], exponent)
    scores[~np.isfinite(scores)] = np.nan
    return scores


def why_null(measure: str, *, scored: bool) -> str:
    """Return the reason why a measure has no value; `scored` says whether any origin was scored."""
    if not scored:
        return "no origin had both a forecast and an actual known by the end"
    return _REASONS.get(measure, "the value is beyond the range of a float64")
