"""Forecasters that need the first value, the newest and a running sum: naive, drift, mean.

Source of all three: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 5.2.
"""

from __future__ import annotations

import attrs
import numpy as np

from pulse_core.forecasters.base import Histories, Values


@attrs.frozen
class Naive:
    """The newest value: y_n."""

    name: str = "naive"
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        return flat(histories.at_origins(histories.values), horizon)


@attrs.frozen
class Drift:
    """The newest value and the mean step so far: y_n + h (y_n - y_1)/(n - 1). Nothing from one value."""

    name: str = "drift"
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        # (origin,), (origin, horizon)
        newest = histories.at_origins(histories.values)
        first = histories.values[0, histories.origin_path]
        steps = histories.origin_length - 1.0
        slope = np.full(len(newest), np.nan)
        np.divide(newest - first, steps, out=slope, where=steps > 0)
        return np.asarray(newest[:, None] + steps_ahead(horizon) * slope[:, None])


@attrs.frozen
class Mean:
    """The average of all values so far."""

    name: str = "mean"
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        first = histories.values[:1]
        # y_1 is taken off first, so that a constant is met exactly; cumsum adds in order whatever the layout
        sums = histories.at_origins(np.cumsum(histories.values - first, axis=0))
        return flat(first[0, histories.origin_path] + sums / histories.origin_length, horizon)


@attrs.frozen
class WindowMean:
    """The average of the last 250 values, or of all where there are fewer."""

    name: str = "window-mean"
    version: str = "1"
    window: int = 250

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        first = histories.values[:1]
        sums = histories.at_origins(_window_sums(histories.values - first, self.window))
        means = sums / np.minimum(histories.origin_length, self.window)
        return flat(first[0, histories.origin_path] + means, horizon)


def _window_sums(values: Values, window: int) -> Values:
    """Return the sum of the last `window` values at each time, of all where there are fewer; (time, path).

    A window is the end of one block of `window` times and the beginning of the next, each summed on its own: values
    that have left the window leave no rounding behind, as they would in a difference of running sums.
    """
    times, paths = values.shape
    blocks = -(-times // window)
    padded = np.zeros((blocks * window, paths))
    padded[:times] = values
    tiled = padded.reshape(blocks, window, paths)
    begun = np.cumsum(tiled, axis=1).reshape(-1, paths)[:times]
    ending = np.cumsum(tiled[:, ::-1], axis=1)[:, ::-1].reshape(-1, paths)
    sums = begun.copy()
    # time t lacks the last window - 1 - t % window values of the block before; at a block's end it lacks none
    inside = np.flatnonzero((np.arange(times) >= window) & (np.arange(times) % window != window - 1))
    sums[inside] = ending[inside - window + 1] + begun[inside]
    return sums


def flat(level: Values, horizon: int) -> Values:
    """Return the same forecast for every step ahead; (origin,) -> (origin, horizon)."""
    return np.repeat(level[:, None], horizon, axis=1)


def steps_ahead(horizon: int) -> Values:
    """Return 1..horizon."""
    return np.arange(1.0, horizon + 1.0)
