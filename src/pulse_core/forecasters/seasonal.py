"""Forecasters with a season of m steps: the value a season ago, and Holt-Winters with an additive season."""

from __future__ import annotations

from itertools import product
from typing import Final

import attrs
import numpy as np

from pulse_core.forecasters.averages import steps_ahead
from pulse_core.forecasters.base import Histories, Positions, Values

ALPHAS: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
BETAS: Final = (0.05, 0.15, 0.3)
GAMMAS: Final = (0.05, 0.15, 0.3, 0.5, 0.8)

LARGEST_PASS: Final = 1 << 22
"""Values of one array over all of time that a pass keeps: 32 MiB."""


@attrs.frozen
class SeasonalNaive:
    """The value of the same season: y_{n + h - m ceil(h/m)}. Nothing from fewer than m values.

    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 5.2.
    """

    season: int
    version: str = "1"

    @property
    def name(self) -> str:
        """The name in results."""
        return f"seasonal-naive({self.season})"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        # (origin, horizon)
        ahead = np.arange(1, horizon + 1)
        place = histories.origin_length[:, None] - 1 + ahead - self.season * -(-ahead // self.season)
        able = histories.origin_length[:, None] >= self.season
        values = histories.values[np.where(able, place, 0), histories.origin_path[:, None]]
        return np.where(able, values, np.nan)


@attrs.frozen
class HoltWinters:
    """Level, additive trend and additive season; (alpha, beta, gamma) from a 5 x 3 x 5 grid, anew at every origin.

    Started on the first m values: level their mean, trend 0, seasons what is left. Then e = y - l - b - s;
    l' = l + b + alpha e; b' = b + alpha beta e; s' = s + gamma (1 - alpha) e. Nothing from fewer than m + 1 values.
    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 8.3.
    """

    season: int
    version: str = "1"

    @property
    def name(self) -> str:
        """The name in results."""
        return f"holt-winters({self.season})"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        forecasts = np.full((len(histories.origin_length), horizon), np.nan)
        grid = np.array(list(product(ALPHAS, BETAS, GAMMAS)))
        block = max(1, LARGEST_PASS // (len(grid) * len(histories.values)))
        for first in range(0, histories.values.shape[1], block):
            path = histories.origin_path
            mine = np.flatnonzero((path >= first) & (path < first + block) & (histories.origin_length > self.season))
            if len(mine):
                newest = histories.origin_length[mine] - 1
                values = histories.values[: int(newest.max()) + 1, first : first + block]
                forecasts[mine] = self._pass(values, grid, newest, path[mine] - first, horizon)
        return forecasts

    def _pass(self, values: Values, grid: Values, newest: Positions, path: Positions, horizon: int) -> Values:
        # (time, grid, path)
        level, trend, season, squares = self._filter(values, grid)
        best = np.argmin(squares[newest, :, path], axis=1)
        ahead = np.arange(1, horizon + 1)
        same = newest[:, None] + ahead - self.season * -(-ahead // self.season)
        base = level[newest, best, path][:, None] + trend[newest, best, path][:, None] * steps_ahead(horizon)
        return np.asarray(base + season[same, best[:, None], path[:, None]])

    def _filter(self, values: Values, grid: Values) -> tuple[Values, Values, Values, Values]:
        times, paths = values.shape
        alpha, beta, gamma = (np.repeat(column[:, None], paths, axis=1) for column in grid.T)
        trend_gain, season_gain = alpha * beta, gamma * (1.0 - alpha)
        level, trend, season, squares = np.zeros((4, times, len(grid), paths))
        # cumsum adds in order whatever the layout
        level[self.season - 1] = np.cumsum(values[: self.season], axis=0)[-1] / self.season
        season[: self.season] = values[: self.season, None] - level[self.season - 1]
        for time in range(self.season, times):
            ahead = level[time - 1] + trend[time - 1]
            error = values[time] - ahead - season[time - self.season]
            level[time] = ahead + alpha * error
            trend[time] = trend[time - 1] + trend_gain * error
            season[time] = season[time - self.season] + season_gain * error
            squares[time] = squares[time - 1] + error * error
        return level, trend, season, squares
