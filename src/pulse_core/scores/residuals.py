"""Residual diagnostics: outliers among a forecaster's errors, and breaks in their level or spread."""

from __future__ import annotations

import math
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import excess_exponent
from pulse_core.kernel.special import kolmogorov_sf

Array = NDArray[np.float64]

FAR_OUT: Final = 3.5
"""Modified z-scores beyond this are outliers (Iglewicz & Hoaglin 1993)."""

NORMAL_MAD: Final = 0.6745
"""The median absolute deviation of a standard normal."""

MIN_ERRORS: Final = 20
"""Fewer errors are not tested for a break."""


@attrs.frozen
class Shift:
    """The likeliest change of a series' mean: the `index` of the first value after it, and the means of both sides."""

    index: int
    statistic: float
    p_value: float
    before: float
    after: float


def modified_z_scores(errors: Array) -> Array:
    """Return 0.6745 (e - median) / MAD of errors (origin,); all NaN where more than half of them are equal.

    Source: Iglewicz & Hoaglin (1993), How to detect and handle outliers, ASQC.
    """
    if not len(errors):
        return errors.copy()
    scaled = np.ldexp(errors, -excess_exponent(errors))
    distance = scaled - np.median(scaled)
    spread = float(np.median(np.abs(distance)))
    if not spread > 0:
        return np.full(len(errors), np.nan)
    return np.asarray(NORMAL_MAD * distance / spread)


def level_shift(errors: Array) -> Shift | None:
    """Return the likeliest change of the mean error; see `shift`."""
    return shift(errors)


def spread_shift(errors: Array) -> Shift | None:
    """Return the likeliest change of the mean squared error, with root mean squares before and after; see `shift`.

    On squares the test is kappa-2, which allows for fat tails and for clusters of volatility. Source: Sansó, Aragó &
    Carrion (2004), Revista de Economía Financiera 4.
    """
    size = _size(errors)
    squares_shift = None if size is None else shift((errors / size) ** 2)
    if size is None or squares_shift is None:
        return None
    before, after = (math.sqrt(max(value, 0.0)) * size for value in (squares_shift.before, squares_shift.after))
    return attrs.evolve(squares_shift, before=before, after=after)


def shift(values: Array) -> Shift | None:
    """Return the shift at the largest cumulative deviation from the mean, tested against a Brownian bridge.

    `values` (origin,) are in order of time. None where there are too few or they do not vary. The p-value is
    asymptotic, of the Kolmogorov distribution; the long-run variance has Bartlett weights over 4 (n/100)^(2/9) lags.

    Source: Ploberger & Krämer (1992), The CUSUM test with OLS residuals, Econometrica 60; Newey & West (1994), RES 61.
    """
    count, size = len(values), _size(values)
    if count < MIN_ERRORS or size is None:
        return None
    scaled = values / size
    centred = scaled - scaled.mean()
    variance = _long_run_variance(centred)
    if not variance > 1e-20:
        return None
    deviations = np.abs(np.cumsum(centred)[:-1])
    index = int(np.argmax(deviations)) + 1
    statistic = float(deviations[index - 1]) / math.sqrt(count * variance)
    before, after = (float(side.mean()) * size for side in (scaled[:index], scaled[index:]))
    return Shift(index, statistic, float(kolmogorov_sf(statistic)), before, after)


def _size(values: Array) -> float | None:
    """Return the largest absolute value, by which values are divided so that squares neither overflow nor vanish."""
    size = float(np.abs(values).max()) if len(values) else 0.0
    return size if math.isfinite(size) and size > 0 else None


def _long_run_variance(centred: Array) -> float:
    count = len(centred)
    lags = int(4.0 * (count / 100.0) ** (2.0 / 9.0))
    variance = float((centred * centred).sum()) / count
    for lag in range(1, lags + 1):
        weight = 1.0 - lag / (lags + 1.0)
        variance += 2.0 * weight * float((centred[lag:] * centred[:-lag]).sum()) / count
    return variance
