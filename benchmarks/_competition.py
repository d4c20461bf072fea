"""The M4 competition's measures and its second naive benchmark (Makridakis, Spiliotis & Assimakopoulos 2020).

`history` is (time,), `actual`, `forecast`, `low` and `high` are (horizon,). A measure that the history cannot scale is
NaN.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SEASONALITY_QUANTILE: Final = 1.645
"""The normal quantile of the competition's 90 % test for a season."""

OUTSIDE: Final = 0.05
"""The share of actuals that a 95 % interval leaves outside."""


def smape(actual: Array, forecast: Array) -> float:
    """Return the symmetric mean absolute percentage error, 0 to 200; 0/0 is 0."""
    size = np.abs(actual) + np.abs(forecast)
    return float(np.mean(200.0 * np.abs(actual - forecast) / np.where(size > 0.0, size, 1.0)))


def step_size(history: Array, season: int) -> float:
    """Return the mean absolute seasonal step, by which errors are scaled; NaN where it is none or zero."""
    steps = np.abs(history[season:] - history[:-season])
    size = float(steps.mean()) if len(steps) else np.nan
    return size if size > 0.0 else np.nan


def mase(actual: Array, forecast: Array, history: Array, season: int) -> float:
    """Return the mean absolute scaled error."""
    return float(np.mean(np.abs(actual - forecast))) / step_size(history, season)


def msis(actual: Array, low: Array, high: Array, history: Array, season: int) -> float:
    """Return the mean scaled interval score of a 95 % interval."""
    below, above = np.maximum(low - actual, 0.0), np.maximum(actual - high, 0.0)
    return float(np.mean(high - low + 2.0 / OUTSIDE * (below + above))) / step_size(history, season)


def coverage(actual: Array, low: Array, high: Array) -> float:
    """Return the share of actuals within their intervals."""
    return float(np.mean((low <= actual) & (actual <= high)))


def owa(smapes: Array, mases: Array, naive_smapes: Array, naive_mases: Array) -> float:
    """Return the overall weighted average of a set: the mean of both measures over Naive2's; (series,) each."""
    return float((smapes.mean() / naive_smapes.mean() + mases.mean() / naive_mases.mean()) / 2.0)


def is_seasonal(history: Array, season: int) -> bool:
    """Say whether the autocorrelation at the season's lag passes Bartlett's 90 % limit; never below three seasons."""
    if season < 2 or len(history) < 3 * season:
        return False
    centred = history - history.mean()
    variance = float(centred @ centred)
    if variance == 0.0:
        return False
    correlations = np.array([float(centred[lag:] @ centred[:-lag]) for lag in range(1, season + 1)]) / variance
    limit = SEASONALITY_QUANTILE * np.sqrt((1.0 + 2.0 * float(correlations[:-1] @ correlations[:-1])) / len(history))
    return bool(abs(correlations[-1]) > limit)


def seasonal_indices(history: Array, season: int) -> Array:
    """Return the classical multiplicative indices, (season,) from the first value's on; their mean is 1.

    The trend is the moving average over a season, centred; an index is the mean of the values over their trend.
    """
    half = season // 2
    weights = np.full(season + 1 - season % 2, 1.0 / season)
    if season % 2 == 0:
        weights[[0, -1]] /= 2.0
    ratios = np.full(len(history), np.nan)
    ratios[half : len(history) - half] = history[half : len(history) - half] / np.convolve(history, weights, "valid")
    indices = np.array([np.nanmean(ratios[first::season]) for first in range(season)])
    return np.asarray(indices / indices.mean())


def naive2(history: Array, season: int, horizon: int) -> Array:
    """Return the last value, seasonally adjusted where the test finds a season; (horizon,)."""
    if not is_seasonal(history, season):
        return np.full(horizon, history[-1])
    indices = seasonal_indices(history, season)
    last = len(history) - 1
    return np.asarray(history[-1] / indices[last % season] * indices[(last + 1 + np.arange(horizon)) % season])
