"""Quality checks of a variable's rows: gaps, outliers, stale values, revisions, repeats, rows of the future.

The checks report findings for a person to look at; they change and refuse no row, because an odd value may be true.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.calendars import Calendar, calendar_of
from pulse_core.data.known_at import near_miss
from pulse_core.data.observations import Moments, Observations, Values
from pulse_core.data.seasons import NEWEST, candidates, seasonality
from pulse_core.data.vintages import Vintage, groups, timeline
from pulse_core.data.zones import UTC

Kind = Literal[
    "gap",
    "off calendar",
    "outlier",
    "stale",
    "repeat",
    "future",
    "revision",
    "retraction",
    "no calendar",
    "period",
    "cut",
    "season",
    "columns",
]
Flags = NDArray[np.bool_]

MAX_HOLIDAYS: Final = 2
"""Business days in a row that may be missing without a finding, because calendars here have no holidays."""

NEIGHBOURS: Final = 10
"""The values on either side that an outlier is compared with."""

NORMAL_OVER_MEDIAN_ABSOLUTE: Final = 1.4826
"""The standard deviation of a normal distribution over its median absolute deviation."""

OUTLIER_SPREADS: Final = 8.0
"""The distance of an outlier in spreads of its neighbours; decades of daily prices have one, the price below zero."""

STALE_CHANCE: Final = 1e-3
"""The chance of a run of equal values below which it is stale."""

MIN_STALE_STEPS: Final = 4
"""The steps without a change that a stale run has at least."""


@attrs.frozen
class Finding:
    """An oddity of a variable: its kind, a message, the count of cases, and the timestamp of the first (NaT: none).

    A `note` describes the data; a finding that is no note may be a fault in them.
    """

    kind: Kind
    message: str
    count: int
    first: np.datetime64
    note: bool = False


@attrs.frozen
class Quality:
    """The size, span and calendar of a variable's rows, the calendar's time zone, and the findings about them."""

    variable: str
    observations: int
    absent: int
    first: np.datetime64
    last: np.datetime64
    calendar: str
    vintages: bool
    zone: str = UTC
    findings: tuple[Finding, ...] = ()


def quality(observations: Observations, now: np.datetime64) -> Quality:
    """Check a variable's rows; `now` is the moment after which no row can be known yet."""
    rows = _known(observations)
    vintage = _newest_vintage(rows)
    calendar = calendar_of(vintage.stamps)
    findings = (
        *_source(observations, now),
        *_findings(vintage, calendar),
        *_future(rows, now),
        *vintage.findings(),
    )
    return attrs.evolve(_overview(observations, vintage, calendar), findings=findings)


def overview(observations: Observations) -> Quality:
    """Return the size, span and calendar of a variable's rows, without findings: the rows are not checked."""
    if observations.known_at is None:  # each timestamp once, in order
        vintage = _NewestVintage(observations.timestamps, observations.values)
    else:
        vintage = _newest_vintage(observations)
    return _overview(observations, vintage, calendar_of(vintage.stamps))


def _known(observations: Observations) -> Observations:
    """Return the rows with `known_at`, which is the timestamp where the data do not say."""
    if observations.known_at is not None:
        return observations
    return attrs.evolve(observations, known_at=observations.timestamps)


def _overview(observations: Observations, vintage: _NewestVintage, calendar: Calendar | None) -> Quality:
    stamps = vintage.stamps
    return Quality(
        variable=observations.variable,
        observations=len(observations),
        absent=observations.absent,
        first=stamps[0] if len(stamps) else np.datetime64("NaT", "us"),
        last=stamps[-1] if len(stamps) else np.datetime64("NaT", "us"),
        calendar="" if calendar is None else str(calendar),
        vintages=observations.known_at is not None,
        zone=UTC if calendar is None else calendar.zone,
    )


@attrs.frozen(eq=False)
class _NewestVintage:
    """The newest value of each timestamp (timestamp,), in order, and the rows that revised or repeated earlier ones.

    `revisions` are (timestamp, absolute change), `repeats` and `retractions` timestamps, in the order of the rows.
    """

    stamps: Moments
    values: Values
    revisions: tuple[tuple[np.datetime64, float], ...] = ()
    repeats: tuple[np.datetime64, ...] = ()
    retractions: tuple[np.datetime64, ...] = ()

    def findings(self) -> Iterator[Finding]:
        """Yield the findings about revisions, repeats and retractions."""
        yield from _revisions(self.revisions, self.values)
        yield from _repeats(self.repeats)
        if self.retractions:
            message = "retracted: from then on the value is absent"
            yield Finding("retraction", message, len(self.retractions), min(self.retractions), note=True)


