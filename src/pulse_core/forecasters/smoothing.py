"""Simple exponential smoothing, its parameter chosen anew at every origin from a grid.

One recursive filter a grid point runs once over each history; the sum of its squared one-step errors so far is
what a refit at that origin would minimise, so every origin gets the exact grid refit for the price of one pass.
Source: Hyndman, Koehler, Ord & Snyder, Forecasting with Exponential Smoothing (2008), table 2.1.
"""

from __future__ import annotations

from functools import cache

import attrs
import numpy as np

from pulse_core.forecasters.base import Histories, NonSeasonalForecaster, Positions, Values
from pulse_core.kernel import hindcasts as kernel


@attrs.frozen
class SimpleExponentialSmoothing(NonSeasonalForecaster):
    """A level from y_1, l_t = y_t - (1 - alpha) (y_t - l_{t-1}); alpha in 0.05, 0.10 .. 1.00.

    Ties between alphas go to the first.
    """

    name: str = "ses"
    version: str = "1"
    alphas: tuple[float, ...] = tuple(step / 20 for step in range(1, 21))

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        levels, _ = self.levels(histories)
        out[:] = levels[:, None]

    def levels(self, histories: Histories) -> tuple[Values, Positions]:
        """Return the level at each origin, and the position of the alpha it was made with; both (origin,)."""
        name = f"ses {self.alphas}"
        if name not in histories.shared:
            histories.shared[name] = self._levels(histories)
        levels: tuple[Values, Positions] = histories.shared[name]
        return levels

    def _levels(self, histories: Histories) -> tuple[Values, Positions]:
        levels, choices = np.empty(len(histories)), np.empty(len(histories), dtype=np.int64)
        fade = 1.0 - alpha_grid(self.alphas)
        for path, origins in histories.by_path:
            lengths = histories.origin_length[origins]
            kernel.ses_levels(histories.paths[path], lengths, fade, levels[origins], choices[origins])
        return levels, choices


@cache
def alpha_grid(alphas: tuple[float, ...]) -> Values:
    """Return the grid as the kernel takes it."""
    return kernel.padded(np.array(alphas))
