"""What each origin adds to the sums: every score's term, for many origins at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.calibration import LEVELS
from pulse_core.scores.sums import INTERVALS

Array = NDArray[np.float64]

_BOUNDS: Final = tuple((3 - place, 5 + place) for place in range(len(INTERVALS)))
"""The places of each interval's ends among the levels."""

_ENDS: Final = (0.0, *LEVELS, 1.0)
CRPS_WEIGHTS: Final = tuple(_ENDS[place + 2] - _ENDS[place] for place in range(len(LEVELS)))
"""Weights of the pinball losses in the integral of twice the loss over tau, by the trapezoid rule with zero ends.

A grid of nine reads some 3 % low for a normal distribution.
"""

_MISS: Final = 0.05
"""What the 95 % interval leaves out."""


@attrs.frozen(eq=False)
class Quoted:
    """Forecasts and what happened, broadcast to one shape (...); `benchmark` is the last axis' place of the benchmark.

    `actual`, `newest`, `scale`, `square_scale`, `counts` (whether the origin is scored at all), `point`,
    `quantiles` (level, ...).
    """

    actual: Array
    newest: Array
    scale: Array
    square_scale: Array
    counts: NDArray[np.bool_]
    point: Array
    quantiles: Array
    benchmark: int


def terms(quoted: Quoted) -> Iterator[Array]:
    """Yield the terms in the order of SUMS, each (...); 0 where nothing is scored, NaN where a score is impossible."""
    error = quoted.actual - quoted.point
    scored = np.isfinite(error) & quoted.counts
    error = np.where(scored, error, 0.0)
    yield scored.astype(np.float64)
    yield from _point_terms(quoted, scored, error)
    certain = scored & np.isfinite(quoted.quantiles[0])
    yield certain.astype(np.float64)
    yield from _quantile_terms(quoted, certain)


def _point_terms(quoted: Quoted, scored: NDArray[np.bool_], error: Array) -> Iterator[Array]:
    size, square = np.abs(error), error * error
    magnitude = np.abs(quoted.actual) + np.abs(quoted.point)
    direction = np.sign(quoted.point - quoted.newest) * np.sign(quoted.actual - quoted.newest)
    yield error
    yield size
    yield square
    yield np.where(scored, size / quoted.scale, 0.0)
    yield np.where(scored, square / quoted.square_scale, 0.0)
    yield np.where(scored & (magnitude > 0), 200.0 * size / magnitude, 0.0)
    yield (scored & (direction > 0)).astype(np.float64)
    yield (scored & (np.abs(direction) > 0)).astype(np.float64)
    yield from _common(size, scored, quoted.benchmark)
    yield from _common(square, scored, quoted.benchmark)


def _common(loss: Array, scored: NDArray[np.bool_], benchmark: int) -> Iterator[Array]:
    """Yield the loss and the benchmark's, where both are scored."""
    both = scored & scored[..., benchmark, None]
    yield np.where(both, loss, 0.0)
    yield np.where(both, loss[..., benchmark, None], 0.0)


def _quantile_terms(quoted: Quoted, certain: NDArray[np.bool_]) -> Iterator[Array]:
    pinball = pinball_loss(quoted.actual, quoted.quantiles)
    pinball = np.where(certain, pinball, 0.0)
    yield from pinball
    for low, high in _BOUNDS:
        inside = (quoted.quantiles[low] <= quoted.actual) & (quoted.actual <= quoted.quantiles[high])
        yield (certain & inside).astype(np.float64)
    for low, high in _BOUNDS:
        yield np.where(certain, quoted.quantiles[high] - quoted.quantiles[low], 0.0)
    yield np.where(certain, interval_score(pinball) / quoted.scale, 0.0)
    yield from _common(crps(pinball), certain, quoted.benchmark)


def pinball_loss(actual: Array, quantiles: Array) -> Array:
    """Return tau (y - q) where y >= q, else (1 - tau)(q - y); (level, ...). Source: Koenker & Bassett (1978)."""
    levels = np.array(LEVELS).reshape(-1, *(1 for _ in quantiles.shape[1:]))
    above = actual - quantiles
    return np.asarray(np.maximum(levels * above, (levels - 1.0) * above))


def interval_score(pinball: Array) -> Array:
    """Return the Winkler score of the 95 % interval from the pinball losses (level, ...) of its ends.

    width + (2/0.05) times what the actual is outside, which is 2/0.05 times the sum of the two losses.
    Source: Gneiting & Raftery (2007), JASA 102, eq. 43; Bracher et al. (2021) for the identity.
    """
    return np.asarray(2.0 / _MISS * (pinball[0] + pinball[-1]))


def crps(pinball: Array) -> Array:
    """Return the integral of twice the pinball loss over tau by the trapezoid rule with zero ends; see CRPS_WEIGHTS.

    Source: Gneiting & Ranjan (2011), JBES 29.
    """
    total = np.zeros(pinball.shape[1:])
    for weight, loss in zip(CRPS_WEIGHTS, pinball, strict=True):
        total = total + weight * loss
    return total
