"""The origins of one variable, and what happened after each."""

from __future__ import annotations

from functools import cached_property

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.volatility import Volatility, volatility_of
from pulse_core.data.point_in_time import PointInTime
from pulse_core.kernel.bindings import doubles, library, positions
from pulse_core.plan import batch_index
from pulse_core.spec import RunSpec

Array = NDArray[np.float64]
Positions = NDArray[np.int64]


@attrs.frozen(eq=False)
class Origins:
    """All origins of a variable in order of time; those before the period serve learners only.

    (origin,): `batch`, negative before the period; `newest` (y_n); `scale` and `square_scale`, the mean absolute and
    mean squared (seasonal) step so far, NaN where zero; `step_square`, the mean squared step so far, not seasonal, and
    `steps`, how many these are. (origin, horizon): `reported` and `released` actuals, NaN where not known by the end;
    `known`, how many origins' errors so many steps ahead are known at the origin.
    """

    batch: Positions
    newest: Array
    scale: Array
    square_scale: Array
    step_square: Array
    steps: Array
    reported: Array
    released: Array
    known: Positions
    volatility: Volatility | None = None
    """The conditional scale of errors, where the variable has one."""

    def __len__(self) -> int:
        return len(self.batch)

    @cached_property
    def first(self) -> int:
        """Index of the first origin of the period."""
        return int(np.searchsorted(self.batch, 0))

    @cached_property
    def batches(self) -> Positions:
        """The batches that have an origin, in order; nothing happens in others, for an actual is first known at one."""
        return np.unique(self.batch[self.first :])

    @cached_property
    def batch_rows(self) -> Positions:
        """The position of each origin's batch among `batches`, negative before the period; (origin,)."""
        return np.where(self.batch < 0, -1, np.searchsorted(self.batches, self.batch))


def origins_of(point: PointInTime, spec: RunSpec) -> Origins:
    """Return the origins of a variable."""
    horizons = np.arange(1, spec.horizon + 1)
    # (origin, horizon); what is beyond the grid is one past its last step
    step = np.minimum(point.origin_step[:, None] + horizons, len(point.step_first))
    released = np.append(point.step_first, np.nan)[step]
    season = point.seasonality.shortest
    scale, square_scale = scales(point, season)
    step_square = square_scale if season == 1 else scales(point, 1)[1]
    batch = batch_index(spec, point.origin_known_at)
    volatility = None
    if spec.calibration == "conformal":
        volatility = volatility_of(point, spec.horizon, step_square, int(np.searchsorted(batch, 0)))
    return Origins(
        batch=batch,
        newest=newest_values(point),
        scale=scale,
        square_scale=square_scale,
        step_square=step_square,
        steps=(point.origin_length - 1).astype(np.float64),
        reported=released if spec.actuals == "first" else np.append(point.step_latest, np.nan)[step],
        released=released,
        known=_known(point, horizons),
        volatility=volatility,
    )


def newest_values(point: PointInTime) -> Array:
    """Return y_n at each origin; (origin,)."""
    newest = np.empty(len(point.origin_path))
    for path, origins in point.origins_by_path():
        newest[origins] = point.paths[path][point.origin_length[origins] - 1]
    return newest


def scales(point: PointInTime, season: int) -> tuple[Array, Array]:
    """Return the mean absolute and the mean squared seasonal step of what each origin knows; NaN where it is zero."""
    scale, square_scale = np.empty((2, len(point.origin_path)))
    for path, origins in point.origins_by_path():
        values, lengths = point.paths[path], np.ascontiguousarray(point.origin_length[origins])
        count = len(lengths)
        absolute, square = scale[origins], square_scale[origins]
        library().pulse_scales(
            doubles(values, len(values)),
            positions(lengths, count),
            count,
            season,
            doubles(np.zeros(3), 3),
            doubles(absolute, count),
            doubles(square, count),
        )
    return scale, square_scale


def _known(point: PointInTime, horizons: Positions) -> Positions:
    """Return how many origins' errors so many steps on are known at each origin; (origin, horizon)."""
    steps = np.searchsorted(point.step_known_at, point.origin_known_at, side="right")
    # (step,): how many origins stand before it
    before = np.searchsorted(point.origin_step, np.arange(len(point.step_known_at) + 1))
    return np.asarray(before[np.maximum(steps[:, None] - horizons, 0)])
