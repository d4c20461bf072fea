"""What is odd about a variable's rows: gaps, outliers, stale values, revisions, repeats, rows of the future.

Nothing of it is refused or mended by Pulse, for oddities may be true: it is told, so that somebody can look.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.calendars import Calendar, calendar_of
from pulse_core.data.observations import Moments, Observations, Values
from pulse_core.data.vintages import Vintage, groups, timeline

Kind = Literal["gap", "off calendar", "outlier", "stale", "repeat", "future", "revision", "no calendar"]
Flags = NDArray[np.bool_]

HOLIDAYS: Final = 2
"""Business days in a row that may be missing: holidays, which no calendar here knows."""

NEIGHBOURS: Final = 10
"""Values on either side that an outlier stands out from."""

NORMAL_OVER_MEDIAN_ABSOLUTE: Final = 1.4826
OUTLYING: Final = 8.0
"""Spreads of its neighbourhood by which a value stands out: of decades of daily prices, the one below zero alone."""

UNLIKELY: Final = 1e-3
"""The chance below which a run of equal values is stale."""

FEWEST_STALE: Final = 4


@attrs.frozen
class Finding:
    """Something to look at: its kind, what, how often, and the timestamp of its first (NaT: of none).

    A `note` describes the data; anything else may be a fault of theirs.
    """

    kind: Kind
    message: str
    count: int
    first: np.datetime64
    note: bool = False


@attrs.frozen
class Quality:
    """What there is of a variable, and what is odd about it."""

    variable: str
    observations: int
    absent: int
    first: np.datetime64
    last: np.datetime64
    calendar: str
    vintages: bool
    findings: tuple[Finding, ...] = ()


def quality(observations: Observations, now: np.datetime64) -> Quality:
    """Look a variable's rows over; `now` is the moment beyond which none can be known."""
    known = observations
    if known.known_at is None:
        known = attrs.evolve(observations, known_at=observations.timestamps)
    stamps, values, revised = _newest_vintage(known)
    calendar = calendar_of(stamps)
    findings = (
        *_gaps(stamps, calendar),
        *_off_calendar(stamps, calendar),
        *_outliers(stamps, values),
        *_stale(stamps, values),
        *_future(known, now),
        *revised,
    )
    return Quality(
        variable=observations.variable,
        observations=len(observations),
        absent=observations.absent,
        first=stamps[0] if len(stamps) else np.datetime64("NaT", "us"),
        last=stamps[-1] if len(stamps) else np.datetime64("NaT", "us"),
        calendar="" if calendar is None else str(calendar),
        vintages=observations.known_at is not None,
        findings=findings,
    )


def _newest_vintage(known: Observations) -> tuple[Moments, Values, list[Finding]]:
    """Return the newest value of each timestamp, in order, and what the rows on the way revised or said again."""
    if not len(known):
        return known.timestamps, known.values, []
    times = timeline(known)
    vintage = Vintage(int(times.distinct[-1]))
    revised: list[tuple[np.datetime64, float]] = []
    repeated: list[np.datetime64] = []
    for rows in groups(times):
        fresh = times.is_step[rows]
        stamps, values = known.timestamps[rows], known.values[rows]
        for stamp, value in zip(stamps[~fresh], values[~fresh], strict=True):
            before = _value_at(vintage, stamp)
            if before is not None and before == value:
                repeated.append(stamp)
            elif before is not None:
                revised.append((stamp, abs(float(value) - before)))
        vintage.revise(stamps[~fresh], values[~fresh])
        vintage.extend(stamps[fresh], values[fresh])
    values, stamps = vintage.copy()
    return stamps, values, [*_revisions(revised, values), *_repeats(repeated)]


def _value_at(vintage: Vintage, stamp: np.datetime64) -> float | None:
    place = int(np.searchsorted(vintage.stamps, stamp))
    there = place < vintage.size and vintage.stamps[place] == stamp
    return float(vintage.values[place]) if there else None


def _revisions(revised: list[tuple[np.datetime64, float]], values: Values) -> Iterator[Finding]:
    if not revised:
        return
    sizes = np.sort([size for _, size in revised])
    steps = np.abs(np.diff(values))
    typical = float(np.median(steps)) if len(steps) else 0.0
    beside = f", {sizes[len(sizes) // 2] / typical:.2g} of a typical step" if typical > 0 else ""
    message = f"revised, by {sizes[len(sizes) // 2]:.3g} at the median{beside}, {sizes[-1]:.3g} at most"
    yield Finding("revision", message, len(revised), min(stamp for stamp, _ in revised), note=True)


