"""Point in time: the histories, origins and first releases of one variable, as they were known at each moment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import moment_text
from pulse_core.data.calendars import Calendar, calendar_of
from pulse_core.data.covariates import along_paths, recent_changes
from pulse_core.data.observations import Moments, Observations, Values, end_of
from pulse_core.data.seasons import (
    LEAST_HISTORY,
    NEWEST,
    Seasonality,
    given,
    least_history,
    seasonality,
    tested_history,
)
from pulse_core.data.vintages import Timeline, Vintages, arrange, timeline
from pulse_core.errors import DataError, TooLittleData
from pulse_core.spec import RunSpec

Positions = NDArray[np.int64]

SAFE_EXPONENT: Final = 400
"""Values of up to 2 to this power have squares and sums that fit a float64, and so have their reciprocals."""

WARM_UP: Final = 250
"""The number of origins before the period from which calibration and ensemble learn."""

CALENDAR_STEPS: Final = 1000
"""The newest steps of the grid, from which the calendar is read."""


@attrs.frozen(eq=False)
class PointInTime:
    """One variable as known at each of its origins, transformed to the spec's target, and scaled where extreme.

    Values are in 2**`exponent` of the data's units. `paths` are histories (n,), each of which grows until an older
    value is revised. Origin i (known at `origin_known_at[i]`) knows the first `origin_length[i]` values of path
    `origin_path[i]`; its newest timestamp is step `origin_step[i]` of the grid. The grid holds the timestamps that
    were newer, when they became known, than all known before: `step_timestamp`, when their first release was known
    (`step_known_at`), its value (`step_first`) and the latest one (`step_latest`). A timestamp that was filled in
    behind the newest one enters histories but is no step of the grid, because no origin forecasts it.
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
    """The predictors' recent changes at each row of each path, (predictor x lag, n), scaled by powers of two."""
    min_history: int = 1
    """Values that a history has at least."""
    calendar: Calendar | None = None
    """The calendar of the grid as it stood at the first origin of the period."""
    seasonality: Seasonality = attrs.field(factory=Seasonality)
    """The seasons as of the first origin of the period."""

    def origins_by_path(self) -> Iterator[tuple[int, slice]]:
        """Yield each path that origins know, in order, with its origins, which follow one another."""
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
    end = end_of(spec.last_day)
    rows = observations.known_by(end)
    if spec.target == "log-change":
        rows = _logarithms(rows)
    times = timeline(rows)
    least = spec.min_history or _least_history(rows, times, spec)
    needed = least + (spec.target != "level")
    origins = _origins(rows, times, spec, needed)
    if not len(origins):
        raise _no_origin(rows, times, spec, needed)
    with np.errstate(over="ignore", invalid="ignore"):  # a change beyond float64 is no value to forecast
        vintages = arrange(rows, times, origins, differenced=spec.target != "level")
    point = attrs.evolve(_at_origins(rows, times, origins, vintages), min_history=least)
    if predictors:
        covariates = [predictor.known_by(end) for predictor in predictors if predictor.variable != rows.variable]
        point = attrs.evolve(point, predictors=_predictor_changes(point, vintages.stamps, covariates))
    return _with_seasons(_scaled(point), spec)


def _least_history(rows: Observations, times: Timeline, spec: RunSpec) -> int:
    """Return the values that a history has at least, by the calendar when the period starts.

    Or when LEAST_HISTORY timestamps are known, if that is later. Where the season is found, and fewer values are known
    by then than it is tested on, forecasts begin with these: else a variable by day that begins in the period would
    have no season for the whole run.
    """
    moments = rows.releases[times.ends - 1]
    at_start = int(np.searchsorted(moments, np.datetime64(spec.start, "us"), side="right")) - 1
    enough = np.flatnonzero(times.present >= LEAST_HISTORY)
    if not len(enough) or spec.season.of(rows.variable) == ():
        return LEAST_HISTORY
    newest = int(times.step[max(at_start, int(enough[0]))])
    calendar = calendar_at(rows.timestamps[times.is_step], newest)
    least, tested = least_history(calendar), tested_history(calendar)
    is_begun = at_start >= 0 and times.present[at_start] >= tested
    return least if is_begun or spec.season.of(rows.variable) is not None else max(least, tested)


def calendar_at(steps: Moments, newest: int) -> Calendar | None:
    """Return the calendar of the grid's steps up to number `newest`, from the last of these."""
    return calendar_of(np.sort(steps[max(0, newest + 1 - CALENDAR_STEPS) : newest + 1]))


