"""The forecasters of the kernel once more in scalar numpy, in the kernel's order of operations: equal to the last bit.

Each returns the forecasts from a history. Nothing is shared with the core but the literature's formulas, and the
kernel's exponential and logarithm, which are held to mpmath elsewhere.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel import hindcasts, special

History = Sequence[float] | NDArray[np.float64]
Stepwise = Callable[[History, int], list[float]]
ALPHAS = tuple(step / 20 for step in range(1, 21))
HOLT_BETAS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)


def naive(history: History, horizon: int) -> list[float]:
    return [float(history[-1])] * horizon


def drift(history: History, horizon: int) -> list[float]:
    newest, steps = np.float64(history[-1]), len(history) - 1.0
    slope = (newest - history[0]) / steps if steps else np.nan
    return [float(newest + step * slope) for step in range(1, horizon + 1)]


def seasonal_naive(history: History, horizon: int, season: int = 4) -> list[float]:
    if len(history) < season:
        return [np.nan] * horizon
    return [float(history[-season:][step % season]) for step in range(horizon)]


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


def ses(history: History, horizon: int, alphas: Sequence[float] = ALPHAS) -> list[float]:
    level, _ = _smoothed(history, alphas)
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
    grid = itertools.product((0.1, 0.3, 0.5, 0.7, 0.9), ((0.05, 1.0), (0.15, 1.0), (0.3, 1.0)), GAMMAS)
    level = np.cumsum(history[:season])[-1] / season
    seasons = [np.float64(value) - level for value in history[:season]]
    return _seasonal(history[season:], horizon, (level, np.float64(0.0), seasons), list(grid), 0)


GAMMAS = (0.05, 0.15, 0.3, 0.5, 0.8)
DAMPED_TRENDS = ((0.0, 0.0), (0.0, 0.9), (0.1, 0.9), (0.0, 0.98), (0.1, 0.98))


def damped_holt_winters(history: History, horizon: int, season: int = 4) -> list[float]:
    """Started on a line through the means of two seasons; errors count from the second season on."""
    if len(history) < 2 * season:
        return [np.nan] * horizon
    first, second = (np.cumsum(history[begin : begin + season])[-1] / season for begin in (0, season))
    slope, middle = (second - first) / season, (season - 1.0) / 2.0
    distances = []
    for t in range(season):
        line = (t - middle) * slope
        both = (history[t] - (first + line)) + (np.float64(history[t + season]) - (second + line))
        distances.append(both / 2.0)
    start = first - (middle + 1.0) * slope, slope, distances
    grid = itertools.product((0.05, 0.15, 0.3, 0.5, 0.8), DAMPED_TRENDS, (0.01, 0.05, 0.15, 0.4))
    return _seasonal(history, horizon, start, list(grid), season)


def _seasonal(
    values: History, horizon: int, start: tuple[Any, Any, list[Any]], grid: list[Any], unscored: int
) -> list[float]:
    """Exponential smoothing from a start (level, trend, seasons), by the grid point of least squared error."""
    alpha, trends, gamma = (np.array(column) for column in zip(*grid, strict=True))
    beta, phi = trends.T
    level, trend = (np.full(len(alpha), number) for number in start[:2])
    seasons, squares = [np.full(len(alpha), number) for number in start[2]], np.zeros(len(alpha))
    season = len(seasons)
    for t, value in enumerate(values):
        slope = phi * trend
        ahead = level + slope
        error = value - ahead - seasons[-season]
        seasons.append(seasons[-season] + gamma * (1.0 - alpha) * error)
        level, trend = ahead + alpha * error, slope + alpha * beta * error
        squares = squares + error * error if t >= unscored else squares
    best = int(np.argmin(squares))
    reach = np.cumsum(np.cumprod(np.full(horizon, phi[best])))
    latest = seasons[-season:]
    return [float(level[best] + far * trend[best] + latest[h % season][best]) for h, far in enumerate(reach)]


def dynamic_theta(history: History, horizon: int) -> list[float]:
    alpha, weights = np.array(ALPHAS), (0.0, 0.25, 0.5, 0.75, 1.0)
    level, share, squares = np.full(20, np.float64(history[0])), 1.0 - alpha, np.zeros((5, 20))
    total = weighted = slope = np.float64(0.0)
    for count, value in enumerate(np.array(history[1:]), 2):
        rise = slope * ((1.0 - share) / alpha)
        errors = np.array([(value - level) - weight * rise for weight in weights])
        squares = squares + errors * errors
        level = value - (1.0 - alpha) * (value - level)
        share = share * (1.0 - alpha)
        share = np.where(share < 2.0**-200, 0.0, share)
        total, weighted = total + (value - history[0]), weighted + count * (value - history[0])
        slope = (weighted - (count + 1.0) / 2.0 * total) / (count * (float(count) * count - 1.0) / 12.0)
    weight, point = np.unravel_index(int(np.argmin(squares)), squares.shape)
    taken, memory = weights[weight] * slope, (1.0 - share[point]) / alpha[point]
    return [float(level[point] + taken * (step + memory)) for step in range(horizon)]


def seasonal_theta(history: History, horizon: int, season: int = 4) -> list[float]:
    return _seasonal_theta(np.array(history), horizon, season, ratios=min(history) > 0)


def additive_seasonal_theta(history: History, horizon: int, season: int = 4) -> list[float]:
    return _seasonal_theta(np.array(history), horizon, season, ratios=False)


def _seasonal_theta(values: NDArray[np.float64], horizon: int, season: int, *, ratios: bool) -> list[float]:
    if len(values) < 2 * season:
        return dynamic_theta(values, horizon)
    adjusted: list[Any] = []
    for count, factors in enumerate(_seasons(values, season, ratios=ratios), 1):
        if count < 2 * season:
            continue
        for step in range(len(adjusted), count):
            factor = factors[step % season]
            adjusted.append(values[step] / factor if ratios else values[step] - factor)
    ahead = [factors[(len(values) + step) % season] for step in range(horizon)]
    forecasts = np.array(dynamic_theta(adjusted, horizon))
    return [float(number) for number in (forecasts * ahead if ratios else forecasts + ahead)]


def _seasons(values: NDArray[np.float64], season: int, *, ratios: bool) -> Iterator[list[Any]]:
    """The season known with each of some values; nothing before two seasons are known."""
    half, distances, noise, count = season // 2, np.zeros(season), np.float64(0.0), 0
    for newest in range(len(values)):
        centre = newest - half
        if centre >= half:
            around = values[centre - half : centre - half + season + (season % 2 == 0)]
            if season % 2:
                mean = _total(around) / season
            else:
                mean = (_total(around[1:-1]) + 0.5 * (around[0] + around[-1])) / season
            new = values[centre] / mean - 1.0 if ratios else values[centre] - mean
            before, step = count // season, centre % season
            error = new - distances[step]
            if before:
                distances[step] = distances[step] + error / (before + 1.0)
                noise = noise + error * (new - distances[step])
            else:
                distances[step] = new
            count += 1
        yield _factors(distances, noise, count, ratios=ratios) if newest + 1 >= 2 * season else []


def _factors(distances: NDArray[np.float64], noise: Any, count: int, *, ratios: bool) -> list[Any]:
    """The season of mean distances, drawn in by what `count` distances say of noise."""
    season = len(distances)
    mean = _total(distances) / season
    spread = _total((distances - mean) * (distances - mean))
    kept = np.float64(0.5)
    if count > season:
        each, more = count // season, count % season
        variance = noise / (count - season) * ((season - more) / each + more / (each + 1.0)) / season
        kept = np.float64(1.0) - max(season - 3.0, 0.0) * variance / spread
        kept = kept if kept > 0.0 else np.float64(0.0)
    slope = kept / (1.0 + mean) if ratios else kept
    level = 1.0 - slope * mean if ratios else -slope * mean
    return [level + slope * distance for distance in distances]


def _total(numbers: NDArray[np.float64]) -> Any:
    """Four sums side by side, these, then the rest."""
    whole = len(numbers) // 4 * 4
    lanes = [np.float64(0.0)] * 4
    for index in range(whole):
        lanes[index % 4] = lanes[index % 4] + numbers[index]
    total = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
    for number in numbers[whole:]:
        total = total + number
    return total


def double_seasonal(history: History, horizon: int, seasons: tuple[int, int] = (3, 5)) -> list[float]:
    season, longer = seasons
    count = 2 * longer
    if len(history) < count:
        return [np.nan] * horizon
    values = np.array(history)
    grid = itertools.product((0.05, 0.15, 0.4), (0.0, 0.1, 0.3), (0.2, 0.5), (0.0, 0.6, 0.8, 0.9))
    alpha, delta, omega, phi = np.array(list(grid)).T
    start = (0.0 + np.cumsum(values[:count])[-1]) / count
    steps = [values[t:count:season] for t in range(season)]
    means = [(0.0 + np.cumsum(step)[-1]) / len(step) - start for step in steps]
    near = [np.full(72, mean) for mean in means]
    far = []
    for t in range(longer):
        both = (values[t] - start - means[t % season]) + (values[t + longer] - start - means[(t + longer) % season])
        far.append(np.full(72, both / 2.0))
    level, residual, squares = np.full(72, start), np.zeros(72), np.zeros(72)
    for t, value in enumerate(values):
        left = value - level - near[-season] - far[-longer]
        error = left - phi * residual
        residual, level = left, level + alpha * error
        near.append(near[-season] + delta * error)
        far.append(far[-longer] + omega * error)
        squares = squares + error * error if t >= count else squares
    best = int(np.argmin(squares))
    coming = residual[best] * np.cumprod(np.full(1, phi[best]))
    for _ in range(1, horizon):
        coming = np.append(coming, coming[-1] * phi[best])
    return [
        float(level[best] + near[-season:][h % season][best] + far[-longer:][h % longer][best] + coming[h])
        for h in range(horizon)
    ]


def double_seasonal_naive(history: History, horizon: int) -> list[float]:
    return seasonal_naive(history, horizon, 5)


def on_logarithms(of: Stepwise) -> Stepwise:
    def forecast(history: History, horizon: int) -> list[float]:
        values = np.array(history)
        ratios = values / values[0]
        logarithms = np.where((values > 0) & (ratios > 0) & np.isfinite(ratios), special.log(ratios), np.nan)
        forecasts = np.array([of(logarithms, horizon)])
        hindcasts.exponentials(forecasts)
        with np.errstate(over="ignore"):
            return [float(value) for value in forecasts[0] * values[0]]

    return forecast


def ar(history: History, horizon: int) -> list[float]:
    """Moments by running sums, their L D L^T with the change as its last row, the order of least AICc."""
    if len(history) <= 8:
        return [np.nan] * horizon
    values = np.array(history) - np.sort(history[:6])[3]
    change = np.append(0.0, np.diff(values))
    rows = len(values) - 5
    columns = [values[4:-1], *(change[5 - lag : -lag] for lag in range(1, 5)), change[5:]]
    sums = [np.cumsum(column)[-1] for column in columns]
    moments = {
        (i, j): np.cumsum(columns[i] * columns[j])[-1] - sums[i] * sums[j] / rows
        for i in range(6)
        for j in range(i + 1)
    }
    squares = [moments[i, i] for i in range(6)]
    lower = _factorised(moments, squares)
    residuals, mean = _residuals(columns, squares[5], [lower[5, j] * moments[5, j] for j in range(5)])
    criteria = [residual * _penalty(rows, k) for k, residual in enumerate(residuals, start=2) if rows > k + 1]
    order = int(np.argmin(criteria))
    slopes = [lower[5, j] if j < order else np.float64(0.0) for j in range(5)]
    for j in range(4, -1, -1):
        for i in range(j + 1, 5):
            slopes[j] = slopes[j] - lower[i, j] * slopes[i]
    intercept = sums[5] / rows
    for slope, total in zip(slopes, sums[:5], strict=True):
        intercept = intercept - slope * (total / rows)
    forecasts, value, recent = [], columns[0][-1] + change[-1], list(change[:-5:-1])
    for _ in range(horizon):
        ahead = intercept + slopes[0] * value
        for slope, moved in zip(slopes[1:], recent, strict=True):
            ahead = ahead + slope * moved
        value, recent = value + ahead, [ahead, *recent[:-1]]
        forecasts.append(float(np.sort(history[:6])[3] + (value if order else mean)))
    return forecasts


def ari(history: History, horizon: int) -> list[float]:
    steps = ar(np.diff(history), horizon)
    return [float(forecast) for forecast in history[-1] + np.cumsum(steps)]


def _factorised(moments: dict[tuple[int, int], Any], squares: list[Any]) -> dict[tuple[int, int], Any]:
    """Return the unit lower triangle; what explains nothing is taken out of the moments."""
    lower = {}
    for j in range(5):
        usable = moments[j, j] > 1e-10 * squares[j]
        for i in range(j + 1, 6):
            moments[i, j] = moments[i, j] if usable else np.float64(0.0)
            lower[i, j] = moments[i, j] / moments[j, j] if usable else moments[i, j]
        for i in range(j + 1, 6):
            for k in range(j + 1, i + 1):
                moments[i, k] = moments[i, k] - lower[i, j] * moments[k, j]
    return lower


def _residuals(columns: list[Any], squares: Any, explained: list[Any]) -> tuple[list[Any], Any]:
    """Return the sum of squared residuals of each order, and the mean that order 0 forecasts."""
    values = columns[0] + columns[5]
    total, spread = np.cumsum(values)[-1], np.cumsum(values * values)[-1]
    mean = total / len(values)
    left = [(spread - total * mean, spread)]
    residual = squares
    for share in explained:
        residual = residual - share
        left.append((residual, squares))
    return [residual if residual > 1e-13 * size else 0.0 for residual, size in left], mean


def _penalty(rows: int, k: int) -> float:
    return math.exp((2 * k + 2 * k * (k + 1) / (rows - k - 1)) / rows)


def _smoothed(history: History, alphas: Sequence[float] = ALPHAS) -> tuple[float, float]:
    alpha = np.array(alphas)
    level, squares = np.full(len(alpha), history[0]), np.zeros(len(alpha))
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
    "naive": naive,
    "drift": drift,
    "mean": mean,
    "window-mean": window_mean,
    "ses": ses,
    "theta": theta,
    "holt": holt,
    "damped-holt": damped_holt,
    "ar": ar,
    "ari": ari,
    "seasonal-naive(4)": seasonal_naive,
    "holt-winters(4)": holt_winters,
    "damped-holt-winters(4)": damped_holt_winters,
    "log-damped-holt-winters(4)": on_logarithms(damped_holt_winters),
    "double-seasonal": double_seasonal,
    "double-seasonal-naive": double_seasonal_naive,
    "log-double-seasonal": on_logarithms(double_seasonal),
    "dynamic-theta": dynamic_theta,
    "log-dynamic-theta": on_logarithms(dynamic_theta),
    "seasonal-theta(4)": seasonal_theta,
    "seasonal-theta(2)": partial(seasonal_theta, season=2),
    "seasonal-theta(7)": partial(seasonal_theta, season=7),
    "log-seasonal-theta(4)": on_logarithms(additive_seasonal_theta),
}
