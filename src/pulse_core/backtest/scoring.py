"""Walk through all origins in order: quote quantiles, score them, learn from each error as it becomes known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.calibration import CALIBRATORS, LEVELS, Calibrator
from pulse_core.backtest.learning import NONE, KnownErrors, Lessons
from pulse_core.backtest.origins import Origins
from pulse_core.backtest.own_quantiles import NO_QUOTES, OwnQuantiles, OwnQuotes
from pulse_core.scores.running import FLAGS, RunningSums
from pulse_core.scores.terms import PointTerms, Quoted, point_terms
from pulse_core.spec import RunSpec

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

BUFFERED: Final = 1 << 14
"""Values of one array over a stretch of steps: 128 KiB, so that a handful of them stay in a core's cache."""

LONGEST: Final = 256
"""Steps of a stretch."""


@attrs.frozen(eq=False)
class Stretch:
    """What was quoted over a stretch of steps.

    The steps from `first` on; `quote` (step, variable), the origin among all of the unit, or -1; `quantiles` (level,
    step, forecaster, variable, horizon), scaled as the histories are, NaN where there are none.
    """

    first: int
    quote: Positions
    quantiles: Array


Watch = Callable[[Stretch], None]


def score(
    forecasts: Array,
    origins: Origins,
    lessons: Lessons,
    spec: RunSpec,
    watchers: Sequence[Watch] = (),
    own: OwnQuotes = NO_QUOTES,
) -> Array:
    """Return the sums of all scores, shape (variable, batch, forecaster, horizon, sum).

    `forecasts` (forecaster, origin, horizon), in the roster's order, and quantiles of their `own`. Batches run from the
    first of the period. Each stretch of steps is shown to the watchers, in order; it is theirs only until they return.
    """
    walk = _Walk(forecasts, origins, lessons, spec, own)
    steps, variables = lessons.quote.shape
    length = min(max(1, BUFFERED // (variables * forecasts[:, 0].size)), LONGEST)
    for first in range(0, steps, length):
        last = min(first + length, steps)
        shape = (len(LEVELS), last - first, len(forecasts), variables, forecasts.shape[2])
        quantiles = np.empty(shape) if watchers else None
        walk.go(first, last, quantiles)
        if quantiles is not None:
            for watch in watchers:
                watch(Stretch(first, lessons.quote[first:last], quantiles))
    return walk.sums.finish()


class _Walk:
    """The state on the way: the calibrator, and the sums. Arrays of a step are (forecaster, variable, horizon)."""

    def __init__(self, forecasts: Array, origins: Origins, lessons: Lessons, spec: RunSpec, own: OwnQuotes) -> None:
        self._forecasts, self._origins, self._lessons = forecasts, origins, lessons
        self._known = KnownErrors(origins.released, lessons)
        shape = (len(forecasts), lessons.quote.shape[1], forecasts.shape[2])
        self._root = np.sqrt(np.arange(1.0, spec.horizon + 1.0))
        self._calibrator: Calibrator = CALIBRATORS[spec.calibration](shape)
        self._own = OwnQuantiles(own, shape, CALIBRATORS[spec.calibration]) if own.rows else None
        self.sums = RunningSums(shape, spec.roster.index(spec.benchmark), origins.batches)
        self._above = np.empty((len(LEVELS), *shape))
        self._error = np.empty(shape)

    def go(self, first: int, last: int, quantiles: Array | None) -> None:
        """Walk a stretch of steps; fill in the `quantiles` (level, step, ...) where they are asked for."""
        origins, quote = self._origins, self._lessons.quote[first:last]
        place, missing = np.maximum(quote, 0), quote == NONE
        point = self._points(place, missing)
        batch = np.where(missing, NONE, origins.batch[place])
        scale = origins.scale[place]
        scored = point_terms(
            Quoted(
                actual=origins.reported[place][:, None],
                newest=origins.newest[place][:, None, :, None],
                scale=scale[:, None, :, None],
                square_scale=origins.square_scale[place][:, None, :, None],
                counts=(batch >= 0)[:, None, :, None],
                point=point,
            )
        )
        flags = np.empty((last - first, FLAGS, *point.shape[1:]), dtype=bool)
        flags[:, 0], flags[:, 2], flags[:, 3] = scored.scored, scored.hits, scored.calls
        counting, unit = np.asarray(scored.scored.any(axis=(1, 2, 3))), 1.0 / scale[:, :, None]
        expected = scale[:, :, None] * self._root
        for row in range(last - first):
            if self._known.any(first + row):
                self._learn(first + row)
            offsets, size = self._calibrator.quote(expected[row], point[row])
            if self._own is not None:
                offsets, size = self._own.quote((offsets, size), quote[row])
            if quantiles is not None:
                np.add(point[row], np.multiply(size, offsets, out=self._above), out=quantiles[:, row])
            self.sums.enter(batch[row])
            if counting[row]:
                self._add(scored, row, flags[row], (offsets, size), unit[row])

    def _learn(self, step: int) -> None:
        error = self._known.of(self._forecasts, step, self._error)
        if self._own is not None:
            self._own.learn(error, self._known.place(step))
        self._calibrator.learn(error)

    def _points(self, place: Positions, missing: NDArray[np.bool_]) -> Array:
        """Return what is forecast at the steps' origins (step, forecaster, variable, horizon)."""
        point = np.empty((len(place), *self._error.shape))
        for row, chosen in enumerate(place):
            self._forecasts.take(chosen, axis=1, out=point[row], mode="clip")
        if missing.any():
            np.moveaxis(point, 1, 2)[missing] = np.nan
        return point

    def _add(
        self, scored: PointTerms, row: int, flags: NDArray[np.bool_], quoted: tuple[Array, Array], unit: Array
    ) -> None:
        """Add a step; where there is no forecast or no quantile, error and size are 0, and so is all that follows."""
        offsets, size = quoted
        error, certain = scored.error[row], flags[1]
        np.isfinite(size, out=certain)
        np.logical_and(certain, flags[0], out=certain)
        everywhere = bool(certain.all())
        if not everywhere:
            error, size = np.where(certain, error, 0.0), np.where(certain, size, 0.0)
        np.multiply(size, offsets, out=self._above)
        np.subtract(error, self._above, out=self._above)
        self.sums.add(scored.terms[row], flags, self._above, unit, everywhere=everywhere)
