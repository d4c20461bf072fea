"""The theta method, as simple exponential smoothing with drift."""

from __future__ import annotations

import attrs
import numpy as np

from pulse_core.forecasters.averages import steps_ahead
from pulse_core.forecasters.base import Histories, Values
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing


@attrs.frozen
class Theta:
    """SES + (b/2)(h - 1 + (1 - (1-alpha)^n)/alpha), b the least-squares slope on time. Nothing from one value.

    Source: Hyndman & Billah (2003), Unmasking the Theta method, International Journal of Forecasting 19.
    """

    name: str = "theta"
    version: str = "1"
    ses: SimpleExponentialSmoothing = attrs.field(factory=SimpleExponentialSmoothing)

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        # (origin, horizon)
        level, chosen = self.ses.level(histories)
        alpha = np.array(self.ses.alphas)
        # a running product: the power function's last bits depend on the CPU type
        fading = np.cumprod(np.repeat(1.0 - alpha[:, None], len(histories.values), axis=1), axis=1)
        memory = (1.0 - fading[chosen, histories.origin_length - 1]) / alpha[chosen]
        half_slope = slope(histories)[:, None] / 2.0
        return np.asarray(level[:, None] + half_slope * (steps_ahead(horizon) - 1.0 + memory[:, None]))


def slope(histories: Histories) -> Values:
    """Return the least-squares slope of y_1..y_n on 1..n at each origin; NaN from one value."""
    # y_1 is taken off first: the sums stay small where the level is large
    values = histories.values - histories.values[:1]
    time = np.arange(1.0, len(values) + 1.0)[:, None]
    plain = histories.at_origins(np.cumsum(values, axis=0))
    weighted = histories.at_origins(np.cumsum(time * values, axis=0))
    count = histories.origin_length.astype(np.float64)
    spread = count * (count * count - 1.0) / 12.0
    result = np.full(len(count), np.nan)
    np.divide(weighted - (count + 1.0) / 2.0 * plain, spread, out=result, where=spread > 0)
    return result
