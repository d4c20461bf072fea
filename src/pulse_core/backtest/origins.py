"""All origins of a unit side by side, and what happened after each."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.point_in_time import PointInTime
from pulse_core.forecasters.base import Histories
from pulse_core.plan import batch_index
from pulse_core.spec import RunSpec

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

Stretches = Sequence[tuple[Positions, Histories]]


@attrs.frozen(eq=False)
class Origins:
    """All origins of a unit, variable after variable, in order of time; those before the period serve learners only.

    (origin,): `variable`; `batch`, negative before the period; `newest` (y_n); `scale` and `square_scale`, the mean
    absolute and mean squared (seasonal) step so far, NaN where zero. (origin, horizon): `reported` and `released`
    actuals, NaN where not known by the end, and `known_batch`, the batch in which the release became known, or -1.
    """

    variable: Positions
    batch: Positions
    newest: Array
    scale: Array
    square_scale: Array
    reported: Array
    released: Array
    known_batch: Positions

    @property
    def batches(self) -> int:
        """How many batches the origins and actuals touch, counted from the first of the period."""
        return int(max(self.batch.max(), self.known_batch.max())) + 1


def gather(points: Sequence[PointInTime], spec: RunSpec, stretches: Stretches) -> Origins:
    """Put the origins of all points side by side."""
    variable = np.repeat(np.arange(len(points)), [len(point.origin_step) for point in points])
    newest, scale, square_scale = (np.empty(len(variable)) for _ in range(3))
    for places, histories in stretches:
        newest[places] = histories.at_origins(histories.values)
        scale[places], square_scale[places] = _scales(histories, spec.season or 1)
    released, latest, known_batch = zip(*(_actuals(point, spec) for point in points), strict=True)
    return Origins(
        variable=variable,
        batch=batch_index(spec, np.concatenate([point.origin_known_at for point in points])),
        newest=newest,
        scale=scale,
        square_scale=square_scale,
        reported=np.concatenate(latest if spec.actuals == "latest" else released),
        released=np.concatenate(released),
        known_batch=np.concatenate(known_batch),
    )


def _scales(histories: Histories, season: int) -> tuple[Array, Array]:
    """Return the mean absolute and the mean squared seasonal step of what each origin knows; NaN where it is zero."""
    steps = np.zeros_like(histories.values)
    steps[season:] = np.abs(histories.values[season:] - histories.values[:-season])
    counts = np.maximum(histories.origin_length - season, 0).astype(np.float64)
    sums = (histories.at_origins(np.cumsum(terms, axis=0)) for terms in (steps, steps * steps))
    absolute, square = (np.where(total > 0, total, np.nan) / counts for total in sums)
    return absolute, square


def _actuals(point: PointInTime, spec: RunSpec) -> tuple[Array, Array, Positions]:
    """Return first and latest actuals and the batch of the first release; (origin, horizon), NaN and -1 if unknown."""
    target = point.origin_step[:, None] + np.arange(1, spec.horizon + 1)
    there = target < len(point.step_first)
    place = np.where(there, target, 0)
    released, latest = (np.where(there, values[place], np.nan) for values in (point.step_first, point.step_latest))
    return released, latest, np.where(there, batch_index(spec, point.step_known_at)[place], -1)
