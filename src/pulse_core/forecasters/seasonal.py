"""Forecasters with a season of m steps: the value a season ago, and Holt-Winters with an additive season, also damped.

m is the shortest season of the variable, or the same for all variables where it is part of the name.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import ClassVar, Final

import attrs
import numpy as np

from pulse_core.forecasters.base import Histories, InPlaceForecaster, Values
from pulse_core.kernel import hindcasts as kernel

ALPHAS: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
BETAS: Final = (0.05, 0.15, 0.3)
GAMMAS: Final = (0.05, 0.15, 0.3, 0.5, 0.8)


class Seasonal(InPlaceForecaster):
    """A forecaster with a season, named `title` or `title(m)`."""

    title: ClassVar[str]
    season: int | None

    @property
    def name(self) -> str:
        """The name in results."""
        return self.title if self.season is None else f"{self.title}({self.season})"

    @property
    def seasons_needed(self) -> int:
        """See Forecaster."""
        return 1 if self.season is None else 0

    def season_of(self, histories: Histories) -> int:
        """Return m. Raises ValueError where neither the name nor the variable has a season."""
        if self.season is not None:
            return self.season
        if not histories.seasons:
            raise ValueError(f"{self.title} needs a season, and the variable has none")
        return histories.seasons[0]


@attrs.frozen
class SeasonalNaive(Seasonal):
    """The value of the same season: y_{n + h - m ceil(h/m)}. Nothing from fewer than m values.

    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 5.2.
    """

    title: ClassVar[str] = "seasonal-naive"
    season: int | None = None
    version: str = "1"

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        season = self.season_of(histories)
        for path, origins in histories.by_path:
            kernel.seasonal_naive(histories.paths[path], histories.origin_length[origins], season, out[origins])


@attrs.frozen
class HoltWinters(Seasonal):
    """Level, additive trend and additive season; (alpha, beta, gamma) from a 5 x 3 x 5 grid, anew at every origin.

    Started on the first m values: level their mean, trend 0, seasons what is left. Then e = y - l - b - s;
    l' = l + b + alpha e; b' = b + alpha beta e; s' = s + gamma (1 - alpha) e. Nothing from fewer than m + 1 values.
    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 8.3.
    """

    title: ClassVar[str] = "holt-winters"
    season: int | None = None
    version: str = "1"

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        season, grid = self.season_of(histories), _parameters(ALPHAS, tuple((beta, 1.0) for beta in BETAS), GAMMAS)
        for path, origins in histories.by_path:
            lengths = histories.origin_length[origins]
            kernel.holt_winters(histories.paths[path], lengths, grid, season, out[origins], flat=True)


@attrs.frozen
class DampedHoltWinters(Seasonal):
    """Level, damped trend or none, and additive season; the parameters from a grid of 100, anew at every origin.

    Started on the first 2m values: a line through the means of both seasons, and the mean distance of each step of the
    season from it. Then, from y_1 on, e = y - l - phi b - s; l' = l + phi b + alpha e; b' = phi b + alpha beta e;
    s' = s + gamma (1 - alpha) e; phi = 0 is the level without a trend. Errors count from y_{m+1} on. Nothing from fewer
    than 2m values. The grid runs over alpha, then the trend, then gamma; ties go to the first.
    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 8.3.
    """

    title: ClassVar[str] = "damped-holt-winters"
    season: int | None = None
    version: str = "1"
    alphas: tuple[float, ...] = (0.05, 0.15, 0.3, 0.5, 0.8)
    trends: tuple[tuple[float, float], ...] = ((0.0, 0.0), (0.0, 0.9), (0.1, 0.9), (0.0, 0.98), (0.1, 0.98))
    """Pairs of beta and phi."""
    gammas: tuple[float, ...] = (0.01, 0.05, 0.15, 0.4)

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        season, grid = self.season_of(histories), _parameters(self.alphas, self.trends, self.gammas)
        for path, origins in histories.by_path:
            lengths = histories.origin_length[origins]
            kernel.holt_winters(histories.paths[path], lengths, grid, season, out[origins])


@cache
def _parameters(
    alphas: tuple[float, ...], trends: tuple[tuple[float, float], ...], gammas: tuple[float, ...]
) -> Values:
    """Return alpha, alpha beta, gamma (1 - alpha) and phi of each point of the grid; (4, grid)."""
    alpha, trend, gamma = (np.array(column) for column in zip(*product(alphas, trends, gammas), strict=True))
    beta, phi = trend.T
    return kernel.padded(alpha, alpha * beta, gamma * (1.0 - alpha), phi)
