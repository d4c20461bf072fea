"""Walk through all origins in order: quote quantiles, score them, learn from each error as it becomes known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.calibration import CALIBRATORS, LEVELS, Calibrator
from pulse_core.learning import NONE, Lessons
from pulse_core.origins import Origins
from pulse_core.scores.sums import SUMS
from pulse_core.scores.terms import Quoted, terms
from pulse_core.spec import RunSpec

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

BUFFERED: Final = 1 << 18
"""Values of all terms over a stretch of steps: 2 MiB."""


@attrs.frozen(eq=False)
class Stretch:
    """What was quoted over a stretch of steps.

    The steps from `first` on; `quote` (step, variable), the origin among all of the unit, or -1; `quantiles` (level,
    step, variable, horizon, forecaster), scaled as the histories are, NaN where there are none.
    """

    first: int
    quote: Positions
    quantiles: Array


Watch = Callable[[Stretch], None]


def score(forecasts: Array, origins: Origins, lessons: Lessons, spec: RunSpec, watchers: Sequence[Watch] = ()) -> Array:
    """Return the sums of all scores, shape (variable, batch, forecaster, horizon, sum).

    `forecasts` (forecaster, origin, horizon), in the roster's order. Batches run from the first of the period. Each
    stretch of steps is shown to the watchers, in order; it is theirs only until they return.
    """
    point = np.ascontiguousarray(np.moveaxis(forecasts, 0, 2))
    walk = _Walk(point, origins, lessons, spec)
    steps, variables = lessons.quote.shape
    stretch = max(1, BUFFERED // (len(SUMS) * variables * point[0].size))
    for first in range(0, steps, stretch):
        quantiles = walk.go(first, min(first + stretch, steps))
        for watch in watchers:
            watch(Stretch(first, lessons.quote[first : first + stretch], quantiles))
    walk.finish()
    return np.ascontiguousarray(np.moveaxis(walk.sums, (2, 3, 4), (4, 3, 2)))


class _Walk:
    """The state on the way: the calibrator, and the sums of the batch each variable is in.

    Arrays over origins are (origin, horizon, forecaster), over variables (variable, horizon, forecaster).
    """

    def __init__(self, point: Array, origins: Origins, lessons: Lessons, spec: RunSpec) -> None:
        self._point, self._origins, self._lessons = point, origins, lessons
        self._error = origins.released[:, :, None] - point
        self._benchmark = spec.roster.index(spec.benchmark)
        self._root = np.sqrt(np.arange(1.0, spec.horizon + 1.0))[:, None]
        self._shape = (lessons.quote.shape[1], *point.shape[1:])
        self._calibrator: Calibrator = CALIBRATORS[spec.calibration](self._shape)
        self._batch = np.full(self._shape[0], NONE)
        self._running = np.zeros((len(SUMS), *self._shape))
        self.sums = np.zeros((self._shape[0], origins.batches, len(SUMS), *point.shape[1:]))

    def go(self, first: int, last: int) -> Array:
        """Walk a stretch of steps: learn and quote one after another, then score them at once; return the quantiles."""
        offsets = np.empty((len(LEVELS), last - first, *self._shape))
        sizes = np.empty((last - first, *self._shape))
        for row, step in enumerate(range(first, last)):
            self._learn(self._lessons.learn[step])
            offsets[:, row], sizes[row] = self._quote(self._lessons.quote[step])
        quote = self._lessons.quote[first:last]
        quoted = self._quoted(quote, offsets, sizes)
        self._add(quote, terms(quoted))
        return quoted.quantiles

    def finish(self) -> None:
        """Put the last batches' sums away."""
        self._put_away(np.flatnonzero(self._batch >= 0))

    def _learn(self, learn: Positions) -> None:
        place = np.maximum(learn, 0)
        error = self._error[place, np.arange(learn.shape[1])]
        if (learn == NONE).any():
            error = np.where(learn[:, :, None] == NONE, np.nan, error)
        self._calibrator.learn(error)

    def _quote(self, quote: Positions) -> tuple[Array, Array]:
        place = np.maximum(quote, 0)
        point = self._point[place]
        if (quote == NONE).any():
            point = np.where(quote[:, None, None] == NONE, np.nan, point)
        scale = self._root * self._origins.scale[place][:, None, None]
        return self._calibrator.quote(scale, point)

    def _quoted(self, quote: Positions, offsets: Array, sizes: Array) -> Quoted:
        """Gather what was quoted over a stretch, (step, variable, horizon, forecaster)."""
        place = np.maximum(quote, 0)
        origins, point = self._origins, self._point[place]
        counts = (quote != NONE) & (origins.batch[place] >= 0)
        np.multiply(sizes, offsets, out=offsets)
        np.add(point, offsets, out=offsets)
        return Quoted(
            actual=origins.reported[place][..., None],
            newest=origins.newest[place][..., None, None],
            scale=origins.scale[place][..., None, None],
            square_scale=origins.square_scale[place][..., None, None],
            counts=counts[..., None, None],
            point=point,
            quantiles=offsets,
            benchmark=self._benchmark,
        )

    def _add(self, quote: Positions, scored: Iterator[Array]) -> None:
        added = np.empty((len(quote), len(SUMS), *self._shape))
        for place, term in enumerate(scored):
            added[:, place] = term
        batch = np.where(quote == NONE, NONE, self._origins.batch[np.maximum(quote, 0)])
        for row in range(len(quote)):
            moved = (batch[row] != self._batch) & (batch[row] >= 0)
            if moved.any():
                self._put_away(np.flatnonzero(moved & (self._batch >= 0)))
                self._batch = np.where(moved, batch[row], self._batch)
            np.add(self._running, added[row], out=self._running)

    def _put_away(self, variables: Positions) -> None:
        for variable in variables:
            self.sums[variable, self._batch[variable]] = self._running[:, variable]
            self._running[:, variable] = 0.0
