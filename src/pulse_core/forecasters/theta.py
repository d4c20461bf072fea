"""The theta method, as simple exponential smoothing with drift: plain, dynamic, and behind a seasonal adjustment."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import attrs
import numpy as np

from pulse_core.forecasters.base import Histories, NonSeasonalForecaster, Positions, Values
from pulse_core.forecasters.seasonal import Seasonal
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing, alpha_grid
from pulse_core.kernel import hindcasts as kernel


@attrs.frozen
class Theta(NonSeasonalForecaster):
    """SES + (b/2)(h - 1 + (1 - (1-alpha)^n)/alpha), b the least-squares slope on time. Nothing from one value.

    Source: Hyndman & Billah (2003), Unmasking the Theta method, International Journal of Forecasting 19.
    """

    name: str = "theta"
    version: str = "1"
    ses: SimpleExponentialSmoothing = attrs.field(factory=SimpleExponentialSmoothing)

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        levels, choices = self.ses.levels(histories)
        alphas = alpha_grid(self.ses.alphas)
        for path, origins in histories.by_path:
            smoothed = levels[origins], choices[origins]
            kernel.theta(histories.paths[path], histories.origin_length[origins], alphas, smoothed, out[origins])


@attrs.frozen
class DynamicTheta(NonSeasonalForecaster):
    """SES + w b (h - 1 + (1 - (1-alpha)^n)/alpha), b the slope at the origin; alpha and w by past one-step errors.

    A one-step forecast takes the least-squares slope of the values that were known then (none of fewer than two), as
    the level does: the errors are those of forecasts as they would have been made. w = 1 - 1/theta in 0, 1/4, 1/2 (the
    theta method), 3/4, 1; alpha in 0.05, 0.10 .. 1.00. The grid runs over w, then alpha; ties go to the first.
    Source: Fiorucci, Pellegrini, Louzada, Petropoulos & Koehler (2016), Models for optimising the theta method and
    their relationship to state space models, International Journal of Forecasting 32; here the level starts at y_1.
    """

    name: str = "dynamic-theta"
    version: str = "1"
    alphas: tuple[float, ...] = tuple(step / 20 for step in range(1, 21))
    weights: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        for path, origins in histories.by_path:
            self.forecast_path(histories.paths[path], histories.origin_length[origins], out[origins])

    def forecast_path(self, values: Values, lengths: Positions, out: Values) -> None:
        """Write the forecasts of the origins of one path."""
        kernel.dynamic_theta(values, lengths, _alphas(self.alphas), np.array(self.weights), out)


@attrs.frozen
class SeasonalTheta(Seasonal):
    """Dynamic theta on the values without their season, whose forecasts take the season up again.

    The season is that of classical decomposition as known at the origin, shrunk by the share of it that noise explains;
    each value is adjusted by the season as it was known with it, those of the first 2m values by what these showed.
    It multiplies where every value known at the origin is above 0, else (or where `additive`) it adds. From fewer than
    2m values: dynamic theta without adjustment.
    Source: Assimakopoulos & Nikolopoulos (2000), The theta model, International Journal of Forecasting 16; Miller &
    Williams (2003), Shrinkage estimators of time series seasonal factors, International Journal of Forecasting 19.
    """

    title: ClassVar[str] = "seasonal-theta"
    season: int | None = None
    additive: bool = False
    version: str = "1"
    theta: DynamicTheta = attrs.field(factory=DynamicTheta)

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        season = self.season_of(histories)
        for path, origins in histories.by_path:
            values, lengths = histories.paths[path], histories.origin_length[origins]
            multiplied = 0 if self.additive else int(np.searchsorted(lengths, _above_zero(values), side="right"))
            begin, middle, end = origins.start, origins.start + multiplied, origins.stop
            self._forecast_path(values, lengths[:multiplied], season, out[begin:middle], ratios=True)
            self._forecast_path(values, lengths[multiplied:], season, out[middle:end], ratios=False)

    def _forecast_path(self, values: Values, lengths: Positions, season: int, out: Values, *, ratios: bool) -> None:
        if not len(lengths):
            return
        factors = np.empty(out.shape)
        adjusted = kernel.adjusted(values, lengths, season, factors, ratios=ratios)
        short = int(np.searchsorted(lengths, 2 * season))
        self.theta.forecast_path(values, lengths[:short], out[:short])
        self.theta.forecast_path(adjusted, lengths[short:], out[short:])
        if ratios:
            out *= factors
        else:
            out += factors


@cache
def _alphas(alphas: tuple[float, ...]) -> Values:
    """Return alpha and 1 - alpha as the kernel takes them; (2, grid)."""
    alpha = np.array(alphas)
    return kernel.padded(alpha, 1.0 - alpha)


def _above_zero(values: Values) -> int:
    """Return how many values stand before the first that is not above 0."""
    others = np.flatnonzero(~(values > 0.0))
    return int(others[0]) if len(others) else len(values)