def _newest_vintage(observations: Observations) -> _NewestVintage:
    if not len(observations):
        return _NewestVintage(observations.timestamps, observations.values)
    times = timeline(observations)
    if times.is_step.all():  # nothing was revised, nothing filled in
        return _NewestVintage(observations.timestamps, observations.values)
    vintage = Vintage(int(times.distinct[-1]))
    revisions: list[tuple[np.datetime64, float]] = []
    repeats: list[np.datetime64] = []
    retractions: list[np.datetime64] = []
    for rows in groups(times):
        stamps, values, is_step = observations.timestamps[rows], observations.values[rows], times.is_step[rows]
        for stamp, value in zip(stamps[~is_step], values[~is_step], strict=True):
            before = _value_at(vintage, stamp)
            if before is not None and np.isnan(value):
                retractions.append(stamp)
            elif before is not None and before == value:
                repeats.append(stamp)
            elif before is not None:
                revisions.append((stamp, abs(float(value) - before)))
        vintage.update(stamps, values, is_step)
    return _NewestVintage(vintage.stamps, vintage.values, tuple(revisions), tuple(repeats), tuple(retractions))


def _value_at(vintage: Vintage, stamp: np.datetime64) -> float | None:
    index = int(np.searchsorted(vintage.stamps, stamp))
    is_known = index < vintage.size and vintage.stamps[index] == stamp
    return float(vintage.values[index]) if is_known else None


def _source(observations: Observations, now: np.datetime64) -> Iterator[Finding]:
    """Yield what is doubtful about the source, and about the moments at which its rows became known."""
    if observations.understood:
        yield Finding("columns", observations.understood, 1, observations.timestamps.min(), note=True)
    if observations.caution:
        yield Finding("cut", observations.caution, 1, observations.timestamps.max())
    near = near_miss(observations, now.astype("datetime64[D]").item())
    if near:
        message = f"{near}: a run asks for --known-at"
        yield Finding("period", message, 1, observations.timestamps.min())


def _findings(vintage: _NewestVintage, calendar: Calendar | None) -> Iterator[Finding]:
    """Yield the findings about the newest value of each timestamp."""
    yield from _gaps(vintage.stamps, calendar)
    yield from _off_calendar(vintage.stamps, calendar)
    yield from _outliers(vintage.stamps, vintage.values)
    yield from _stale(vintage.stamps, vintage.values)
    yield from _seasons(vintage, calendar)


def _seasons(vintage: _NewestVintage, calendar: Calendar | None) -> Iterator[Finding]:
    """Yield the seasons that a run would find in the newest values, where the calendar proposes any."""
    stamps = vintage.stamps[-NEWEST:]
    if candidates(calendar, stamps):
        found = seasonality(vintage.values, calendar, stamps)
        names = " and ".join(map(str, found.periods)) or "none"
        yield Finding("season", f"{names} ({found.reason})", 1, vintage.stamps[0], note=True)


def _revisions(revisions: Sequence[tuple[np.datetime64, float]], values: Values) -> Iterator[Finding]:
    if not revisions:
        return
    sizes = np.sort([size for _, size in revisions])
    steps = np.abs(np.diff(values))
    typical = float(np.median(steps)) if len(steps) else 0.0
    comparison = f", {sizes[len(sizes) // 2] / typical:.2g} of a typical step" if typical > 0 else ""
    message = f"revised, by {sizes[len(sizes) // 2]:.3g} at the median{comparison}, {sizes[-1]:.3g} at most"
    yield Finding("revision", message, len(revisions), min(stamp for stamp, _ in revisions), note=True)


def _repeats(repeats: Sequence[np.datetime64]) -> Iterator[Finding]:
    if repeats:
        yield Finding("repeat", "repeats the value that was already known", len(repeats), min(repeats), note=True)


