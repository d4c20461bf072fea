"""The conditional scale of a variable's errors: how far values may move now, beside how far they moved once.

Series by day or faster have calm and restless times. From their steps so far follows, at each origin, a scale of what
comes; errors over it are what quantiles are learned from. See volatility.c for the model and its sources.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import frozen
from pulse_core.data.calendars import Calendar
from pulse_core.data.point_in_time import PointInTime, calendar_at
from pulse_core.data.zones import DAY
from pulse_core.kernel.volatility import ConditionalScale, conditional_scale

Array = NDArray[np.float64]

LEAST_STEPS: Final = 250
"""So many steps are known before a conditional scale is used."""

LEAST_MOVES: Final = 0.5
"""The share of these that are not zero: what rests most of the time has no volatility that could be told."""

PERSISTENCES: Final = (0.995, 0.96)
SHARES: Final = (0.03, 0.06, 0.12, 0.2)
LEANINGS: Final = (-0.75, -0.25, 0.25, 0.75)
"""The grid: k, a, and by what share of it a is larger for distances above zero and smaller for others."""

SQUARE_RATE: Final = 0.04
"""The least rate at which the mean square of errors is learned; of errors over a conditional scale: the other."""

RELATIVE_SQUARE_RATE: Final = 0.005
_SETTLED: Final = 25.0
"""As many errors as one counts that is learned at SQUARE_RATE."""

_LARGEST: Final = 2.0**400


@attrs.frozen(eq=False)
class Volatility:
    """The conditional scale at each origin, in that of origin `first`, with which it begins; 1 before it.

    `scale` (origin, horizon). (origin,): `lean`, from -1 to 1, how far the scale is below or above what it has been, 0
    before `first`; `square_rate`, the least rate at which the mean square of an origin's errors is learned;
    `step_square`, the mean square of the history's steps over this scale.
    """

    first: int
    scale: Array
    lean: Array
    square_rate: Array
    step_square: Array


def volatility_of(point: PointInTime, horizon: int, step_square: Array, period: int) -> Volatility | None:
    """Return the conditional scale of a variable; None where it has none.

    It begins with the first origin that knows LEAST_STEPS steps, if enough of them are not zero and the calendar is by
    day or faster as it stands then, or at the first origin of the `period`, whichever is later. `step_square` (origin,)
    is the mean square of the history's steps.
    """
    first = int(np.argmax(point.origin_length > LEAST_STEPS))
    if point.origin_length[first] <= LEAST_STEPS or not _moves(point, first):
        return None
    newest = int(point.origin_step[first])
    if not is_by_day(point.calendar if first <= period else calendar_at(point.step_timestamp, newest)):
        return None
    return from_origin(first, *_at_origins(point, horizon), step_square)


def from_origin(first: int, scale: Array, lean: Array, excess: Array, step_square: Array) -> Volatility | None:
    """Return the volatility that begins with an origin, of ConditionalScale's numbers; None where nothing moves."""
    unit = scale[first, 0]
    if not 0.0 < unit * unit < np.inf or not excess[first] > 0.0:
        return None
    relative = np.minimum(np.maximum(scale / unit, 1.0 / _LARGEST), _LARGEST)
    origins = np.arange(len(scale))
    later = origins >= first
    relative[~later] = 1.0
    since = np.maximum(origins - first, 0) + (_SETTLED if first else np.inf)
    return Volatility(
        first=first,
        scale=relative,
        lean=np.where(later, lean, 0.0),
        square_rate=np.where(later, np.maximum(RELATIVE_SQUARE_RATE, 1.0 / since), SQUARE_RATE),
        step_square=np.where(later, excess[first] * (unit * unit), step_square),
    )


def is_by_day(calendar: Calendar | None) -> bool:
    """Whether timestamps come by day or faster."""
    if calendar is None:
        return False
    return calendar.unit == "business days" or (calendar.unit == "microseconds" and calendar.step <= DAY)


def _moves(point: PointInTime, origin: int) -> bool:
    steps = np.diff(point.paths[point.origin_path[origin]][: point.origin_length[origin]])
    return bool(np.count_nonzero(steps) >= LEAST_MOVES * len(steps))


def _at_origins(point: PointInTime, horizon: int) -> tuple[Array, Array, Array]:
    """Return scale (origin, horizon), lean and excess (origin,)."""
    parts: list[ConditionalScale] = []
    for path, origins in point.origins_by_path():
        lengths = np.ascontiguousarray(point.origin_length[origins])
        parts.append(conditional_scale(point.paths[path], lengths, horizon, grid(), decay(horizon)))
    scale, lean, excess = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("scale", "lean", "excess")
    )
    return scale, lean, excess


@cache
def grid() -> Array:
    """Return the grid as the kernel takes it, persistence by persistence: 1 - k, a above zero, a elsewhere, k - a."""
    points = [(k, a, share) for k in PERSISTENCES for a in SHARES for share in LEANINGS]
    rows = [(1.0 - k, a * (1.0 + share), a * (1.0 - share), k - a) for k, a, share in points]
    return frozen(np.ascontiguousarray(np.array(rows).T))


@cache
def decay(horizon: int) -> Array:
    """Return means over i = 1..h of k^(i-1) and of its squares, by h; (persistence, 2, horizon)."""
    powers = np.ones((len(PERSISTENCES), 2, horizon))
    factors = np.array([[k, k * k] for k in PERSISTENCES])
    for step in range(1, horizon):
        powers[:, :, step] = powers[:, :, step - 1] * factors
    return frozen(np.cumsum(powers, axis=-1) / np.arange(1.0, horizon + 1.0))
