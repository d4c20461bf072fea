"""When each error of each origin became known: the order in which learners learn and quote."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.point_in_time import PointInTime

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

NONE = -1


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


def errors_known(forecasts: Array, released: Array, learn: Positions, out: Array) -> Array:
    """Return the errors that become known at a step, (forecaster, variable, horizon), NaN where there are none.

    `forecasts` (forecaster, origin, horizon), `released` actuals (origin, horizon), `learn` (variable, horizon).
    """
    horizon = learn.shape[1]
    place = np.maximum(learn, 0) * horizon + np.arange(horizon)
    actual = np.where(learn == NONE, np.nan, released.ravel()[place])
    np.take(forecasts.reshape(len(forecasts), -1), place, axis=1, out=out, mode="clip")
    return np.subtract(actual, out, out=out)


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
