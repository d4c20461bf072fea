"""The quantile rule of Pulse before its second revision, in plain numpy: what the present one is held against.

Each horizon has its own scale, the exponentially weighted |e|, which starts as root h times the mean absolute step of
the history. An error that becomes known is compared with the quantiles of that moment, not with those of its origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.levels import LEVELS, NORMAL_QUANTILES

Array = NDArray[np.float64]

RATE: Final = 0.05
DECAY: Final = 0.97
NORMAL_OVER_MEAN_ABSOLUTE: Final = 1.2533


def tracked_quantiles(errors: Array, horizons: Sequence[int], scale: Array) -> Array:
    """Return the quantiles (origin, level, horizon, series) of errors (origin, horizon, series), each known in time.

    `scale` (series,) is the mean absolute step before the first origin.
    """
    levels = np.array(LEVELS)[:, None]
    normal = NORMAL_OVER_MEAN_ABSOLUTE * np.array(NORMAL_QUANTILES)
    raw = np.tile(normal[:, None, None], (1, *errors.shape[1:]))
    size = np.sqrt(np.array(horizons, dtype=np.float64))[:, None] * scale
    fitted, quoted = raw.copy(), np.empty((len(errors), *raw.shape))
    for origin in range(len(errors)):
        for column, horizon in enumerate(horizons):
            if origin >= horizon:
                error, spread = errors[origin - horizon, column], size[column]
                raw[:, column] += RATE * (levels - (relative(error, spread) <= fitted[:, column]))
                faded = DECAY * spread + (1.0 - DECAY) * np.abs(error)
                size[column] = np.where(spread > 0, faded, np.abs(error))
        fitted = isotonic(raw)
        quoted[origin] = fitted * size
    return quoted


def relative(error: Array, size: Array) -> Array:
    """Return errors over their size; where nothing has moved yet an error is beyond all quantiles."""
    beyond = np.where(error == 0, 0.0, np.copysign(np.inf, error))
    return np.where(size > 0, error / np.where(size > 0, size, 1.0), beyond)


def isotonic(raw: Array) -> Array:
    """Return the nearest levels (first axis) that do not fall: the largest of least means."""
    if not (np.diff(raw, axis=0) < 0).any():
        return raw.copy()
    sums = np.concatenate([np.zeros_like(raw[:1]), np.cumsum(raw, axis=0)])
    best = np.full_like(raw, -np.inf)
    for first in range(len(raw)):
        least = np.full_like(raw[0], np.inf)
        for last in reversed(range(first, len(raw))):
            least = np.minimum(least, (sums[last + 1] - sums[first]) / (last - first + 1))
            best[last] = np.maximum(best[last], least)
    return best