def _repeats(repeated: list[np.datetime64]) -> Iterator[Finding]:
    if repeated:
        yield Finding("repeat", "says again the value that was known", len(repeated), min(repeated), note=True)


def _gaps(stamps: Moments, calendar: Calendar | None) -> Iterator[Finding]:
    """Find stretches that the calendar expects and the variable lacks; of business days, longer than holidays are."""
    if calendar is None:
        if len(stamps) > 1:
            days = np.diff(stamps) / np.timedelta64(1, "D")
            message = f"timestamps keep to no calendar; steps are {days.min():.3g} to {days.max():.3g} days"
            yield Finding("no calendar", message, 1, stamps[0], note=True)
        return
    missing = np.diff(calendar.positions(stamps)) - 1
    allowed = HOLIDAYS if calendar.unit == "business days" else 0
    gaps = np.flatnonzero(missing > allowed)
    if len(gaps):
        longest = gaps[np.argmax(missing[gaps])]
        message = (
            f"{int(missing[gaps].sum())} of the calendar's timestamps ({calendar}) are missing; the longest stretch, "
            f"of {int(missing[longest])}, comes after {_day(stamps[longest])}"
        )
        yield Finding("gap", message, len(gaps), stamps[gaps[0]])


def _off_calendar(stamps: Moments, calendar: Calendar | None) -> Iterator[Finding]:
    if calendar is None or calendar.unit != "business days":
        return
    weekend = stamps[~np.is_busday(stamps.astype("datetime64[D]"))]
    if len(weekend):
        yield Finding("off calendar", "on a weekend, where the others are business days", len(weekend), weekend[0])


def _outliers(stamps: Moments, values: Values) -> Iterator[Finding]:
    """Find single values that stand out from their neighbours on both sides.

    The Hampel identifier: the distance from the median of the neighbourhood, in units of 1.4826 times the median
    distance, or of the series' mean absolute step where that is larger. Source: Hampel (1974), JASA 69; Davies & Gather
    (1993), JASA 88.
    """
    width = 2 * NEIGHBOURS + 1
    if len(values) < width:
        return
    windows = np.lib.stride_tricks.sliding_window_view(values, width)
    middle = values[NEIGHBOURS : len(values) - NEIGHBOURS]
    median = np.median(windows, axis=1)
    spread = NORMAL_OVER_MEDIAN_ABSOLUTE * np.median(np.abs(windows - median[:, None]), axis=1)
    spread = np.maximum(spread, np.abs(np.diff(values)).mean())
    apart = np.abs(middle - median)
    found = np.flatnonzero((apart > OUTLYING * spread) & (spread > 0))
    if len(found):
        worst = found[np.argmax(apart[found] / spread[found])]
        place = worst + NEIGHBOURS
        message = (
            f"far from its neighbours; the furthest is {values[place]:.6g} at {_day(stamps[place])}, among values "
            f"around {median[worst]:.6g}"
        )
        yield Finding("outlier", message, len(found), stamps[found[0] + NEIGHBOURS])


def _stale(stamps: Moments, values: Values) -> Iterator[Finding]:
    """Find stretches of equal values that are longer than the variable's habit of standing still explains.

    With p the share of steps that change nothing outside the longest stretch, a stretch of L such steps is expected
    somewhere among n with a chance of at most n p^L.
    """
    still = np.diff(values) == 0
    starts, lengths = _stretches(still)
    if not len(lengths):
        return
    outside = int(lengths.sum() - lengths.max())
    share = (outside + 1) / (len(still) - int(lengths.max()) + 2)
    limit = max(FEWEST_STALE, math.log(UNLIKELY / len(still)) / math.log(share))
    stale = np.flatnonzero(lengths >= limit)
    if len(stale):
        longest = stale[np.argmax(lengths[stale])]
        message = (
            f"one value for longer than it ever stands still; the longest is {values[starts[longest]]:.6g}, "
            f"{int(lengths[longest]) + 1} times from {_day(stamps[starts[longest]])}"
        )
        yield Finding("stale", message, len(stale), stamps[starts[stale[0]]])


def _future(known: Observations, now: np.datetime64) -> Iterator[Finding]:
    later = known.timestamps[known.releases > now]
    if len(later):
        yield Finding("future", "known only after today, so no run uses it yet", len(later), later.min())


def _stretches(flags: Flags) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where stretches of true begin, and their lengths."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return edges[::2], edges[1::2] - edges[::2]


def _day(stamp: np.datetime64) -> str:
    day = stamp.astype("datetime64[D]")
    return str(day) if day == stamp else str(stamp.astype("datetime64[s]"))
