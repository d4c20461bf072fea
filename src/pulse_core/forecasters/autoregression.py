"""Autoregression by exact least squares at every origin, its order chosen by AICc, from running sums.

The p lags are written as the newest value and p - 1 changes, which span the same space and are far better
conditioned; the middle one of the first six values is taken off first (y_1 itself may be far from all others). One
LDL^T of the augmented moments holds the residual sums of squares of all nested orders and the coefficients of any.
Source: Hurvich & Tsai (1989) for AICc; Golub & Van Loan, Matrix Computations, 4.1, for LDL^T.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import Final

import attrs
import numpy as np

from pulse_core.forecasters.base import Histories, NonSeasonalForecaster, Values
from pulse_core.kernel import hindcasts as kernel

LARGEST_ORDER: Final = 5


class _Lagged(NonSeasonalForecaster):
    """One of values that go before."""

    @property
    def lags(self) -> int:
        """See Forecaster."""
        return LARGEST_ORDER


@attrs.frozen
class AutoRegression(_Lagged):
    """Least squares with intercept on p = 0..5 lags over the same rows, p by AICc; iterated to h."""

    name: str = "ar"
    version: str = "1"

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        _autoregress(histories, out, differenced=False)


@attrs.frozen
class DifferencedAutoRegression(_Lagged):
    """The same on first differences, forecasts summed."""

    name: str = "ari"
    version: str = "1"

    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """See InPlaceForecaster."""
        _autoregress(histories, out, differenced=True)


def _autoregress(histories: Histories, out: Values, *, differenced: bool) -> None:
    penalties = partial(_penalties, lost=LARGEST_ORDER + differenced)
    for path, origins in histories.by_path:
        lengths = histories.origin_length[origins]
        kernel.ar(histories.paths[path], lengths, penalties, out[origins], differenced=differenced)


@lru_cache(maxsize=16)
def _penalties(first: int, last: int, lost: int) -> Values:
    """Return exp((2k + 2k(k+1)/(n-k-1))/n) at lengths first + 1 .. last, n = length - lost rows and k = p + 2.

    (length, order); infinite where n is too small. RSS times it is in the order of n ln(RSS/n) + penalty, with no
    logarithm of data.
    """
    n = np.arange(first + 1.0, last + 1.0)[:, None] - lost
    k = np.arange(LARGEST_ORDER + 1.0) + 2.0
    able = n > k + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        exponents = (2 * k + 2 * k * (k + 1) / (n - k - 1)) / n
    table = np.full(able.shape, np.inf)
    # math.exp gives the same bits on every CPU type; numpy's does not
    table[able] = [math.exp(exponent) for exponent in exponents[able].tolist()]
    return table
