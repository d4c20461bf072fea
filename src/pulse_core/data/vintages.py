"""Vintages: a variable's series as known at the moments when its rows were released."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.data.observations import Moments, Observations, Values

Positions = NDArray[np.int64]


@attrs.frozen(eq=False)
class Timeline:
    """The releases of a variable: its rows, grouped by the moment at which they became known.

    Of each group (group,): `ends` and `distinct` count the rows and the distinct timestamps known after it, `present`
    those of them that are not retracted, `advances` is whether its newest timestamp is newer than all before, `step` is
    the newest step of the grid after it. `is_step` (row,) marks the first release of a timestamp that is newer than all
    known before it.
    """

    ends: Positions
    distinct: Positions
    present: Positions
    advances: NDArray[np.bool_]
    step: Positions
    is_step: NDArray[np.bool_]


@attrs.frozen(eq=False)
class Vintages:
    """The distinct histories of a variable, with their timestamps; for the fields see PointInTime."""

    paths: tuple[Values, ...]
    stamps: tuple[Moments, ...]
    origin_path: Positions
    origin_length: Positions
    step_first: Values
    step_latest: Values


def timeline(observations: Observations) -> Timeline:
    """Group the rows by the moment at which they became known; they are sorted by known_at, then timestamp."""
    if not len(observations):
        empty = np.zeros(0, dtype=np.int64)
        return Timeline(empty, empty, empty, empty.astype(bool), empty, empty.astype(bool))
    if _is_released_in_order(observations):
        every = np.ones(len(observations), dtype=bool)
        counts = np.arange(1, len(observations) + 1)
        return Timeline(counts, counts, counts, every, counts - 1, every)
    is_start = np.append(True, observations.releases[1:] != observations.releases[:-1])
    ends = np.append(np.flatnonzero(is_start)[1:], len(observations))
    newest = np.maximum.accumulate(observations.timestamps.view(np.int64))
    before = np.append(np.iinfo(np.int64).min, newest[ends[:-1] - 1])
    # timestamps differ within a group, so a row newer than all earlier groups is a first release
    is_step = observations.timestamps.view(np.int64) > before[np.cumsum(is_start) - 1]
    _, first_rows = np.unique(observations.timestamps, return_index=True)
    is_first = np.zeros(len(observations), dtype=np.int64)
    is_first[first_rows] = 1
    distinct = np.cumsum(is_first)[ends - 1]
    present = distinct
    if np.isnan(observations.values).any():
        present = np.cumsum(_changes_of_presence(observations))[ends - 1]
    return Timeline(ends, distinct, present, is_step[ends - 1], np.cumsum(is_step)[ends - 1] - 1, is_step)


def _changes_of_presence(observations: Observations) -> Positions:
    """Return by how much each row changes the number of timestamps that have a value: 1, 0, or -1 where it retracts."""
    order = np.lexsort((observations.releases, observations.timestamps))
    stamps, has_value = observations.timestamps[order], (~np.isnan(observations.values[order])).astype(np.int64)
    changes = np.diff(has_value, prepend=0)
    is_start = np.append(True, stamps[1:] != stamps[:-1])
    changes[is_start] = has_value[is_start]
    by_row = np.empty(len(order), dtype=np.int64)
    by_row[order] = changes
    return by_row


def _is_released_in_order(observations: Observations) -> bool:
    """Whether each row became known on its own, and is of a newer timestamp than all before: nothing was revised."""
    released, stamps = observations.releases, observations.timestamps
    return bool((released[1:] != released[:-1]).all() and (stamps[1:] > stamps[:-1]).all())


def arrange(observations: Observations, times: Timeline, origins: Positions, *, differenced: bool) -> Vintages:
    """Return the histories known at the origins (positions of groups), of changes where `differenced`.

    Both values of a change, released or latest, are of one vintage.
    """
    if times.is_step.all():
        return _single_vintage(observations, times, origins, differenced=differenced)
    return _several_vintages(observations, times, origins, differenced=differenced)


def _single_vintage(observations: Observations, times: Timeline, origins: Positions, *, differenced: bool) -> Vintages:
    path = np.diff(observations.values) if differenced else observations.values
    steps = np.append(np.nan, path) if differenced else path
    return Vintages(
        (path,),
        (observations.timestamps[int(differenced) :],),
        np.zeros_like(origins),
        times.ends[origins] - differenced,
        steps,
        steps,
    )


def _several_vintages(
    observations: Observations, times: Timeline, origins: Positions, *, differenced: bool
) -> Vintages:
    is_origin = np.zeros(len(times.ends), dtype=bool)
    is_origin[origins] = True
    builder = _VintagesBuilder(int(times.distinct[-1]), differenced=differenced)
    for group, rows in enumerate(groups(times)):
        builder.add_release(observations.timestamps[rows], observations.values[rows], times.is_step[rows])
        if is_origin[group]:
            builder.add_origin()
    return builder.vintages(observations.timestamps[times.is_step])


def groups(times: Timeline) -> Iterator[slice]:
    """Yield the rows of each group."""
    start = 0
    for end in times.ends.tolist():
        yield slice(start, end)
        start = end


class _VintagesBuilder:
    """The histories of a variable's origins, release by release: a revision after an origin starts a new path."""

    def __init__(self, capacity: int, *, differenced: bool) -> None:
        self._vintage = Vintage(capacity)
        self._differenced = differenced
        self._paths: list[tuple[Values, Moments]] = []
        self._has_origin = False
        """Whether an origin knows the present path."""
        self._origin_path: list[int] = []
        self._origin_length: list[int] = []
        self._step_first: list[Values] = []

    def add_release(self, stamps: Moments, values: Values, is_step: NDArray[np.bool_]) -> None:
        """Add the rows that became known at a moment; `is_step` (row,) as in Timeline."""
        before = self._vintage.copy() if self._has_origin and not is_step.all() else None
        if self._vintage.update(stamps, values, is_step) and before is not None:
            self._paths.append(before)
            self._has_origin = False
        self._step_first.append(self._vintage.newest(int(is_step.sum()), differenced=self._differenced))

    def add_origin(self) -> None:
        """Make the newest release an origin."""
        self._has_origin = True
        self._origin_path.append(len(self._paths))
        self._origin_length.append(self._vintage.size - self._differenced)

    def vintages(self, step_timestamps: Moments) -> Vintages:
        """Return the histories after the last release, given the timestamps of the grid (step,)."""
        paths = [*self._paths, self._vintage.copy()]
        return Vintages(
            tuple(np.diff(values) if self._differenced else values for values, _ in paths),
            tuple(stamps[int(self._differenced) :] for _, stamps in paths),
            np.array(self._origin_path),
            np.array(self._origin_length),
            np.concatenate(self._step_first),
            self._vintage.at(step_timestamps, differenced=self._differenced),
        )


