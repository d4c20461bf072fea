"""The theta method, as simple exponential smoothing with drift."""

from __future__ import annotations

import attrs

from pulse_core.forecasters.base import Histories, NonSeasonalForecaster, Values
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
