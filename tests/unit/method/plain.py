"""The forecasters of METHOD.md once more, fitted from scratch to one history; nothing is shared with the core.

Each returns its forecasts (NaN where there is none), and whether its choice from a grid is clear of rounding.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

Forecast = tuple[list[float], bool]
Plain = Callable[[Sequence[float], int], Forecast]

NEAR = 1e-9
NOTHING = math.nan
HOLT_BETAS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)
"""With a trend that starts at 0: docs/decisions/0002, in place of METHOD.md's."""


def naive(history: Sequence[float], horizon: int) -> Forecast:
    return [history[-1]] * horizon, True


def drift(history: Sequence[float], horizon: int) -> Forecast:
    if len(history) < 2:
        return [NOTHING] * horizon, True
    slope = (history[-1] - history[0]) / (len(history) - 1)
    return [history[-1] + ahead * slope for ahead in range(1, horizon + 1)], True


def mean(history: Sequence[float], horizon: int) -> Forecast:
    return [math.fsum(history) / len(history)] * horizon, True


def window_mean(history: Sequence[float], horizon: int) -> Forecast:
    return mean(history[-250:], horizon)


def ses(history: Sequence[float], horizon: int) -> Forecast:
    level, _, sure = _smoothed(history)
    return [level] * horizon, sure


def theta(history: Sequence[float], horizon: int) -> Forecast:
    count = len(history)
    if count < 2:
        return [NOTHING] * horizon, True
    level, alpha, sure = _smoothed(history)
    middle, average = (count + 1) / 2, math.fsum(history) / count
    products = [(time - middle) * (value - average) for time, value in enumerate(history, 1)]
    half = math.fsum(products) / math.fsum((time - middle) ** 2 for time in range(1, count + 1)) / 2
    memory = (1 - (1 - alpha) ** count) / alpha
    return [level + half * (ahead - 1 + memory) for ahead in range(1, horizon + 1)], sure


def holt(history: Sequence[float], horizon: int) -> Forecast:
    return _trend(history, horizon, (1.0,))


def damped_holt(history: Sequence[float], horizon: int) -> Forecast:
    return _trend(history, horizon, (0.8, 0.9, 0.95, 0.98))


def ar(history: Sequence[float], horizon: int) -> Forecast:
    values = np.array(history) - history[0]
    rows = len(values) - 5
    target, fits, criteria, conditions = values[5:], [], [], []
    for order in range(6):
        k = order + 2
        if rows <= k + 1:
            break
        design = np.column_stack([np.ones(rows), *(values[5 - lag : len(values) - lag] for lag in range(1, order + 1))])
        fits.append(np.linalg.lstsq(design, target, rcond=None)[0])
        squares = math.fsum((target - design @ fits[-1]) ** 2)
        criteria.append(rows * math.log(squares / rows) + _penalty(rows, k) if squares > 0 else -math.inf)
        conditions.append(float(np.linalg.cond(design / np.maximum(np.abs(design).max(axis=0), 1e-300))))
    if not fits:
        return [NOTHING] * horizon, True
    best = criteria.index(min(criteria))
    second = min((one for place, one in enumerate(criteria) if place != best), default=math.inf)
    sure = second - criteria[best] > 1e-7 and max(conditions) < 1e5 and math.isfinite(criteria[best])
    path = values.tolist()
    for _ in range(horizon):
        lags = [path[-lag] for lag in range(1, best + 1)]
        path.append(float(fits[best][0] + fits[best][1:] @ lags))
    return [history[0] + value for value in path[-horizon:]], sure


def _penalty(rows: int, k: int) -> float:
    return 2 * k + 2 * k * (k + 1) / (rows - k - 1)


def ari(history: Sequence[float], horizon: int) -> Forecast:
    if len(history) < 2:
        return [NOTHING] * horizon, True
    steps, sure = ar(np.diff(history).tolist(), horizon)
    return [history[-1] + math.fsum(steps[:ahead]) for ahead in range(1, horizon + 1)], sure


