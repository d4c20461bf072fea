"""Holt's additive trend, plain and damped, its parameters chosen anew at every origin from a grid.

Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 8.2 (error-correction form).
"""

from __future__ import annotations

from itertools import product
from typing import Final

import attrs
import numpy as np

from pulse_core.forecasters.base import Histories, Values
from pulse_core.forecasters.smoothing import best_states

ALPHAS: Final = tuple(step / 10 for step in range(1, 11))
BETAS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)


@attrs.frozen
class Holt:
    """Level and trend from l_1 = y_1, b_1 = 0; with phi < 1 the trend fades.

    e_t = y_t - l - phi b;  l' = y_t - (1 - alpha) e_t;  b' = phi b + alpha beta e_t. The grid runs over alpha, then
    beta, then phi.
    """

    name: str = "holt"
    version: str = "1"
    phis: tuple[float, ...] = (1.0,)

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        grid = np.array(list(product(ALPHAS, BETAS, self.phis)))
        chosen, (level, trend) = best_states(lambda paths: _Trend(grid, paths), 2, histories)
        damping = np.cumprod(np.repeat(grid[:, 2:], horizon, axis=1), axis=1)
        reach = np.cumsum(damping, axis=1)[chosen]
        return np.asarray(level[:, None] + reach * trend[:, None])


class _Trend:
    """The filter of Holt's method; two states, level and trend."""

    needs = 1

    def __init__(self, grid: Values, paths: int) -> None:
        self.grid = len(grid)
        alpha, beta, phi = (np.tile(column, (paths, 1)) for column in grid.T)
        self._rest, self._gain, self._phi = 1.0 - alpha, alpha * beta, phi
        self._damped = bool((phi != 1.0).any())

    def start(self, values: Values) -> tuple[Values, Values]:
        """See GridFilter."""
        level = np.repeat(values[0, :, None], self.grid, axis=1)
        return np.stack([level, np.zeros_like(level)]), np.zeros_like(level)

    def step(self, value: Values, before: Values, error: Values, after: Values) -> None:
        """See GridFilter."""
        trend = before[1]
        if self._damped:
            trend = np.multiply(self._phi, before[1], out=after[1])
        np.add(before[0], trend, out=error)
        np.subtract(value, error, out=error)
        np.multiply(self._gain, error, out=after[0])
        np.add(trend, after[0], out=after[1])
        np.multiply(self._rest, error, out=after[0])
        np.subtract(value, after[0], out=after[0])


def damped_holt() -> Holt:
    """Return Holt's method with phi in 0.8, 0.9, 0.95, 0.98."""
    return Holt(name="damped-holt", phis=(0.8, 0.9, 0.95, 0.98))
