"""The scores, from the sums over any run of batches. NaN where a score is impossible.

Every function takes sums of shape (forecaster, horizon, sum) in the order of `SUMS` and returns (forecaster, horizon).
Sums are in the variable's scale: measures in the data's own units are multiplied by 2**exponent at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.scores.sums import SUMS

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
}
_IN_UNITS: Final = ("me", "mae", "rmse")
_REASONS: Final = {
    "mase": "the series had not moved before a scored origin: its scale is zero",
    "rmsse": "the series had not moved before a scored origin: its scale is zero",
    "hit_rate": "no origin had both a forecast change and a change",
    "skill_mae": "the benchmark made no error on the common origins",
    "skill_mse": "the benchmark made no error on the common origins",
}

MEASURES: Final = tuple(_MEASURES)
"""The names of the scores, in the order of the last axis of `all_measures`."""


def all_measures(sums: Scores, exponent: int) -> Scores:
    """Return every score in the data's units, shape (forecaster, horizon, measure)."""
    with np.errstate(all="ignore"):  # what overflows or is undefined becomes null below
        scores = np.stack([measure(sums) for measure in _MEASURES.values()], axis=-1)
        for name in _IN_UNITS:
            place = MEASURES.index(name)
            scores[..., place] = np.ldexp(scores[..., place], exponent)
    scores[~np.isfinite(scores)] = np.nan
    return scores


def why_null(measure: str, *, scored: bool) -> str:
    """Return the reason why a measure has no value; `scored` says whether any origin was scored."""
    if not scored:
        return "no origin had both a forecast and an actual known by the end"
    return _REASONS.get(measure, "the value is beyond the range of a float64")
