"""Calendars: the regular steps between a variable's timestamps, the gaps in them, and the timestamps that come next.

They are found in the time zone in which the timestamps keep to one time of day, where there is one.
"""

from __future__ import annotations

from typing import Final, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.observations import Moments
from pulse_core.data.zones import DAY, EAST, UTC, fixed_zone, local, times_of_day, universal, zone_with_one_time_of_day

Positions = NDArray[np.int64]
Unit = Literal["months", "business days", "microseconds"]

MIN_TIMESTAMPS: Final = 3
"""A variable with fewer timestamps has no calendar."""

MIN_BUSINESS_DAYS: Final = 10
"""A variable with fewer timestamps is not on business days: ten days in a row would include a weekend."""

MAX_WEEKEND_SHARE: Final = 0.01
"""The share of timestamps on Saturdays and Sundays up to which a variable is on business days."""

MIN_SINGLE_STEPS: Final = 0.5
"""The share of the differences between timestamps that must be exactly one step of the calendar."""

_END: Final = np.datetime64("10000-01-01", "us")
"""The first moment that no date names."""
_UNITS: Final = (
    (7 * DAY, "weeks"),
    (DAY, "days"),
    (3_600_000_000, "hours"),
    (60_000_000, "minutes"),
    (1_000_000, "seconds"),
    (1, "microseconds"),
)
_SHORTEST_MONTH: Final = np.timedelta64(28, "D")
_MONTHS: Final = {1: "months", 3: "quarters", 12: "years"}


@attrs.frozen
class Calendar:
    """A calendar of timestamps `step` units apart, by the clocks of a time zone.

    Timestamps of a calendar of months fall on the same day of each month, or on its last day (`at_end`).
    """

    unit: Unit
    step: int
    at_end: bool = False
    zone: str = UTC

    def __str__(self) -> str:
        name = self.unit if self.unit == "business days" else _step_name(self.step)
        if self.unit == "months":
            name = _MONTHS.get(self.step, f"every {self.step} months")
        return name if self.zone == UTC else f"{name} in {self.zone}"

    def positions(self, stamps: Moments) -> Positions:
        """Return the timestamps' positions on the calendar, in steps from the first; the shape is that of `stamps`."""
        stamps = local(stamps, self.zone)
        if self.unit == "months":
            count = stamps.astype("datetime64[M]").astype(np.int64)
        elif self.unit == "business days":
            count = np.busday_count(stamps[0].astype("datetime64[D]"), stamps.astype("datetime64[D]"))
        else:
            count = stamps.view(np.int64)
        return np.asarray((count - count[0]) // self.step, dtype=np.int64)

    def after(self, stamp: np.datetime64, steps: int) -> Moments:
        """Return the calendar's next timestamps (step,) after `stamp`; NaT for those after the year 9999."""
        walls = self._walls_after(local(np.array([stamp], "datetime64[us]"), self.zone)[0], steps)
        named = walls[walls < _END]
        following = np.full(steps, "NaT", "datetime64[us]")
        following[: len(named)] = universal(named, self.zone)
        return following

    def _walls_after(self, wall: np.datetime64, steps: int) -> Moments:
        ahead = self.step * np.arange(1, steps + 1)
        if self.unit == "microseconds":
            return np.asarray(wall + ahead.astype("timedelta64[us]"))
        day = wall.astype("datetime64[D]")
        time = wall - day
        if self.unit == "business days":
            return np.asarray(np.busday_offset(day, ahead, roll="backward").astype("datetime64[us]") + time)
        months = wall.astype("datetime64[M]") + ahead.astype("timedelta64[M]")
        last = _last_days(months)
        if self.at_end:
            return np.asarray((last - (_last_days(wall.astype("datetime64[M]")) - day)).astype("datetime64[us]") + time)
        days = months.astype("datetime64[D]") + (day - wall.astype("datetime64[M]"))
        return np.asarray(np.minimum(days, last).astype("datetime64[us]") + time)


def _last_days(months: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the last day of each month."""
    return np.asarray((months + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D"))


def calendar_of(stamps: Moments) -> Calendar | None:
    """Return the calendar of distinct timestamps (n,) in order; None where they are irregular or too few."""
    if len(stamps) < MIN_TIMESTAMPS:
        return None
    zone = _zone_of(stamps)
    walls = local(stamps, zone)
    calendar = _months(walls) or _business_days(walls) or _even_steps(walls)
    return None if calendar is None else attrs.evolve(calendar, zone=zone)


def _zone_of(stamps: Moments) -> str:
    """Return the zone whose clocks show the timestamps at one time of day, UTC where they are so in none.

    A time of day that is the same in UTC all year says little: it is midnight further east where the dates there are
    the first of a month or business days, and those in UTC are not.
    """
    times = times_of_day(stamps)
    if len(times) > 1:
        return zone_with_one_time_of_day(stamps, lambda _: True) or UTC
    if not 0 < DAY - times[0] <= EAST or _is_on_dates(stamps):
        return UTC
    midnights = stamps + np.timedelta64(DAY - times[0], "us")
    return fixed_zone(DAY - times[0]) if _is_on_dates(midnights) else UTC


def _is_on_dates(stamps: Moments) -> bool:
    """Whether all are the first of a month, or business days."""
    months = stamps.astype("datetime64[M]").astype("datetime64[D]")
    return bool((stamps.astype("datetime64[D]") == months).all()) or _business_days(stamps) is not None


def _months(stamps: Moments) -> Calendar | None:
    if stamps[1] - stamps[0] < _SHORTEST_MONTH:  # the cheapest test first
        return None
    month = stamps.astype("datetime64[M]")
    since_start = stamps - month.astype("datetime64[us]")
    before_end = (month + 1).astype("datetime64[us]") - stamps
    at_end = bool((before_end == before_end[0]).all()) and not bool((since_start == since_start[0]).all())
    if not at_end and not bool((since_start == since_start[0]).all()):
        return None
    return _regular(month.astype(np.int64), "months", at_end=at_end)


def _business_days(stamps: Moments) -> Calendar | None:
    business = np.is_busday(stamps.astype("datetime64[D]"))
    if len(stamps) < MIN_BUSINESS_DAYS or 1 - business.mean() > MAX_WEEKEND_SHARE or not _same_time_of_day(stamps):
        return None
    day = stamps[business].astype("datetime64[D]")
    calendar = _regular(np.asarray(np.busday_count(day[0], day), dtype=np.int64), "business days")
    # weekly data are on business days too, five apart: their calendar has even steps
    return calendar if calendar is not None and calendar.step == 1 else None


def _even_steps(stamps: Moments) -> Calendar | None:
    return _regular(stamps.view(np.int64), "microseconds")


def _regular(counts: Positions, unit: Unit, *, at_end: bool = False) -> Calendar | None:
    """Return the calendar whose step is the smallest difference of `counts`.

    None unless every difference is a multiple of that step and at least half of the differences are one step.
    """
    steps = np.diff(counts)
    smallest = int(steps.min())
    if smallest < 1 or (steps % smallest).any() or (steps == smallest).mean() < MIN_SINGLE_STEPS:
        return None
    return Calendar(unit, smallest, at_end)


def _same_time_of_day(stamps: Moments) -> bool:
    time = stamps - stamps.astype("datetime64[D]").astype("datetime64[us]")
    return bool((time == time[0]).all())


def _step_name(step: int) -> str:
    """Return a number of microseconds in the largest unit of which it is a multiple, such as 'every 2 weeks'."""
    size, name = next(unit for unit in _UNITS if step % unit[0] == 0)
    return name if step == size else f"every {step // size} {name}"