def seasonal_naive(season: int) -> Plain:
    def forecast(history: Sequence[float], horizon: int) -> Forecast:
        if len(history) < season:
            return [NOTHING] * horizon, True
        return [history[-season:][(ahead - 1) % season] for ahead in range(1, horizon + 1)], True

    return forecast


def holt_winters(season: int) -> Plain:
    def forecast(history: Sequence[float], horizon: int) -> Forecast:
        if len(history) <= season:
            return [NOTHING] * horizon, True
        grid = itertools.product((0.1, 0.3, 0.5, 0.7, 0.9), (0.05, 0.15, 0.3), (0.05, 0.15, 0.3, 0.5, 0.8))
        alpha, beta, gamma = np.array(list(grid)).T
        level = np.full(75, math.fsum(history[:season]) / season)
        slope = np.zeros(75)
        seasons = [value - level for value in history[:season]]
        squares = np.zeros(75)
        for value in history[season:]:
            error = value - level - slope - seasons[-season]
            seasons.append(seasons[-season] + gamma * (1 - alpha) * error)
            level, slope = level + slope + alpha * error, slope + alpha * beta * error
            squares += error * error
        latest = seasons[-season:]
        best, sure = _least(squares)
        ahead = range(1, horizon + 1)
        return [float(level[best] + h * slope[best] + latest[(h - 1) % season][best]) for h in ahead], sure

    return forecast


def damped_holt_winters(season: int) -> Plain:
    trends = ((0, 0), (0, 0.9), (0.1, 0.9), (0, 0.98), (0.1, 0.98))
    grid = list(itertools.product((0.05, 0.15, 0.3, 0.5, 0.8), trends, (0.01, 0.05, 0.15, 0.4)))

    def forecast(history: Sequence[float], horizon: int) -> Forecast:
        if len(history) < 2 * season:
            return [NOTHING] * horizon, True
        means = [math.fsum(history[begin : begin + season]) / season for begin in (0, season)]
        slope = (means[1] - means[0]) / season
        line = [means[0] + (t - (season - 1) / 2) * slope for t in range(-1, 2 * season)]
        distance = [history[t] - line[t + 1] for t in range(2 * season)]
        start = [(distance[t] + distance[t + season]) / 2 for t in range(season)]
        fits = []
        for alpha, (beta, phi), gamma in grid:
            level, trend, seasons, errors = line[0], slope, list(start), []
            for value in history:
                error = value - (level + phi * trend + seasons[-season])
                errors.append(error)
                seasons.append(seasons[-season] + gamma * (1 - alpha) * error)
                level, trend = level + phi * trend + alpha * error, phi * trend + beta * alpha * error
            fits.append((math.fsum(error**2 for error in errors[season:]), level, trend, phi, seasons[-season:]))
        best, sure = _least(np.array([fit[0] for fit in fits]))
        _, level, trend, phi, latest = fits[best]
        reach = [math.fsum(phi**power for power in range(1, ahead + 1)) for ahead in range(1, horizon + 1)]
        return [level + far * trend + latest[ahead % season] for ahead, far in enumerate(reach)], sure

    return forecast


def double_seasonal(season: int, longer: int) -> Plain:
    grid = list(itertools.product((0.05, 0.15, 0.4), (0, 0.1, 0.3), (0.2, 0.5), (0, 0.6, 0.8, 0.9)))

    def forecast(history: Sequence[float], horizon: int) -> Forecast:
        if len(history) < 2 * longer:
            return [NOTHING] * horizon, True
        start = math.fsum(history[: 2 * longer]) / (2 * longer)
        rest = [value - start for value in history[: 2 * longer]]
        steps = [rest[step::season] for step in range(season)]
        shorter = [math.fsum(step) / len(step) for step in steps]
        rest = [value - shorter[t % season] for t, value in enumerate(rest)]
        week = [(rest[step] + rest[step + longer]) / 2 for step in range(longer)]
        fits = []
        for alpha, delta, omega, phi in grid:
            level, near, far, residual, errors = start, list(shorter), list(week), 0.0, []
            for value in history:
                left = value - (level + near[-season] + far[-longer])
                errors.append(left - phi * residual)
                residual, level = left, level + alpha * errors[-1]
                near.append(near[-season] + delta * errors[-1])
                far.append(far[-longer] + omega * errors[-1])
            loss = math.fsum(error**2 for error in errors[2 * longer :])
            fits.append((loss, level, near[-season:], far[-longer:], residual, phi))
        best, sure = _least(np.array([fit[0] for fit in fits]))
        _, level, near, far, residual, phi = fits[best]
        ahead = range(1, horizon + 1)
        return [level + near[(h - 1) % season] + far[(h - 1) % longer] + phi**h * residual for h in ahead], sure

    return forecast


