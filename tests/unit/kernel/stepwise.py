"""The forecasters of the kernel once more in scalar numpy, in the kernel's order of operations: equal to the last bit.

Each returns the forecasts from a history. Nothing is shared with the core but the literature's formulas.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

History = Sequence[float] | NDArray[np.float64]
Stepwise = Callable[[History, int], list[float]]
HOLT_BETAS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)


def mean(history: History, horizon: int) -> list[float]:
    total = np.float64(0.0)
    for value in history:
        total += np.float64(value) - history[0]
    return [float(history[0] + total / len(history))] * horizon


def window_mean(history: History, horizon: int, window: int = 250) -> list[float]:
    """Two blocks at most: the end of one, added up from its last value back, and the beginning of the next."""
    begin = (len(history) - 1) // window * window
    sums: list[float] = []
    end = np.float64(0.0)
    for value in history[max(len(history) - window, 0) : begin][::-1]:
        end += np.float64(value) - history[0]
    for value in history[begin:]:
        sums.append((sums[-1] if sums else 0.0) + (np.float64(value) - history[0]))
    # a whole block needs nothing of the block before
    total = sums[-1] if len(history) - begin == window else end + sums[-1]
    return [float(history[0] + total / min(len(history), window))] * horizon


def ses(history: History, horizon: int) -> list[float]:
    level, _ = _smoothed(history)
    return [level] * horizon


def theta(history: History, horizon: int) -> list[float]:
    count = float(len(history))
    level, alpha = _smoothed(history)
    total, weighted, fading = np.zeros(3)
    fading = np.float64(1.0)
    for time, value in enumerate(history, start=1):
        total += np.float64(value) - history[0]
        weighted += time * (np.float64(value) - history[0])
        fading *= 1.0 - alpha
    spread = np.float64(count * (count * count - 1.0) / 12.0)
    half = (weighted - (count + 1.0) / 2.0 * total) / spread / 2.0 if spread > 0 else np.nan
    memory = (1.0 - fading) / alpha
    return [float(level + half * (step - 1.0 + memory)) for step in range(1, horizon + 1)]


def holt(history: History, horizon: int, phis: Sequence[float] = (1.0,)) -> list[float]:
    alpha, beta, phi = np.array(list(itertools.product(np.arange(1, 11) / 10, HOLT_BETAS, phis))).T
    level, trend, squares = np.full(len(alpha), history[0]), np.zeros(len(alpha)), np.zeros(len(alpha))
    for value in history[1:]:
        error = value - (level + phi * trend)
        level, trend = value - (1.0 - alpha) * error, phi * trend + alpha * beta * error
        squares = squares + error * error
    best = int(np.argmin(squares))
    reach = np.cumsum(np.cumprod(np.full(horizon, phi[best])))
    return [float(level[best] + far * trend[best]) for far in reach]


def damped_holt(history: History, horizon: int) -> list[float]:
    return holt(history, horizon, (0.8, 0.9, 0.95, 0.98))


def holt_winters(history: History, horizon: int, season: int = 4) -> list[float]:
    if len(history) <= season:
        return [np.nan] * horizon
    grid = itertools.product((0.1, 0.3, 0.5, 0.7, 0.9), (0.05, 0.15, 0.3), (0.05, 0.15, 0.3, 0.5, 0.8))
    alpha, beta, gamma = np.array(list(grid)).T
    level = np.full(75, np.cumsum(history[:season])[-1] / season)
    trend, squares = np.zeros(75), np.zeros(75)
    seasons = [value - level for value in history[:season]]
    for value in history[season:]:
        error = value - (level + trend) - seasons[-season]
        seasons.append(seasons[-season] + gamma * (1.0 - alpha) * error)
        level, trend = level + trend + alpha * error, trend + alpha * beta * error
        squares = squares + error * error
    best = int(np.argmin(squares))
    return [
        float(level[best] + trend[best] * step + seasons[-season:][(step - 1) % season][best])
        for step in range(1, horizon + 1)
    ]


def _smoothed(history: History) -> tuple[float, float]:
    alpha = np.array([step / 20 for step in range(1, 21)])
    level, squares = np.full(20, history[0]), np.zeros(20)
    for value in history[1:]:
        error = value - level
        level = value - (1.0 - alpha) * error
        squares = squares + error * error
    best = int(np.argmin(squares))
    return float(level[best]), float(alpha[best])


def mean_of_all(forecasts: Sequence[float]) -> float:
    finite = [np.float64(forecast) for forecast in forecasts if np.isfinite(forecast)]
    if not finite:
        return float("nan")
    total = np.float64(0.0)
    for forecast in finite:
        total += forecast - finite[0]
    return float(finite[0] + total / len(finite))


def median_of_all(forecasts: Sequence[float]) -> float:
    finite = sorted(np.float64(forecast) for forecast in forecasts if np.isfinite(forecast))
    return float((finite[(len(finite) - 1) // 2] + finite[len(finite) // 2]) / 2.0) if finite else float("nan")


FORECASTS: dict[str, Stepwise] = {
    "mean": mean,
    "window-mean": window_mean,
    "ses": ses,
    "theta": theta,
    "holt": holt,
    "damped-holt": damped_holt,
    "holt-winters(4)": holt_winters,
}
