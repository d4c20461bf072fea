"""A forecaster: the newest value, moved on by the median of the changes so far."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class MedianChange:
    """The newest value plus h times the median change; none from a single value."""

    version = "1"

    def forecast(self, history: NDArray[np.float64], horizon: int) -> NDArray[np.float64]:
        """Return `horizon` forecasts from the history y_1..y_n, oldest first; NaN where there is none."""
        if len(history) < 2:
            return np.full(horizon, np.nan)
        return np.asarray(history[-1] + np.median(np.diff(history)) * np.arange(1, horizon + 1))
