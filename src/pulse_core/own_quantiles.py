"""Quantiles that forecasters bring: quoted as they are under one name, and after calibration under another.

Calibrated, a quantile is q_tau + s u_tau: q the forecaster's own, s the exponentially weighted |error|, and u the
quantile tracker of conformal PID control, which starts at 0. Each time an error becomes known, `u_tau += eta (tau -
1{actual <= the calibrated quantile of that origin by the present s and u})`. Levels that then cross are quoted, and
judged, by their isotonic fit. So own quantiles that cover stay nearly as they are, and others are moved until they do.

Source: Angelopoulos, Candes & Tibshirani (2023), Conformal PID control for time series prediction, NeurIPS 36, with
scores y - q_tau as in Romano, Patterson & Candes (2019), Conformalized quantile regression, NeurIPS 32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.calibration import DECAY, LEVELS, RATE, isotonic
from pulse_core.learning import NONE

Array = NDArray[np.float64]
Positions = NDArray[np.int64]


@attrs.frozen(eq=False)
class OwnQuotes:
    """Own quantiles less the point, `offsets` (level, own, origin, horizon), NaN where a forecaster gave none.

    `rows` and `calibrated` say where each stands in the roster as it is, and after calibration.
    """

    rows: tuple[int, ...]
    calibrated: tuple[int, ...]
    offsets: Array


NO_QUOTES: Final = OwnQuotes((), (), np.empty((len(LEVELS), 0, 0, 0)))


def own_quotes(names: Sequence[str], quoting: Mapping[str, str], given: Mapping[str, Array]) -> OwnQuotes:
    """Return the quantiles that some forecasters of a roster quote; see Roster.quoting and hindcasting.quoted_by."""
    if not quoting:
        return NO_QUOTES
    offsets = np.stack([given[plain][1:] - given[plain][0] for plain in quoting.values()], axis=1)
    offsets[:, ~np.isfinite(offsets).all(axis=0)] = np.nan
    rows, calibrated = ([names.index(name) for name in side] for side in (quoting, quoting.values()))
    return OwnQuotes(tuple(rows), tuple(calibrated), offsets)


class OwnQuantiles:
    """Puts them in the place of what the calibrator quotes for the same rows; arrays of a step as it has them.

    Not `calibrated`, the forecaster's plain name keeps the quantiles that the calibrator makes around its point.
    """

    def __init__(self, own: OwnQuotes, shape: tuple[int, int, int], *, calibrated: bool) -> None:
        _, variables, horizon = shape
        self._offsets = own.offsets
        self._flat = own.offsets.reshape(*own.offsets.shape[:2], -1)
        self._rows, self._calibrated = list(own.rows), list(own.calibrated)
        self._tracker = _Tracker((len(own.rows), variables, horizon)) if calibrated else None

    def learn(self, error: Array, place: Positions) -> None:
        """Take in errors (forecaster, variable, horizon), NaN where none became known, of the origins at `place`."""
        if self._tracker is not None:
            self._tracker.learn(error[self._calibrated], self._flat.take(place, axis=2))

    def quote(self, quoted: tuple[Array, Array], scale: Array, origin: Positions) -> tuple[Array, Array]:
        """Return offsets and multiplier (see Calibrator.quote) with own quantiles at the origins (variable,)."""
        own = self._offsets.take(origin, axis=2, mode="clip")
        own[:, :, origin == NONE] = np.nan
        there = np.isfinite(own[0])
        offsets, size = (part.copy() for part in quoted)
        offsets[:, self._rows] = np.where(there, own, 0.0)
        size[self._rows] = np.where(there, 1.0, np.nan)
        if self._tracker is not None:
            moved = self._tracker.quote(scale, own)
            offsets[:, self._calibrated] = np.where(there, moved, offsets[:, self._calibrated])
            size[self._calibrated] = np.where(there, 1.0, size[self._calibrated])
        return offsets, size


class _Tracker:
    """How far own quantiles are moved; arrays (..., own, variable, horizon)."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._levels = np.array(LEVELS)[:, None, None, None]
        self._moves = np.zeros((len(LEVELS), *shape))
        self._size = np.full(shape, np.nan)

    def learn(self, error: Array, own: Array) -> None:
        known = np.isfinite(error) & np.isfinite(own[0]) & np.isfinite(self._size)
        step = RATE * (self._levels - (error <= self._moved(own)))
        self._moves = self._moves + np.where(known, step, 0.0)
        size = np.abs(error)
        faded = np.where(self._size > 0, DECAY * self._size + (1.0 - DECAY) * size, size)
        self._size = np.where(known, faded, self._size)

    def quote(self, scale: Array, own: Array) -> Array:
        first = np.isnan(self._size) & np.isfinite(own[0])
        self._size = np.where(first, np.where(scale > 0, scale, 0.0), self._size)
        return self._moved(own)

    def _moved(self, own: Array) -> Array:
        moved = own + self._size * self._moves
        crossed = (moved[1:] < moved[:-1]).any(axis=0)
        if crossed.any():
            moved[:, crossed] = isotonic(moved[:, crossed])
        return np.asarray(moved)
