"""What each origin adds to the sums: every score's term, for many origins at once."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.calibration import LEVELS

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ENDS: Final = (0.0, *LEVELS, 1.0)
CRPS_WEIGHTS: Final = tuple(_ENDS[place + 2] - _ENDS[place] for place in range(len(LEVELS)))
"""Weights of the pinball losses in the integral of twice the loss over tau, by the trapezoid rule with zero ends.

A grid of nine reads some 3 % low for a normal distribution.
"""

MISS: Final = 0.05
"""What the 95 % interval leaves out."""

POINT_TERMS: Final = ("error", "absolute", "square", "scaled_absolute", "scaled_square", "percentage")
"""The sums of point forecasts, in the order of `PointTerms.terms`."""


@attrs.frozen(eq=False)
class Quoted:
    """Forecasts of some steps and what happened, (step, forecaster, variable, horizon) or broadcast to it.

    `actual`, `newest`, `scale`, `square_scale`, `counts` (whether the origin is scored at all), `point`.
    """

    actual: Array
    newest: Array
    scale: Array
    square_scale: Array
    counts: Flags
    point: Array


@attrs.frozen(eq=False)
class PointTerms:
    """`scored`, `hits`, `calls`, `error` (step, ...) and `terms` (step, term, ...); 0 where nothing is scored.

    NaN where a score is impossible, because its scale is.
    """

    scored: Flags
    hits: Flags
    calls: Flags
    error: Array
    terms: Array


def point_terms(quoted: Quoted) -> PointTerms:
    """Return the terms of the point forecasts."""
    point = quoted.point
    terms = np.empty((len(point), len(POINT_TERMS), *point.shape[1:]))
    error, size, square, scaled, scaled_square, percentage = np.moveaxis(terms, 1, 0)
    np.subtract(quoted.actual, point, out=error)
    scored = np.isfinite(error)
    np.logical_and(scored, quoted.counts, out=scored)
    everything = bool(scored.all())
    if not everything:
        error[~scored] = 0.0
    np.abs(error, out=size)
    np.multiply(error, error, out=square)
    np.multiply(size, 1.0 / quoted.scale, out=scaled)
    np.multiply(square, 1.0 / quoted.square_scale, out=scaled_square)
    np.abs(point, out=percentage)
    np.add(percentage, np.abs(quoted.actual), out=percentage)
    nothing = percentage == 0
    if nothing.any():
        percentage[nothing] = 1.0
    np.divide(size, percentage, out=percentage)
    np.multiply(percentage, 200.0, out=percentage)
    if not everything:
        for part in (scaled, scaled_square, percentage):
            part[~scored] = 0.0
    return PointTerms(scored, *_calls(quoted, scored), error, terms)


def _calls(quoted: Quoted, scored: Flags) -> tuple[Flags, Flags]:
    """Return where a forecast change has the right sign, and where it and the change are not zero."""
    up, down = quoted.point > quoted.newest, quoted.point < quoted.newest
    rose, fell = quoted.actual > quoted.newest, quoted.actual < quoted.newest
    calls = (up | down) & (rose | fell) & scored
    hits = ((up & rose) | (down & fell)) & scored
    return hits, calls


def pinball_loss(actual: Array, quantiles: Array) -> Array:
    """Return tau (y - q) where y >= q, else (1 - tau)(q - y); (level, ...). Source: Koenker & Bassett (1978)."""
    levels = np.array(LEVELS).reshape(-1, *(1 for _ in quantiles.shape[1:]))
    above = actual - quantiles
    return pinball_sum(above, np.minimum(above, 0.0), levels)


def pinball_sum(above: Array, below: Array, levels: Array) -> Array:
    """Return the sum of pinball losses from that of y - q and that of min(y - q, 0); (level, ...)."""
    return np.asarray(levels * above - below)


def interval_score(pinball: Array) -> Array:
    """Return the Winkler score of the 95 % interval from the pinball losses (level, ...) of its ends.

    width + (2/0.05) times what the actual is outside, which is 2/0.05 times the sum of the two losses.
    Source: Gneiting & Raftery (2007), JASA 102, eq. 43; Bracher et al. (2021) for the identity.
    """
    return np.asarray(2.0 / MISS * (pinball[0] + pinball[-1]))


def crps(pinball: Array) -> Array:
    """Return the integral of twice the pinball loss over tau by the trapezoid rule with zero ends; see CRPS_WEIGHTS.

    Source: Gneiting & Ranjan (2011), JBES 29.
    """
    total = np.zeros(pinball.shape[1:])
    for weight, loss in zip(CRPS_WEIGHTS, pinball, strict=True):
        total = total + weight * loss
    return total
