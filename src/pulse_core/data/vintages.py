"""The moments at which rows became known, and the histories each of them saw."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.observations import Moments, Observations, Values

Positions = NDArray[np.int64]


@attrs.frozen(eq=False)
class Timeline:
    """Rows grouped by when they became known.

    `ends`, `distinct`, `advances`, `step` are (group,): the rows and the distinct timestamps known after the group,
    whether its newest timestamp is newer than all before, and the newest step of the grid. `is_step` is (row,): the
    row is the first release of a timestamp that is newer than all known before it.
    """

    ends: Positions
    distinct: Positions
    advances: NDArray[np.bool_]
    step: Positions
    is_step: NDArray[np.bool_]


@attrs.frozen(eq=False)
class Vintages:
    """Histories without repetition; see PointInTime."""

    paths: tuple[Values, ...]
    stamps: tuple[Moments, ...]
    origin_path: Positions
    origin_length: Positions
    step_first: Values
    step_latest: Values


def timeline(known: Observations) -> Timeline:
    """Group the rows, which are sorted by known_at, then timestamp."""
    if not len(known):
        none = np.zeros(0, dtype=np.int64)
        return Timeline(none, none, none.astype(bool), none, none.astype(bool))
    opens = np.append(True, known.releases[1:] != known.releases[:-1])
    ends = np.append(np.flatnonzero(opens)[1:], len(known))
    newest = np.maximum.accumulate(known.timestamps.view(np.int64))
    before = np.append(np.iinfo(np.int64).min, newest[ends[:-1] - 1])
    # timestamps differ within a group, so a row newer than all earlier groups is a first release
    is_step = known.timestamps.view(np.int64) > before[np.cumsum(opens) - 1]
    _, first_seen = np.unique(known.timestamps, return_index=True)
    is_first = np.zeros(len(known), dtype=np.int64)
    is_first[first_seen] = 1
    return Timeline(ends, np.cumsum(is_first)[ends - 1], is_step[ends - 1], np.cumsum(is_step)[ends - 1] - 1, is_step)


def arrange(known: Observations, times: Timeline, origins: Positions, *, differenced: bool) -> Vintages:
    """Return the histories that the origins (positions of groups) know, of changes where `differenced`.

    A change, released or latest, takes both ends from one vintage.
    """
    if times.is_step.all():
        return _one_vintage(known, times, origins, differenced=differenced)
    return _many_vintages(known, times, origins, differenced=differenced)


def _one_vintage(known: Observations, times: Timeline, origins: Positions, *, differenced: bool) -> Vintages:
    path = np.diff(known.values) if differenced else known.values
    steps = np.append(np.nan, path) if differenced else path
    return Vintages(
        (path,),
        (known.timestamps[int(differenced) :],),
        np.zeros_like(origins),
        times.ends[origins] - differenced,
        steps,
        steps,
    )


def _many_vintages(known: Observations, times: Timeline, origins: Positions, *, differenced: bool) -> Vintages:
    wanted = np.zeros(len(times.ends), dtype=bool)
    wanted[origins] = True
    vintage = Vintage(int(times.distinct[-1]))
    paths: list[tuple[Values, Moments]] = []
    revised = True
    origin_path, origin_length, step_first = [], [], []
    for group, rows in enumerate(groups(times)):
        fresh = times.is_step[rows]
        stamps, values = known.timestamps[rows], known.values[rows]
        before = None if revised or fresh.all() else vintage.copy()
        if vintage.revise(stamps[~fresh], values[~fresh]):
            if before is not None:
                paths.append(before)
            revised = True
        vintage.extend(stamps[fresh], values[fresh])
        step_first.append(vintage.newest(int(fresh.sum()), differenced=differenced))
        if wanted[group]:
            revised = False
            origin_path.append(len(paths))
            origin_length.append(vintage.size - differenced)
    paths.append(vintage.copy())
    values_of = tuple(np.diff(values) if differenced else values for values, _ in paths)
    stamps_of = tuple(stamps[int(differenced) :] for _, stamps in paths)
    latest = vintage.at(known.timestamps[times.is_step], differenced=differenced)
    return Vintages(
        values_of, stamps_of, np.array(origin_path), np.array(origin_length), np.concatenate(step_first), latest
    )


def groups(times: Timeline) -> Iterator[slice]:
    """Yield the rows of each group."""
    start = 0
    for end in times.ends.tolist():
        yield slice(start, end)
        start = end


class Vintage:
    """The series as known at a moment, changed in place as rows arrive."""

    def __init__(self, capacity: int) -> None:
        self.size = 0
        self._stamps = np.empty(capacity, dtype="datetime64[us]")
        self._values = np.empty(capacity)

    @property
    def stamps(self) -> Moments:
        """The timestamps known, in order."""
        return self._stamps[: self.size]

    @property
    def values(self) -> Values:
        """The values known, in the timestamps' order."""
        return self._values[: self.size]

    def copy(self) -> tuple[Values, Moments]:
        """Return the values and their timestamps as they are now."""
        return self.values.copy(), self.stamps.copy()

    def extend(self, stamps: Moments, values: Values) -> None:
        """Append rows newer than all there are."""
        end = self.size + len(stamps)
        self._stamps[self.size : end], self._values[self.size : end] = stamps, values
        self.size = end

    def revise(self, stamps: Moments, values: Values) -> bool:
        """Replace or fill in older rows; return whether anything changed."""
        changed = False
        for stamp, value in zip(stamps, values, strict=True):
            place = int(np.searchsorted(self._stamps[: self.size], stamp))
            if place == self.size or self._stamps[place] != stamp:
                self._insert(place, stamp, value)
                changed = True
            elif self._values[place] != value:
                self._values[place] = value
                changed = True
        return changed

    def newest(self, count: int, *, differenced: bool) -> Values:
        """Return the newest `count` values, or changes; NaN for the change of the very first."""
        values = self.values[self.size - count :]
        if not differenced:
            return values.copy()
        earlier = self.values[max(self.size - count - 1, 0) : self.size - 1]
        return np.asarray(values - np.append(np.full(count - len(earlier), np.nan), earlier))

    def at(self, stamps: Moments, *, differenced: bool) -> Values:
        """Return the values, or changes, at timestamps it holds."""
        places = np.searchsorted(self._stamps[: self.size], stamps)
        values = self.values
        if differenced:
            values = np.append(np.nan, np.diff(values))
        return np.asarray(values[places])

    def _insert(self, place: int, stamp: np.datetime64, value: float) -> None:
        self._stamps[place + 1 : self.size + 1] = self._stamps[place : self.size].copy()
        self._values[place + 1 : self.size + 1] = self._values[place : self.size].copy()
        self._stamps[place], self._values[place] = stamp, value
        self.size += 1
