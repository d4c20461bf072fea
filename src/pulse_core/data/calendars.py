"""The calendar that a variable's timestamps keep to: what is missing from it, and what comes next."""

from __future__ import annotations

from typing import Final, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.observations import Moments

Positions = NDArray[np.int64]
Unit = Literal["months", "business days", "microseconds"]

FEWEST: Final = 3
"""Timestamps without which nothing is said of a calendar."""

FEWEST_BUSINESS_DAYS: Final = 10
"""As many days in a row would hold a Saturday and a Sunday, if the variable knew any."""

WEEKENDS: Final = 0.01
"""The share of timestamps on Saturdays and Sundays up to which a variable keeps to business days."""

KEPT: Final = 0.5
"""The share of steps that must be exactly one step of the calendar."""

_DAY: Final = 86_400_000_000
_NAMES: Final = (
    (7 * _DAY, "week", "weeks"),
    (_DAY, "day", "days"),
    (3_600_000_000, "hour", "hours"),
    (60_000_000, "minute", "minutes"),
    (1_000_000, "second", "seconds"),
    (1, "microsecond", "microseconds"),
)
_MONTHS: Final = {1: "months", 3: "quarters", 12: "years"}


@attrs.frozen
class Calendar:
    """Timestamps `step` units apart; those of months fall on one day of the month, or on its last (`at_end`)."""

    unit: Unit
    step: int
    at_end: bool = False

    def __str__(self) -> str:
        if self.unit == "business days":
            return self.unit
        if self.unit == "months":
            return _MONTHS.get(self.step, f"every {self.step} months")
        return _in_words(self.step)

    def positions(self, stamps: Moments) -> Positions:
        """Return where on the calendar timestamps stand, counted in steps from the first; shape as given."""
        if self.unit == "months":
            count = stamps.astype("datetime64[M]").astype(np.int64)
        elif self.unit == "business days":
            count = np.busday_count(stamps[0].astype("datetime64[D]"), stamps.astype("datetime64[D]"))
        else:
            count = stamps.view(np.int64)
        return np.asarray((count - count[0]) // self.step, dtype=np.int64)

    def after(self, stamp: np.datetime64, steps: int) -> Moments:
        """Return the next timestamps (step,)."""
        ahead = self.step * np.arange(1, steps + 1)
        if self.unit == "microseconds":
            return np.asarray(stamp.astype("datetime64[us]") + ahead.astype("timedelta64[us]"))
        day = stamp.astype("datetime64[D]")
        time = stamp.astype("datetime64[us]") - day
        if self.unit == "business days":
            return np.asarray(np.busday_offset(day, ahead, roll="backward").astype("datetime64[us]") + time)
        months = stamp.astype("datetime64[M]") + ahead.astype("timedelta64[M]")
        last = (months + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
        days = last if self.at_end else months.astype("datetime64[D]") + (day - stamp.astype("datetime64[M]"))
        return np.asarray(np.minimum(days, last).astype("datetime64[us]") + time)


def calendar_of(stamps: Moments) -> Calendar | None:
    """Return the calendar of timestamps (n,) in order, each once; None where they keep to none, or are too few."""
    if len(stamps) < FEWEST:
        return None
    return _of_months(stamps) or _of_business_days(stamps) or _even(stamps)


def _of_months(stamps: Moments) -> Calendar | None:
    month = stamps.astype("datetime64[M]")
    since_start = stamps - month.astype("datetime64[us]")
    before_end = (month + 1).astype("datetime64[us]") - stamps
    at_end = bool((before_end == before_end[0]).all()) and not bool((since_start == since_start[0]).all())
    if not at_end and not bool((since_start == since_start[0]).all()):
        return None
    return _kept(month.astype(np.int64), "months", at_end=at_end)


def _of_business_days(stamps: Moments) -> Calendar | None:
    business = np.is_busday(stamps.astype("datetime64[D]"))
    if len(stamps) < FEWEST_BUSINESS_DAYS or 1 - business.mean() > WEEKENDS or not _one_time(stamps):
        return None
    day = stamps[business].astype("datetime64[D]")
    found = _kept(np.asarray(np.busday_count(day[0], day), dtype=np.int64), "business days")
    # weekly data keep to business days too, five apart: that is an even step
    return found if found is not None and found.step == 1 else None


def _even(stamps: Moments) -> Calendar | None:
    return _kept(stamps.view(np.int64), "microseconds")


def _kept(counts: Positions, unit: Unit, *, at_end: bool = False) -> Calendar | None:
    """Return the calendar whose step is the smallest between counts, if most are one step and all are whole ones."""
    steps = np.diff(counts)
    smallest = int(steps.min())
    if smallest < 1 or (steps % smallest).any() or (steps == smallest).mean() < KEPT:
        return None
    return Calendar(unit, smallest, at_end)


def _one_time(stamps: Moments) -> bool:
    time = stamps - stamps.astype("datetime64[D]").astype("datetime64[us]")
    return bool((time == time[0]).all())


def _in_words(step: int) -> str:
    size, one, many = next(named for named in _NAMES if step % named[0] == 0)
    return many if step == size else f"every {step // size} {one if step == size else many}"
