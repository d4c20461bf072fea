"""What was known when: the histories, origins and first releases of one variable."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.covariates import recent_changes
from pulse_core.data.observations import Moments, Observations, Values, end_of
from pulse_core.data.vintages import Timeline, arrange, timeline
from pulse_core.errors import DataError, TooLittleData
from pulse_core.spec import RunSpec

Positions = NDArray[np.int64]

SAFE_EXPONENT: Final = 400
"""Values of up to 2 to this power have squares and sums that fit a float64, and so have their reciprocals."""

WARM_UP: Final = 250
"""How many origins before the period learners (calibration, ensemble) start with."""


@attrs.frozen(eq=False)
class PointInTime:
    """One variable as known at each of its origins, transformed to the spec's target, and scaled where extreme.

    Values are in 2**`exponent` of the data's units. `paths`: histories (n,), each extended as long as no older
    value was revised. Origin i (known at `origin_known_at[i]`) knows the first `origin_length[i]` values of path
    `origin_path[i]`; its newest timestamp is step `origin_step[i]` of the grid. The grid holds the timestamps that
    were newer, when they became known, than all known before; `step_known_at`, `step_first` and `step_latest` give
    their first release and newest value.
    A timestamp filled in behind the newest one enters histories and is no step: it was never ahead of an origin.
    """

    variable: str
    exponent: int
    paths: tuple[Values, ...]
    origin_known_at: Moments
    origin_path: Positions
    origin_length: Positions
    origin_step: Positions
    step_timestamp: Moments
    step_known_at: Moments
    step_first: Values
    step_latest: Values
    predictors: tuple[Values, ...] = ()
    """Recent changes of other variables at each row of each path, (predictor x lag, n), scaled by powers of two."""

    def origins_by_path(self) -> Iterator[tuple[int, slice]]:
        """Yield each path that origins know, in order, with its origins, which are neighbours."""
        first = 0
        while first < len(self.origin_path):
            path = int(self.origin_path[first])
            last = int(np.searchsorted(self.origin_path, path, side="right"))
            yield path, slice(first, last)
            first = last


def point_in_time(observations: Observations, spec: RunSpec, predictors: Sequence[Observations] = ()) -> PointInTime:
    """Arrange the rows known by the end of the period. Raises TooLittleData where no origin falls into it.

    `known_at` of the observations and the predictors must have been resolved.
    """
    known = observations.known_by(end_of(spec.last_day))
    if spec.target == "log-change":
        known = _logarithms(known)
    times = timeline(known)
    origins = _origins(known, times, spec)
    if not len(origins):
        raise _no_origin(known, times, spec)
    with np.errstate(over="ignore", invalid="ignore"):  # a change beyond float64 is no value to forecast
        vintages = arrange(known, times, origins, differenced=spec.target != "level")
    steps = times.is_step
    point = PointInTime(
        variable=known.variable,
        exponent=0,
        paths=vintages.paths,
        origin_known_at=known.releases[times.ends[origins] - 1],
        origin_path=vintages.origin_path,
        origin_length=vintages.origin_length,
        origin_step=times.step[origins],
        step_timestamp=known.timestamps[steps],
        step_known_at=known.releases[steps],
        step_first=vintages.step_first,
        step_latest=vintages.step_latest,
    )
    if predictors:
        others = [one.known_by(end_of(spec.last_day)) for one in predictors if one.variable != known.variable]
        point = attrs.evolve(point, predictors=_changes(point, vintages.stamps, others))
    return _scaled(point)


def _changes(point: PointInTime, stamps: Sequence[Moments], predictors: Sequence[Observations]) -> tuple[Values, ...]:
    """Return the predictors' recent changes along each path, scaled by what the first origin knows of them."""
    changes = [recent_changes(one, point.step_timestamp, point.step_known_at, predictors) for one in stamps]
    at_first = np.abs(changes[point.origin_path[0]][:, : point.origin_length[0]])
    largest = np.where(np.isfinite(at_first), at_first, 0.0).max(axis=1, initial=0.0)
    _, exponents = np.frexp(largest)
    with np.errstate(over="ignore", under="ignore"):
        return tuple(np.ldexp(one, -exponents[:, None]) for one in changes)


def _logarithms(known: Observations) -> Observations:
    wrong = np.flatnonzero(known.values <= 0)
    if len(wrong):
        first = known.timestamps[wrong[0]]
        raise DataError(
            f"{len(wrong)} values are not above 0, the first at {first}",
            known.source or f"variable '{known.variable}'",
            "The target log-change needs positive values; use change or level",
        )
    # math.log gives the same bits on every CPU type; numpy's does not
    return attrs.evolve(known, values=[math.log(value) for value in known.values.tolist()])


def _origins(known: Observations, times: Timeline, spec: RunSpec) -> Positions:
    """Return the groups that are origins in the period, and those just before it; none where the period has none."""
    able = np.flatnonzero(times.advances & (times.distinct >= _least_observations(spec)))
    moments = known.releases[times.ends[able] - 1]
    first = int(np.searchsorted(moments, np.datetime64(spec.start, "us")))
    return able[max(first - WARM_UP, 0) :] if first < len(able) else able[:0]


def _least_observations(spec: RunSpec) -> int:
    return spec.min_history + (spec.target != "level")


def _no_origin(known: Observations, times: Timeline, spec: RunSpec) -> TooLittleData:
    count = int(times.distinct[-1]) if len(times.distinct) else 0
    span = f", the newest at {known.timestamps.max().astype('datetime64[s]')}" if count else ""
    return TooLittleData(
        f"no forecast origin from {spec.start} to {spec.last_day}: {count} timestamps are known by then{span}; "
        f"an origin needs a new one in the period and {_least_observations(spec)} in all",
        known.source or f"variable '{known.variable}'",
        "Choose another period, lower min_history, or bring more data",
    )


def _scaled(point: PointInTime) -> PointInTime:
    """Bring extreme values into a range in which squares are safe, by a power of two: no bit of a mantissa changes."""
    exponent = _exponent(point)
    if not exponent:
        return point
    with np.errstate(over="ignore", under="ignore"):
        return attrs.evolve(
            point,
            exponent=exponent,
            paths=tuple(np.ldexp(path, -exponent) for path in point.paths),
            step_first=np.ldexp(point.step_first, -exponent),
            step_latest=np.ldexp(point.step_latest, -exponent),
        )


def _exponent(point: PointInTime) -> int:
    """Return by how much the first origin that knows anything but zero is out of the safe range; 0 within it.

    What comes later may be as much larger or smaller again before it is lost.
    """
    for path, length in zip(point.origin_path, point.origin_length, strict=True):
        largest = float(np.abs(point.paths[path][:length]).max())
        if largest > 0:
            _, exponent = math.frexp(largest)
            return exponent - min(max(exponent, -SAFE_EXPONENT), SAFE_EXPONENT)
    return 0
