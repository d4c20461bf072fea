"""When each error of each origin became known: the order in which learners learn and quote."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.point_in_time import PointInTime

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

NONE = -1
PREPARED = 256
"""Steps whose errors are looked up at once."""


@attrs.frozen(eq=False)
class Lessons:
    """Steps of learning of the variables of a unit, side by side; positions among all origins of the unit, or -1.

    At each step a variable first learns, per horizon, from the error of origin `learn` (step, variable, horizon),
    then quotes at origin `quote` (step, variable). A horizon learns from its origins in order, each as soon as
    its actual is known, and before the origin that is known at the same moment quotes.
    """

    learn: Positions
    quote: Positions


def lessons(points: Sequence[PointInTime], horizon: int) -> Lessons:
    """Return the steps of all variables, padded to the longest."""
    offsets = np.cumsum([0, *(len(point.origin_step) for point in points)])
    each = [_of(point, horizon, int(offset)) for point, offset in zip(points, offsets[:-1], strict=True)]
    steps = max(len(quote) for _, quote in each)
    learn = np.full((steps, len(points), horizon), NONE)
    quote = np.full((steps, len(points)), NONE)
    for variable, (learned, quoted) in enumerate(each):
        learn[: len(learned), variable], quote[: len(quoted), variable] = learned, quoted
    return Lessons(learn, quote)


class KnownErrors:
    """The errors that become known at each step, of any forecasts made at the same origins.

    `released` actuals are (origin, horizon).
    """

    def __init__(self, released: Array, lessons: Lessons) -> None:
        self._learn, self._released = lessons.learn, released.ravel()
        self._horizon = released.shape[1]
        self._ahead = np.arange(self._horizon)
        self._places = np.empty((0, *self._learn.shape[1:]), dtype=np.int64)
        self._first = 0

    def any(self, step: int) -> bool:
        """Return whether there are any."""
        self._prepare(step)
        return bool(self._some[step - self._first])

    def place(self, step: int) -> Positions:
        """Return where each stands among all origins and horizons (variable, horizon); anywhere where there is none."""
        self._prepare(step)
        return np.asarray(self._places[step - self._first])

    def of(self, forecasts: Array, step: int, out: Array) -> Array:
        """Return the errors (forecaster, variable, horizon), NaN where there are none, in `out`.

        `forecasts` (forecaster, origin, horizon).
        """
        self._prepare(step)
        row = step - self._first
        forecasts.reshape(len(forecasts), -1).take(self._places[row], axis=1, out=out, mode="clip")
        np.subtract(self._actual[row], out, out=out)
        return out

    def _prepare(self, step: int) -> None:
        """Look many steps up at once."""
        if self._first <= step < self._first + len(self._places):
            return
        self._first = step
        learn = self._learn[step : step + PREPARED]
        self._places = np.maximum(learn, 0) * self._horizon + self._ahead
        self._actual = np.where(learn == NONE, np.nan, self._released[self._places])
        self._some = (learn != NONE).any(axis=(1, 2))


def _of(point: PointInTime, horizon: int, offset: int) -> tuple[Positions, Positions]:
    """Return one variable's steps: (step, horizon) and (step,)."""
    origins = len(point.origin_step)
    known = np.stack([_known(point, ahead) for ahead in range(1, horizon + 1)], axis=1)
    before = np.vstack([np.zeros((1, horizon), dtype=np.int64), known[:-1]])
    fresh = known - before
    # several errors of a horizon may become known at once: one step each
    rows = np.maximum(fresh.max(axis=1), 1)
    origin = np.repeat(np.arange(origins), rows)
    within = np.arange(len(origin)) - np.repeat(np.cumsum(rows) - rows, rows)
    learn = np.where(within[:, None] < fresh[origin], before[origin] + within[:, None] + offset, NONE)
    quote = np.where(within == rows[origin] - 1, origin + offset, NONE)
    return learn, quote


def _known(point: PointInTime, ahead: int) -> Positions:
    """Return how many origins' errors `ahead` steps on are known at each origin."""
    targets = point.origin_step + ahead
    released = point.step_known_at[targets[targets < len(point.step_known_at)]]
    return np.searchsorted(released, point.origin_known_at, side="right")