def dynamic_theta(history: Sequence[float], horizon: int) -> Forecast:
    count, fits = len(history), []
    slopes = [0.0, *(slope_of(history[:known]) for known in range(2, count + 1))]
    for weight, alpha in itertools.product((0, 0.25, 0.5, 0.75, 1), np.arange(1, 21) / 20):
        level, errors = history[0], []
        for known in range(1, count):
            ahead = level + weight * slopes[known - 1] * (1 - (1 - alpha) ** known) / alpha
            errors.append(history[known] - ahead)
            level += alpha * (history[known] - level)
        memory = (1 - (1 - alpha) ** count) / alpha
        forecasts = [level + weight * slopes[-1] * (ahead + memory) for ahead in range(horizon)]
        fits.append((math.fsum(error**2 for error in errors), forecasts))
    best, sure = _least(np.array([fit[0] for fit in fits]))
    return fits[best][1], sure


def slope_of(history: Sequence[float]) -> float:
    """That of the least-squares line on time."""
    count = len(history)
    middle, average = (count + 1) / 2, math.fsum(history) / count
    products = [(time - middle) * (value - average) for time, value in enumerate(history, 1)]
    return math.fsum(products) / math.fsum((time - middle) ** 2 for time in range(1, count + 1))


def seasonal_theta(season: int, additive: bool = False) -> Plain:
    def forecast(history: Sequence[float], horizon: int) -> Forecast:
        count, ratios = len(history), not additive and min(history) > 0
        if count < 2 * season:
            return dynamic_theta(history, horizon)
        known = {number: season_of(history[:number], season, ratios) for number in range(2 * season, count + 1)}
        known |= dict.fromkeys(range(2 * season), known[2 * season])
        factors = [known[number][(number - 1) % season] for number in range(1, count + 1)]
        # what is left where the noise explains the season and where it does not is near nothing: rounding decides
        sure = all(math.isfinite(factor) for factor in factors) and _spread(history) > 1e-6
        pairs = zip(history, factors, strict=True)
        adjusted = [value / factor if ratios else value - factor for value, factor in pairs]
        made, clear = dynamic_theta(adjusted, horizon)
        ahead = [known[count][(count + step) % season] for step in range(horizon)]
        together = zip(made, ahead, strict=True)
        return [value * factor if ratios else value + factor for value, factor in together], sure and clear

    return forecast


def season_of(history: Sequence[float], season: int, ratios: bool) -> list[float]:
    """Classical decomposition, its means shrunk by James and Stein."""
    half = season // 2
    distances: dict[int, list[float]] = {step: [] for step in range(season)}
    for centre in range(half, len(history) - half):
        around = list(history[centre - half : centre + half + 1])
        if season % 2 == 0:
            around[0], around[-1] = around[0] / 2, around[-1] / 2
        mean = math.fsum(around) / season
        distances[centre % season].append(history[centre] / mean if ratios else history[centre] - mean)
    count = sum(len(rows) for rows in distances.values())
    means = [math.fsum(rows) / len(rows) for rows in distances.values()]
    average = math.fsum(means) / season
    spread = math.fsum((mean - average) ** 2 for mean in means)
    kept = 0.5
    if count > season:
        noise = math.fsum((row - means[step]) ** 2 for step, rows in distances.items() for row in rows)
        variance = noise / (count - season) * math.fsum(1 / len(rows) for rows in distances.values()) / season
        kept = max(0.0, 1 - max(season - 3, 0) * variance / spread) if spread > 0 else 0.0
    if ratios:
        return [1 + kept * (mean / average - 1) for mean in means]
    return [kept * (mean - average) for mean in means]


