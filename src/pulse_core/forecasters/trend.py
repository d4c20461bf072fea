"""Holt's additive trend, plain and damped, its parameters chosen anew at every origin from a grid.

Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 8.2 (error-correction form).
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Final

import attrs
import numpy as np

from pulse_core.forecasters.base import Histories, NonSeasonalForecaster, Values
from pulse_core.kernel import hindcasts as kernel

ALPHAS: Final = tuple(step / 10 for step in range(1, 11))
BETAS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)


@attrs.frozen
class Holt(NonSeasonalForecaster):
    """Level and trend from l_1 = y_1, b_1 = 0; with phi < 1 the trend fades.

    e_t = y_t - l - phi b;  l' = y_t - (1 - alpha) e_t;  b' = phi b + alpha beta e_t. The grid runs over alpha, then
    beta, then phi; ties go to the first of its points.
    """

    name: str = "holt"
    version: str = "1"
    phis: tuple[float, ...] = (1.0,)

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        grid = _parameters(ALPHAS, BETAS, self.phis)
        for path, origins in histories.by_path:
            kernel.holt(histories.paths[path], histories.origin_length[origins], grid, out[origins])


@cache
def _parameters(alphas: tuple[float, ...], betas: tuple[float, ...], phis: tuple[float, ...]) -> Values:
    """Return 1 - alpha, alpha beta and phi of each point of the grid; (3, grid)."""
    alpha, beta, phi = np.array(list(product(alphas, betas, phis))).T
    return kernel.padded(1.0 - alpha, alpha * beta, phi)


def damped_holt() -> Holt:
    """Return Holt's method with phi in 0.8, 0.9, 0.95, 0.98."""
    return Holt(name="damped-holt", phis=(0.8, 0.9, 0.95, 0.98))
