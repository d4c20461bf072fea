"""Period starts: whether all timestamps are the first of a month, in any one time zone, and so stand for a period.

What comes near that and misses is told apart, so that nobody takes it for one or the other (METHOD.md, "observation").
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.observations import Moments
from pulse_core.data.zones import DAY, EAST, HOUR, UTC, WEST, local, zone_with_one_time_of_day

Months = NDArray[np.datetime64]

MIN_PERIODS: Final = 12
"""Timestamps at the starts of months without which a variable is not taken to be monthly or coarser."""

NEAR_SHARE: Final = 2 / 3
"""The share of timestamps about the first of a month from which a variable comes near to period starts."""

MONTH_END_SHARE: Final = 0.9
"""The share of timestamps on the last of a month up to which those of a variable are last days of business."""

MAX_PER_MONTH: Final = 1.5
"""Timestamps a month from which a variable is finer than monthly, whatever its dates."""

_FIRST_HOURS: Final = DAY + WEST
_LAST_DAYS: Final = 4 * DAY


@attrs.frozen
class PeriodStarts:
    """How timestamps stand to the starts of months.

    `zone` is the time zone in which all are the first of a month at one time of day, None where there is none. `near`
    says, where there is none, what keeps them from it; it is empty where they come nowhere near.
    """

    zone: str | None = None
    near: str = ""

    def months(self, timestamps: Moments) -> Months:
        """Return the months in which timestamps fall, by the zone's dates; the shape is that of `timestamps`."""
        if self.near:
            return nearest_months(timestamps)
        return local(timestamps, self.zone or UTC).astype("datetime64[M]")


def nearest_months(timestamps: Moments) -> Months:
    """Return the months of timestamps, where the hours that can be the first of a month in the east are the next's."""
    return (timestamps + np.timedelta64(EAST, "us")).astype("datetime64[M]")


def period_starts(timestamps: Moments) -> PeriodStarts:
    """Say how timestamps (n,), in any order, stand to the starts of months."""
    if not _may_be_monthly(timestamps):
        return PeriodStarts()
    stamps = np.unique(timestamps)
    if len(stamps) < MIN_PERIODS:
        return PeriodStarts()
    distance = (stamps - nearest_months(stamps).astype("datetime64[us]")).view(np.int64)
    is_about = (distance >= -EAST) & (distance < _FIRST_HOURS)
    if is_about.all():
        zone = _zone_of_starts(stamps)
        if zone is not None:
            return PeriodStarts(zone)
    if is_about.mean() < NEAR_SHARE or _are_month_ends(stamps, is_about):
        return PeriodStarts()
    return PeriodStarts(near=_near(stamps, is_about))


def _may_be_monthly(timestamps: Moments) -> bool:
    """Whether there are no more timestamps than a monthly variable can have: the cheapest condition first."""
    if len(timestamps) < MIN_PERIODS:
        return False
    span = timestamps.max().astype("datetime64[M]") - timestamps.min().astype("datetime64[M]")
    return len(timestamps) <= MAX_PER_MONTH * (int(span.astype(np.int64)) + 2)


def _zone_of_starts(stamps: Moments) -> str | None:
    """Return a zone in which all are the first of a month at one time of day.

    Where that is the last of a month in UTC, only midnight and noon count: at any other time of day it could as well
    be the end of a month.
    """
    is_first_in_utc = bool((_day_of_month(stamps) == 0).all())

    def are_starts(walls: Moments) -> bool:
        at_first = bool((_day_of_month(walls) == 0).all())
        return at_first and (is_first_in_utc or int(walls[0].astype(np.int64)) % (DAY // 2) == 0)

    return zone_with_one_time_of_day(stamps, are_starts)


def _are_month_ends(stamps: Moments, is_about: NDArray[np.bool_]) -> bool:
    """Whether all are the last of a month at one time of day in some zone, or last days of business in UTC."""

    def are_ends(walls: Moments) -> bool:
        return bool((_day_of_month(walls + np.timedelta64(DAY, "us")) == 0).all())

    if zone_with_one_time_of_day(stamps, are_ends) is not None:
        return True
    months = stamps.astype("datetime64[M]")
    before_end = ((months + 1).astype("datetime64[us]") - stamps).view(np.int64)
    return bool((before_end <= _LAST_DAYS).all()) and float(is_about.mean()) < MONTH_END_SHARE


def _day_of_month(walls: Moments) -> NDArray[np.int64]:
    """Return days of the month, from 0."""
    days = walls.astype("datetime64[D]") - walls.astype("datetime64[M]").astype("datetime64[D]")
    return np.asarray(days.astype(np.int64))


def _near(stamps: Moments, is_about: NDArray[np.bool_]) -> str:
    """Say what keeps timestamps from being period starts."""
    count = int(np.count_nonzero(is_about))
    if count < len(stamps):
        other = stamps[np.flatnonzero(~is_about)[0]].astype("datetime64[s]")
        return f"{count} of {len(stamps)} timestamps are about the first of a month, and {other} is not"
    times = stamps.view(np.int64) % DAY // (HOUR // 60)
    clocks = [f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in np.unique(times)[:4].tolist()]
    more = ", ..." if len(np.unique(times)) > 4 else ""
    return (
        f"all {len(stamps)} timestamps are about the first of a month, but in no time zone at one time of day "
        f"({', '.join(clocks)}{more} UTC)"
    )
