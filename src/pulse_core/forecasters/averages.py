"""Forecasters that need the first value, the newest and a running sum: naive, drift, mean, window mean.

Source of all: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 5.2.
"""

from __future__ import annotations

import attrs

from pulse_core.forecasters.base import Histories, NonSeasonalForecaster, Values
from pulse_core.kernel import hindcasts as kernel


@attrs.frozen
class Naive(NonSeasonalForecaster):
    """The newest value: y_n."""

    name: str = "naive"
    version: str = "1"

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        for path, origins in histories.by_path:
            kernel.naive(histories.paths[path], histories.origin_length[origins], out[origins])


@attrs.frozen
class Drift(NonSeasonalForecaster):
    """The newest value and the mean step so far: y_n + h (y_n - y_1)/(n - 1). Nothing from one value."""

    name: str = "drift"
    version: str = "1"

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        for path, origins in histories.by_path:
            kernel.drift(histories.paths[path], histories.origin_length[origins], out[origins])


@attrs.frozen
class Mean(NonSeasonalForecaster):
    """The average of all values so far."""

    name: str = "mean"
    version: str = "1"
    in_combinations: bool = attrs.field(default=False, init=False)

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        for path, origins in histories.by_path:
            kernel.mean(histories.paths[path], histories.origin_length[origins], out[origins])


@attrs.frozen
class WindowMean(NonSeasonalForecaster):
    """The average of the last 250 values, or of all where there are fewer."""

    name: str = "window-mean"
    version: str = "1"
    window: int = 250
    in_combinations: bool = attrs.field(default=False, init=False)

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        for path, origins in histories.by_path:
            kernel.window_mean(histories.paths[path], histories.origin_length[origins], out[origins], self.window)
