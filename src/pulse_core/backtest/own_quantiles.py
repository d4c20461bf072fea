"""Quantiles that forecasters bring: quoted as they are under one name, and after calibration under another.

Calibrated, they are what the run's calibrator makes of errors divided by the forecaster's own spread, times the spread
at the origin: the forecaster says how uncertain this origin is beside the others, its past errors say what that is
worth. The spread is the width of its 80 % interval over that of the standard normal. Where it gave none, or one without
width, its plain name has the calibrated quantiles that all have, around the point.

Source: scores normalised by an estimate of their size as in Lei, G'Sell, Rinaldo, Tibshirani & Wasserman (2018),
Distribution-free predictive inference for regression, JASA 113, section 5.2; the calibrators are those of calibration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.calibration import LEVELS, NORMAL_OVER_MEAN_ABSOLUTE, NORMAL_QUANTILES, Calibrator
from pulse_core.backtest.learning import NONE

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

LOW: Final = LEVELS.index(0.1)
HIGH: Final = LEVELS.index(0.9)
NORMAL_WIDTH: Final = NORMAL_QUANTILES[HIGH] - NORMAL_QUANTILES[LOW]


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
    """Return the quantiles that some forecasters of a roster quote; see ForecasterSet and hindcasting.quoted_by."""
    if not quoting:
        return NO_QUOTES
    offsets = np.stack([given[plain][1:] - given[plain][0] for plain in quoting.values()], axis=1)
    offsets[:, ~np.isfinite(offsets).all(axis=0)] = np.nan
    rows, calibrated = ([names.index(name) for name in side] for side in (quoting, quoting.values()))
    return OwnQuotes(tuple(rows), tuple(calibrated), offsets)


class OwnQuantiles:
    """Puts them in the place of what is quoted around the points of the same rows, as the walk goes on.

    `make` makes the calibrator for a shape; that of all rows is (forecaster, variable, horizon).
    """

    def __init__(
        self, own: OwnQuotes, shape: tuple[int, int, int], make: Callable[[tuple[int, ...]], Calibrator]
    ) -> None:
        self._offsets = own.offsets
        spread = (own.offsets[HIGH] - own.offsets[LOW]) / NORMAL_WIDTH
        self._spread = np.where(spread > 0, spread, np.nan)
        self._rows, self._calibrated = list(own.rows), list(own.calibrated)
        of_own = (len(own.rows), *shape[1:])
        self._calibrator = make(of_own)
        self._expected = np.full(of_own, 1.0 / NORMAL_OVER_MEAN_ABSOLUTE)

    def learn(self, error: Array, place: Positions) -> None:
        """Take in errors (forecaster, variable, horizon), NaN where none became known.

        `place` (variable, horizon) says where each stands among all origins and horizons.
        """
        spread = self._spread.reshape(len(self._spread), -1).take(place, axis=1)
        self._calibrator.learn(error[self._calibrated] / spread)

    def quote(self, quoted: tuple[Array, Array], origin: Positions) -> tuple[Array, Array]:
        """Return offsets and multiplier (see Calibrator.quote) with own quantiles at the origins (variable,)."""
        own, spread = self._offsets.take(origin, axis=2, mode="clip"), self._spread.take(origin, axis=1, mode="clip")
        own[:, :, origin == NONE], spread[:, origin == NONE] = np.nan, np.nan
        offsets, size = (part.copy() for part in quoted)
        there = np.isfinite(own[0])
        offsets[:, self._rows], size[self._rows] = np.where(there, own, 0.0), np.where(there, 1.0, np.nan)
        learned, multiplier = self._calibrator.quote(self._expected, spread)
        multiplier = multiplier * spread
        there = np.isfinite(multiplier)
        offsets[:, self._calibrated] = np.where(there, learned, offsets[:, self._calibrated])
        size[self._calibrated] = np.where(there, multiplier, size[self._calibrated])
        return offsets, size
