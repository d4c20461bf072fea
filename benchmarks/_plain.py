"""METHOD's formulas, written as they are read and refitted from scratch: what the one-pass code must equal.

Each takes one history y_1..y_n and returns the next `horizon` values.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LAGS: Final = 5
BETAS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)


def ses_level(history: Array, alpha: float) -> float:
    """Return the level after the last value, started at the first."""
    level = float(history[0])
    for value in history[1:].tolist():
        level = alpha * value + (1.0 - alpha) * level
    return level


def theta(history: Array, horizon: int, alpha: float) -> Array:
    """Return SES + (b/2)(h - 1 + (1 - (1-alpha)^n)/alpha), b from numpy's least squares."""
    count = len(history)
    slope = np.polynomial.polynomial.polyfit(np.arange(count) - (count - 1) / 2, history, 1)[1]
    ahead = np.arange(1, horizon + 1)
    return np.asarray(ses_level(history, alpha) + slope / 2.0 * (ahead - 1 + (1.0 - (1.0 - alpha) ** count) / alpha))


def holt(history: Array, horizon: int, phis: tuple[float, ...] = (1.0,)) -> Array:
    """Return the forecast of the grid point with the least sum of squared one-step errors, each run on its own."""
    runs = [_holt_run(history, *point) for point in product((step / 10 for step in range(1, 11)), BETAS, phis)]
    _, level, trend, phi = min(runs, key=lambda run: run[0])
    reach = np.cumsum([phi**step for step in range(1, horizon + 1)])
    return np.asarray(level + reach * trend)


def _holt_run(history: Array, alpha: float, beta: float, phi: float) -> tuple[float, float, float, float]:
    """Return the sum of squares, level, trend and phi after one pass."""
    values = history.tolist()
    level, trend, squares = values[0], 0.0, 0.0
    for value in values[1:]:
        error = value - (level + phi * trend)
        level, trend = level + phi * trend + alpha * error, phi * trend + alpha * beta * error
        squares += error * error
    return squares, level, trend, phi


def autoregression(history: Array, horizon: int) -> Array:
    """Return the iterated forecast of the order with the least AICc, each order fitted by numpy.linalg.lstsq."""
    values = history - history[0]
    target = values[LAGS:]
    fits = []
    for order in range(LAGS + 1):
        lags = [values[LAGS - lag : -lag] for lag in range(1, order + 1)]
        design = np.column_stack([np.ones(len(target)), *lags])
        coefficients = np.linalg.lstsq(design, target)[0]
        fits.append((_aicc(target - design @ coefficients, order), coefficients))
    best = min(fits, key=lambda fit: fit[0])[1]
    return np.asarray(history[0] + _iterate(values, best, horizon))


def _aicc(residuals: Array, order: int) -> float:
    count, parameters = len(residuals), order + 2
    correction = 2 * parameters * (parameters + 1) / (count - parameters - 1)
    return count * math.log(float(residuals @ residuals) / count) + 2 * parameters + correction


def _iterate(values: Array, coefficients: Array, horizon: int) -> Array:
    known = values.tolist()
    for _ in range(horizon):
        lags = known[-1 : -len(coefficients) : -1]
        known.append(coefficients[0] + sum(c * lag for c, lag in zip(coefficients[1:], lags, strict=True)))
    return np.array(known[len(values) :])