def _with_seasons(point: PointInTime, spec: RunSpec) -> PointInTime:
    """Add the calendar and the seasons, by what was known at the first origin of the period."""
    first = int(np.searchsorted(point.origin_known_at, np.datetime64(spec.start, "us")))
    calendar = calendar_at(point.step_timestamp, int(point.origin_step[first]))
    periods = spec.season.of(point.variable)
    if periods is not None:
        return attrs.evolve(point, calendar=calendar, seasonality=given(periods))
    history = point.paths[point.origin_path[first]][: point.origin_length[first]]
    newest = int(point.origin_step[first])
    stamps = np.sort(point.step_timestamp[max(0, newest + 1 - NEWEST) : newest + 1])
    return attrs.evolve(point, calendar=calendar, seasonality=seasonality(history, calendar, stamps))


def _at_origins(rows: Observations, times: Timeline, origins: Positions, vintages: Vintages) -> PointInTime:
    """Return the variable at its origins, unscaled and without predictors."""
    return PointInTime(
        variable=rows.variable,
        exponent=0,
        paths=vintages.paths,
        origin_known_at=rows.releases[times.ends[origins] - 1],
        origin_path=vintages.origin_path,
        origin_length=vintages.origin_length,
        origin_step=times.step[origins],
        step_timestamp=rows.timestamps[times.is_step],
        step_known_at=rows.releases[times.is_step],
        step_first=vintages.step_first,
        step_latest=vintages.step_latest,
    )


def _predictor_changes(
    point: PointInTime, path_stamps: Sequence[Moments], predictors: Sequence[Observations]
) -> tuple[Values, ...]:
    """Return the predictors' recent changes along each path, scaled by their largest known at the first origin."""
    changes = recent_changes(point.step_timestamp, point.step_known_at, predictors)
    stamps = path_stamps[point.origin_path[0]][: point.origin_length[0]]
    (at_first,) = along_paths(np.abs(changes), point.step_timestamp, [stamps])
    largest = np.where(np.isfinite(at_first), at_first, 0.0).max(axis=1, initial=0.0)
    _, exponents = np.frexp(largest)
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.ldexp(changes, -exponents[:, None])
    return along_paths(scaled, point.step_timestamp, path_stamps)


def _logarithms(rows: Observations) -> Observations:
    not_positive = np.flatnonzero(rows.values <= 0)
    if len(not_positive):
        first = rows.timestamps[not_positive[0]]
        raise DataError(
            f"{len(not_positive)} values are not above 0, the first at {moment_text(first)}",
            rows.source or f"variable '{rows.variable}'",
            "The target log-change needs positive values; use change or level",
        )
    # math.log gives the same bits on every CPU type; numpy's does not
    return attrs.evolve(rows, values=[math.log(value) for value in rows.values.tolist()])


def _origins(rows: Observations, times: Timeline, spec: RunSpec, needed: int) -> Positions:
    """Return the groups that are origins in the period, and up to WARM_UP before it; none if the period has none.

    Each knows `needed` timestamps at least.
    """
    eligible = np.flatnonzero(times.advances & (times.present >= needed))
    moments = rows.releases[times.ends[eligible] - 1]
    first = int(np.searchsorted(moments, np.datetime64(spec.start, "us")))
    return eligible[max(first - WARM_UP, 0) :] if first < len(eligible) else eligible[:0]


def _no_origin(rows: Observations, times: Timeline, spec: RunSpec, needed: int) -> TooLittleData:
    count = int(times.present[-1]) if len(times.present) else 0
    newest = f", the newest at {moment_text(rows.timestamps.max())}" if count else ""
    return TooLittleData(
        f"no forecast origin from {spec.start} to {spec.last_day}: {count} timestamps are known by then{newest}; "
        f"an origin needs a new timestamp in the period and {needed} timestamps in all",
        rows.source or f"variable '{rows.variable}'",
        "Choose another period, lower min_history, or bring more data",
    )


def _scaled(point: PointInTime) -> PointInTime:
    """Scale extreme values by a power of two into a range in which squares are safe; no bit of a mantissa changes."""
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
    """Return the exponent by which the first origin with a value other than 0 is out of the safe range.

    It is 0 within the range. Later values may be larger or smaller by as much again before they overflow or vanish.
    """
    for path, length in zip(point.origin_path, point.origin_length, strict=True):
        largest = float(np.abs(point.paths[path][:length]).max())
        if largest > 0:
            _, exponent = math.frexp(largest)
            return exponent - min(max(exponent, -SAFE_EXPONENT), SAFE_EXPONENT)
    return 0
