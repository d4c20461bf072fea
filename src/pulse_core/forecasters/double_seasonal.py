"""Forecasters of variables with two seasons, a day's and a week's: the value a week ago, and smoothing of both."""

from __future__ import annotations

from functools import cache
from itertools import product

import attrs
import numpy as np

from pulse_core.forecasters.base import Histories, InPlaceForecaster, Values
from pulse_core.kernel import hindcasts as kernel


class TwoSeasons(InPlaceForecaster):
    """A forecaster that needs two seasons: the variable's own two shortest, unless it is made with others.

    `seasons` by hand: the shorter one first.
    """

    seasons: tuple[int, int] | None

    @property
    def seasons_needed(self) -> int:
        """See Forecaster."""
        return 2 if self.seasons is None else 0

    def seasons_of(self, histories: Histories) -> tuple[int, int]:
        """Return both seasons, the shorter first. Raises ValueError where the variable has fewer."""
        if self.seasons is not None:
            return self.seasons
        if len(histories.seasons) < self.seasons_needed:
            raise ValueError(f"two seasons are needed, and the variable has {len(histories.seasons)}")
        shorter, longer = histories.seasons[:2]
        return shorter, longer


@attrs.frozen
class DoubleSeasonalNaive(TwoSeasons):
    """The value one longer season ago. Nothing from fewer values than that season has steps."""

    name: str = "double-seasonal-naive"
    version: str = "1"
    seasons: tuple[int, int] | None = None

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        _, longer = self.seasons_of(histories)
        for path, origins in histories.by_path:
            kernel.seasonal_naive(histories.paths[path], histories.origin_length[origins], longer, out[origins])


@attrs.frozen
class DoubleSeasonal(TwoSeasons):
    """Level and two additive seasons of m < k steps, with autoregressive errors; from a grid of 72, at every origin.

    Started on the first 2k values: level their mean, the shorter season the mean distance from it at each step, the
    longer one what is then left, on average; residual 0. Then, from y_1 on, r = y - l - s - w, e = r - phi r_before;
    l' = l + alpha e; s' = s + delta e; w' = w + omega e; the forecast is l + s + w + phi^h r. Errors count from
    y_{2k+1} on. Nothing from fewer than 2k values. The grid runs over alpha, delta, omega, phi; ties go to the first.
    Source: Taylor (2003), Short-term electricity demand forecasting using double seasonal exponential smoothing,
    Journal of the Operational Research Society 54; here without a trend, and with gains of the one-step error.
    """

    name: str = "double-seasonal"
    version: str = "1"
    seasons: tuple[int, int] | None = None
    alphas: tuple[float, ...] = (0.05, 0.15, 0.4)
    deltas: tuple[float, ...] = (0.0, 0.1, 0.3)
    omegas: tuple[float, ...] = (0.2, 0.5)
    phis: tuple[float, ...] = (0.0, 0.6, 0.8, 0.9)

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        seasons, grid = self.seasons_of(histories), _parameters(self.alphas, self.deltas, self.omegas, self.phis)
        for path, origins in histories.by_path:
            lengths = histories.origin_length[origins]
            kernel.double_seasonal(histories.paths[path], lengths, grid, seasons, out[origins])


@cache
def _parameters(*axes: tuple[float, ...]) -> Values:
    """Return alpha, delta, omega and phi of each point of the grid; (4, grid)."""
    return kernel.padded(*np.array(list(product(*axes))).T)