def _spread(history: Sequence[float]) -> float:
    return (max(history) - min(history)) / max(abs(value) for value in history) if any(history) else 0.0


def on_logarithms(of: Plain) -> Plain:
    def forecast(history: Sequence[float], horizon: int) -> Forecast:
        if min(history) <= 0:
            return [NOTHING] * horizon, True
        # a choice between logarithms that hardly differ is one of rounding
        logarithms = [math.log(value / history[0]) for value in history]
        made, sure = of(logarithms, horizon)
        forecasts = [math.inf if value > 700 else history[0] * math.exp(value) for value in made]
        return forecasts, sure and len(set(logarithms)) > 1

    return forecast


def mean_of_all(forecasts: Sequence[float]) -> float:
    there = [one for one in forecasts if math.isfinite(one)]
    return math.fsum(there) / len(there) if there else NOTHING


def median_of_all(forecasts: Sequence[float]) -> float:
    there = sorted(one for one in forecasts if math.isfinite(one))
    if not there:
        return NOTHING
    middle = len(there) // 2
    return there[middle] if len(there) % 2 else (there[middle - 1] + there[middle]) / 2


def _smoothed(history: Sequence[float]) -> tuple[float, float, bool]:
    alpha = np.arange(1, 21) / 20
    level, squares = np.full(20, history[0]), np.zeros(20)
    for value in history[1:]:
        error = value - level
        level, squares = level + alpha * error, squares + error * error
    best, sure = _least(squares)
    return float(level[best]), float(alpha[best]), sure


def _trend(history: Sequence[float], horizon: int, phis: tuple[float, ...]) -> Forecast:
    alpha, beta, phi = np.array(list(itertools.product(np.arange(1, 11) / 10, HOLT_BETAS, phis))).T
    level, slope, squares = np.full(len(alpha), history[0]), np.zeros(len(alpha)), np.zeros(len(alpha))
    for value in history[1:]:
        ahead = level + phi * slope
        new = alpha * value + (1 - alpha) * ahead
        squares = squares + (value - ahead) ** 2
        level, slope = new, beta * (new - level) + (1 - beta) * phi * slope
    best, sure = _least(squares)
    reach = [math.fsum(phi[best] ** power for power in range(1, h + 1)) for h in range(1, horizon + 1)]
    return [float(level[best] + far * slope[best]) for far in reach], sure


def _least(squares: np.ndarray) -> tuple[int, bool]:
    """The first least, and whether no other grid point comes near it."""
    best = int(np.argmin(squares))
    return best, bool((np.delete(squares, best) > squares[best] * (1 + NEAR)).all())


FORECASTS: dict[str, Plain] = {
    "naive": naive,
    "drift": drift,
    "mean": mean,
    "window-mean": window_mean,
    "ses": ses,
    "holt": holt,
    "damped-holt": damped_holt,
    "theta": theta,
    "ar": ar,
    "ari": ari,
    "seasonal-naive(4)": seasonal_naive(4),
    "holt-winters(4)": holt_winters(4),
    "damped-holt-winters(4)": damped_holt_winters(4),
    "log-damped-holt-winters(4)": on_logarithms(damped_holt_winters(4)),
    "double-seasonal-naive": seasonal_naive(6),
    "double-seasonal": double_seasonal(4, 6),
    "log-double-seasonal": on_logarithms(double_seasonal(4, 6)),
    "dynamic-theta": dynamic_theta,
    "log-dynamic-theta": on_logarithms(dynamic_theta),
    "seasonal-theta(4)": seasonal_theta(4),
    "log-seasonal-theta(4)": on_logarithms(seasonal_theta(4, additive=True)),
}
