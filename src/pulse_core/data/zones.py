"""Time zones: in which zone all timestamps are at one time of day, and timestamps as that zone's clocks show them.

A zone is named: `UTC`, a fixed offset such as `UTC+08:00`, or a zone of the IANA database such as `Europe/Berlin`, with
its daylight saving time. The database is that of Python's `zoneinfo`: the machine's, or else the package `tzdata`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC as UTC_ZONE
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
from numpy.typing import NDArray

from pulse_core.data.observations import Moments

UTC: Final = "UTC"

DAY: Final = 86_400_000_000
HOUR: Final = 3_600_000_000

MAX_TIMES_OF_DAY: Final = 6
"""The UTC times of day that one local time can have: those of standard and daylight saving time, of a few eras."""

MAX_SPREAD: Final = 4 * HOUR
"""How far these times of day are apart at most."""

EAST: Final = 14 * HOUR
WEST: Final = 12 * HOUR
"""The furthest offsets from UTC that zones have."""

MAX_CHANGES_A_YEAR: Final = 4
"""How often a zone's offset from UTC changes in a year at most: Morocco's, around Ramadan."""

_PROBED: Final = 50
_QUARTER: Final = HOUR // 4

_FIRST_TRIED: Final = (
    *("Europe/Berlin", "America/New_York", "Europe/London", "America/Chicago", "America/Los_Angeles"),
    *("America/Denver", "Europe/Helsinki", "Europe/Lisbon", "Australia/Sydney", "Pacific/Auckland", "America/Halifax"),
    *("America/Sao_Paulo", "Europe/Moscow", "Europe/Istanbul", "Asia/Jerusalem", "America/Santiago"),
    *("America/Mexico_City", "Asia/Tehran", "Africa/Cairo", "Australia/Adelaide", "America/Anchorage"),
)
"""Zones tried before the others: of several that fit, the one that a reader expects."""

Accepts = Callable[[Moments], bool]
"""Whether timestamps, as the clocks of a zone show them, are what is looked for."""


def local(stamps: Moments, zone: str) -> Moments:
    """Return timestamps as the zone's clocks show them; the shape is that of `stamps`, of the years 1 to 9999."""
    if zone == UTC:
        return stamps
    info = _info(zone)
    fixed = info.utcoffset(None)
    if fixed is not None:
        return np.asarray(stamps + np.timedelta64(fixed))
    walls = [info.fromutc(stamp.replace(tzinfo=info)).replace(tzinfo=None) for stamp in stamps.tolist()]
    return np.array(walls, dtype="datetime64[us]")


def universal(walls: Moments, zone: str) -> Moments:
    """Return the moments in UTC at which the zone's clocks show these times, the earlier where they do so twice."""
    if zone == UTC:
        return walls
    info = _info(zone)
    stamps = [wall.replace(tzinfo=info).astimezone(UTC_ZONE).replace(tzinfo=None) for wall in walls.tolist()]
    return np.array(stamps, dtype="datetime64[us]")


def times_of_day(stamps: Moments) -> list[int]:
    """Return the distinct times of day of timestamps, in microseconds since midnight, at most MAX_TIMES_OF_DAY + 1."""
    times = stamps.view(np.int64) % DAY
    if (times == times[0]).all():  # the cheaper test: most series have one
        return [int(times[0])]
    distinct: list[int] = np.unique(times)[: MAX_TIMES_OF_DAY + 1].tolist()
    return distinct


def zone_with_one_time_of_day(stamps: Moments, accepts: Accepts) -> str | None:
    """Return a zone in which all timestamps (n,), in order, are at one time of day and are accepted; None without one.

    UTC comes first where it is one, then zones in which that time is midnight.
    """
    times = times_of_day(stamps)
    if len(times) > MAX_TIMES_OF_DAY or _spread(times) > MAX_SPREAD:
        return None
    changes = _changes(stamps)
    years = int((stamps[-1] - stamps[0]) // np.timedelta64(365, "D")) + 1
    if len(changes) > MAX_CHANGES_A_YEAR * (years + 1):  # two times a day, not two seasons
        return None
    probe = np.unique(np.concatenate([[0, len(stamps) - 1], changes[:_PROBED], changes[:_PROBED] + 1]))
    other = None
    for zone in _candidates(times):
        walls = _walls(stamps, probe, zone)
        if walls is None or not accepts(walls):
            continue
        if len(times) == 1 or int(walls[0].astype(np.int64)) % DAY == 0:
            return zone
        other = other or zone
    return other


def _spread(times: list[int]) -> int:
    """Return the shortest stretch of the day that holds all of these times."""
    gaps = [later - earlier for earlier, later in zip(times, [*times[1:], times[0] + DAY], strict=True)]
    return DAY - max(gaps)


def _candidates(times: list[int]) -> Iterator[str]:
    """Yield the zones to try: those of a fixed offset for one time of day, those with daylight saving for several."""
    if len(times) > 1:
        yield from _FIRST_TRIED
        yield from _others()
        return
    yield UTC
    for midnight in (DAY - times[0], -times[0], DAY // 2 - times[0]):
        if -WEST <= midnight <= EAST and midnight % _QUARTER == 0 and midnight:
            yield fixed_zone(midnight)


def fixed_zone(offset: int) -> str:
    """Return the name of a zone of a fixed offset from UTC, in microseconds and a multiple of a minute."""
    hours, minutes = divmod(abs(offset) // 60_000_000, 60)
    return f"UTC{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


@cache
def _others() -> tuple[str, ...]:
    return tuple(sorted(available_timezones().difference(_FIRST_TRIED)))


def _changes(stamps: Moments) -> NDArray[np.int64]:
    """Return the positions after which the UTC time of day changes."""
    times = stamps.view(np.int64) % DAY
    return np.flatnonzero(times[1:] != times[:-1])


def _walls(stamps: Moments, probe: NDArray[np.int64], zone: str) -> Moments | None:
    """Return timestamps as a zone's clocks show them, or None where they are not at one time of day there.

    Zones differ where the time of day changes in UTC: the timestamps at the positions `probe` exclude most of them.
    """
    try:
        if not _has_one_time(stamps[probe].tolist(), _info(zone)):
            return None
        walls = local(stamps, zone)
    except (OverflowError, ZoneInfoNotFoundError, ValueError):  # the year 1 or 9999, or no such zone on this machine
        return None
    return walls if _at_one_time(walls) else None


def _has_one_time(stamps: list[datetime], info: tzinfo) -> bool:
    """Whether a zone's clocks show one time of day at all of these moments; most zones fail at the second."""
    walls = (info.fromutc(stamp.replace(tzinfo=info)) for stamp in stamps)
    first = next(walls).time()
    return all(wall.time() == first for wall in walls)


def _at_one_time(walls: Moments) -> bool:
    times = walls.view(np.int64) % DAY
    return bool((times == times[0]).all())


@cache
def _info(zone: str) -> tzinfo:
    if zone == UTC:
        return UTC_ZONE
    if not zone.startswith("UTC"):
        return ZoneInfo(zone)
    hours, _, minutes = zone.removeprefix("UTC")[1:].partition(":")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if zone[3] == "-" else offset)


def iso_in_zone(stamp: np.datetime64, zone: str) -> str:
    """Return a moment in UTC as a zone's clocks show it: ISO 8601 with its offset."""
    moment: datetime = stamp.astype("datetime64[us]").item()
    return moment.replace(tzinfo=UTC_ZONE).astimezone(_info(zone)).isoformat()