def _gaps(stamps: Moments, calendar: Calendar | None) -> Iterator[Finding]:
    """Find runs of missing timestamps of the calendar; of business days, only runs longer than holidays."""
    if calendar is None:
        if len(stamps) > 1:
            days = np.diff(stamps) / np.timedelta64(1, "D")
            message = f"timestamps follow no calendar; steps are {days.min():.3g} to {days.max():.3g} days"
            yield Finding("no calendar", message, 1, stamps[0], note=True)
        return
    missing = np.diff(calendar.positions(stamps)) - 1
    allowed = MAX_HOLIDAYS if calendar.unit == "business days" else 0
    gaps = np.flatnonzero(missing > allowed)
    if len(gaps):
        longest = gaps[np.argmax(missing[gaps])]
        message = (
            f"{int(missing[gaps].sum())} of the calendar's timestamps ({calendar}) are missing; the longest gap, "
            f"of {int(missing[longest])}, comes after {_day(stamps[longest])}"
        )
        yield Finding("gap", message, len(gaps), stamps[gaps[0]])


def _off_calendar(stamps: Moments, calendar: Calendar | None) -> Iterator[Finding]:
    if calendar is None or calendar.unit != "business days":
        return
    weekend = stamps[~np.is_busday(stamps.astype("datetime64[D]"))]
    if len(weekend):
        yield Finding(
            "off calendar", "on a weekend, while the other timestamps are business days", len(weekend), weekend[0]
        )


def _outliers(stamps: Moments, values: Values) -> Iterator[Finding]:
    """Find single values that are far from their neighbours on both sides, by `_neighbourhoods`."""
    if len(values) < 2 * NEIGHBOURS + 1:
        return
    inner = slice(NEIGHBOURS, len(values) - NEIGHBOURS)
    inner_stamps, inner_values = stamps[inner], values[inner]
    median, spread = _neighbourhoods(values)
    distance = np.abs(inner_values - median)
    outliers = np.flatnonzero((distance > OUTLIER_SPREADS * spread) & (spread > 0))
    if len(outliers):
        furthest = outliers[np.argmax(distance[outliers] / spread[outliers])]
        message = (
            f"far from its neighbours; the furthest is {inner_values[furthest]:.6g} at "
            f"{_day(inner_stamps[furthest])}, among values around {median[furthest]:.6g}"
        )
        yield Finding("outlier", message, len(outliers), inner_stamps[outliers[0]])


def _neighbourhoods(values: Values) -> tuple[Values, Values]:
    """Return median and spread of the neighbourhood of each value that has neighbours on both sides; (n - 20,) both.

    As in the Hampel identifier the spread is 1.4826 times the median distance from the median, or the series' mean
    absolute step where that is larger. Source: Hampel (1974), JASA 69; Davies & Gather (1993), JASA 88.
    """
    windows = np.lib.stride_tricks.sliding_window_view(values, 2 * NEIGHBOURS + 1)
    median = np.median(windows, axis=1)
    spread = NORMAL_OVER_MEDIAN_ABSOLUTE * np.median(np.abs(windows - median[:, None]), axis=1)
    return median, np.maximum(spread, np.abs(np.diff(values)).mean())


def _stale(stamps: Moments, values: Values) -> Iterator[Finding]:
    """Find runs of equal values that are longer than the variable's share of steps without a change explains.

    With p that share outside the longest run, a run of L steps without a change occurs somewhere among n steps with a
    chance of at most n p^L.
    """
    is_unchanged = np.diff(values) == 0
    starts, lengths = _runs(is_unchanged)
    if not len(lengths):
        return
    outside = int(lengths.sum() - lengths.max())
    share = (outside + 1) / (len(is_unchanged) - int(lengths.max()) + 2)
    limit = max(MIN_STALE_STEPS, math.log(STALE_CHANCE / len(is_unchanged)) / math.log(share))
    stale = np.flatnonzero(lengths >= limit)
    if len(stale):
        longest = stale[np.argmax(lengths[stale])]
        message = (
            f"one value for longer than chance explains; the longest run is {values[starts[longest]]:.6g}, "
            f"{int(lengths[longest]) + 1} times from {_day(stamps[starts[longest]])}"
        )
        yield Finding("stale", message, len(stale), stamps[starts[stale[0]]])


def _future(rows: Observations, now: np.datetime64) -> Iterator[Finding]:
    later = rows.timestamps[rows.releases > now]
    if len(later):
        yield Finding("future", "known only after today, so no run uses the row yet", len(later), later.min())


def _runs(flags: Flags) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where runs of true begin, and their lengths."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return edges[::2], edges[1::2] - edges[::2]


def _day(stamp: np.datetime64) -> str:
    day = stamp.astype("datetime64[D]")
    return str(day) if day == stamp else str(stamp.astype("datetime64[s]"))
