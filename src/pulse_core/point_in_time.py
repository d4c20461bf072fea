"""What was known when: the histories, origins and first releases of one variable."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.errors import DataError, TooLittleData
from pulse_core.series import Moments, Observations, Values, end_of
from pulse_core.spec import RunSpec
from pulse_core.timeline import Timeline, arrange, timeline

Positions = NDArray[np.int64]


@attrs.frozen(eq=False)
class PointInTime:
    """One variable as known at each of its origins, transformed to the spec's target, scaled by 2**-exponent.

    `paths`: histories (n,), each extended as long as no older value was revised. Origin i (known at
    `origin_known_at[i]`) knows the first `origin_length[i]` values of path `origin_path[i]`; its newest timestamp
    is step `origin_step[i]` of the grid. The grid holds the timestamps that were newer, when they became known, than
    all known before; `step_known_at`, `step_first` and `step_latest` give their first release and newest value.
    A timestamp filled in behind the newest one enters histories and is no step: it was never ahead of an origin.
    """

    variable: str
    exponent: int
    paths: tuple[Values, ...]
    origin_known_at: Moments
    origin_path: Positions
    origin_length: Positions
    origin_step: Positions
    step_known_at: Moments
    step_first: Values
    step_latest: Values


def point_in_time(observations: Observations, spec: RunSpec) -> PointInTime:
    """Arrange the rows known by the end of the period. Raises TooLittleData where no origin falls into it.

    `observations.known_at` must have been resolved.
    """
    known = observations.known_by(end_of(spec.last_day))
    if spec.target == "log-change":
        known = _logarithms(known)
    times = timeline(known)
    origins = _origins_in_period(known, times, spec)
    if not len(origins):
        raise _no_origin(known, times, spec)
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
        step_known_at=known.releases[steps],
        step_first=vintages.step_first,
        step_latest=vintages.step_latest,
    )
    return _scaled(point)


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


def _origins_in_period(known: Observations, times: Timeline, spec: RunSpec) -> Positions:
    moments = known.releases[times.ends - 1]
    enough = times.distinct >= _least_observations(spec)
    return np.flatnonzero(times.advances & enough & (moments >= np.datetime64(spec.start, "us")))


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
    """Scale by the power of two of the largest value at the first origin: no bit of a mantissa changes."""
    at_first = point.paths[point.origin_path[0]][: point.origin_length[0]]
    _, exponent = math.frexp(float(np.abs(at_first).max()))
    with np.errstate(over="ignore", under="ignore"):
        return attrs.evolve(
            point,
            exponent=exponent,
            paths=tuple(np.ldexp(path, -exponent) for path in point.paths),
            step_first=np.ldexp(point.step_first, -exponent),
            step_latest=np.ldexp(point.step_latest, -exponent),
        )