class Vintage:
    """The series of a variable as known at a moment, updated in place as rows arrive."""

    def __init__(self, capacity: int) -> None:
        self.size = 0
        self._stamps = np.empty(capacity, dtype="datetime64[us]")
        self._values = np.empty(capacity)

    @property
    def stamps(self) -> Moments:
        """The known timestamps, in order."""
        return self._stamps[: self.size]

    @property
    def values(self) -> Values:
        """The known values, in the order of their timestamps."""
        return self._values[: self.size]

    def copy(self) -> tuple[Values, Moments]:
        """Return copies of the values and of their timestamps."""
        return self.values.copy(), self.stamps.copy()

    def update(self, stamps: Moments, values: Values, is_step: NDArray[np.bool_]) -> bool:
        """Add the rows of a release, of which `is_step` (row,) marks those newer than all before.

        Returns whether an older timestamp was revised or filled in.
        """
        is_revised = self._revise(stamps[~is_step], values[~is_step])
        self._extend(stamps[is_step], values[is_step])
        return is_revised

    def _extend(self, stamps: Moments, values: Values) -> None:
        end = self.size + len(stamps)
        self._stamps[self.size : end], self._values[self.size : end] = stamps, values
        self.size = end

    def _revise(self, stamps: Moments, values: Values) -> bool:
        """Replace, fill in or retract (NaN) values of older timestamps; return whether the series changed."""
        is_revised = False
        for stamp, value in zip(stamps, values, strict=True):
            index = int(np.searchsorted(self._stamps[: self.size], stamp))
            is_known = index < self.size and self._stamps[index] == stamp
            if np.isnan(value):
                if is_known:
                    self._remove(index)
                is_revised = is_revised or is_known
            elif not is_known:
                self._insert(index, stamp, value)
                is_revised = True
            elif self._values[index] != value:
                self._values[index] = value
                is_revised = True
        return is_revised

    def newest(self, count: int, *, differenced: bool) -> Values:
        """Return the newest `count` values, or changes where `differenced`; the first timestamp's change is NaN."""
        values = self.values[self.size - count :]
        if not differenced:
            return values.copy()
        earlier = self.values[max(self.size - count - 1, 0) : self.size - 1]
        return np.asarray(values - np.append(np.full(count - len(earlier), np.nan), earlier))

    def at(self, stamps: Moments, *, differenced: bool) -> Values:
        """Return the values, or changes where `differenced`, at timestamps; NaN for retracted ones."""
        if not self.size:
            return np.full(len(stamps), np.nan)
        values = self.values
        if differenced:
            values = np.append(np.nan, np.diff(values))
        index = np.minimum(np.searchsorted(self.stamps, stamps), self.size - 1)
        return np.where(self.stamps[index] == stamps, values[index], np.nan)

    def _remove(self, index: int) -> None:
        self._stamps[index : self.size - 1] = self._stamps[index + 1 : self.size].copy()
        self._values[index : self.size - 1] = self._values[index + 1 : self.size].copy()
        self.size -= 1

    def _insert(self, index: int, stamp: np.datetime64, value: float) -> None:
        self._stamps[index + 1 : self.size + 1] = self._stamps[index : self.size].copy()
        self._values[index + 1 : self.size + 1] = self._values[index : self.size].copy()
        self._stamps[index], self._values[index] = stamp, value
        self.size += 1
