"""Sets of series whose last values are cut off and forecast."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core import Observations

Array = NDArray[np.float64]
Moments = NDArray[np.datetime64]


@attrs.frozen
class SeriesSet:
    """A kind of series: how many values are cut off, the season of the measures, and the one that peers are given."""

    name: str
    horizon: int
    season: int
    peer_season: int
    slow_peers: int | None
    """Of so many series, evenly spread, a peer that takes long is asked; None for all."""


SETS: Final = (
    SeriesSet("yearly", 6, 1, 1, None),
    SeriesSet("quarterly", 8, 4, 4, None),
    SeriesSet("monthly", 18, 12, 12, 60),
    SeriesSet("weekly", 13, 1, 1, 60),
    SeriesSet("daily", 14, 1, 1, 60),
    SeriesSet("hourly", 48, 24, 24, 0),
    SeriesSet("half_hourly", 336, 48, 336, 0),
)
"""Horizons and seasons are those of the M4 competition, but for the last, of which a week is forecast."""


@attrs.frozen(eq=False)
class Series:
    """A series before and after the cut."""

    name: str
    timestamps: Moments
    history: Array
    actual: Array
    number: int
    """Its place in the set, from 1, in the order of names."""

    @property
    def key(self) -> str:
        """A hash of the history, by which forecasts are kept."""
        return hashlib.sha256(self.history.astype("<f8").tobytes()).hexdigest()[:16]


def read(folder: Path, series_set: SeriesSet) -> list[Series]:
    """Return a set's series in the order of names; none where the folder does not have the set."""
    path = folder / f"{series_set.name}.csv"
    if not path.exists():
        return []
    rows: dict[str, list[tuple[np.datetime64, float]]] = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            rows[row["variable"]].append((np.datetime64(row["timestamp"], "us"), float(row["value"])))
    return [_cut(name, sorted(rows[name]), series_set.horizon, number) for number, name in enumerate(sorted(rows), 1)]


def _cut(name: str, rows: list[tuple[np.datetime64, float]], horizon: int, number: int) -> Series:
    timestamps, values = (np.array(column) for column in zip(*rows, strict=True))
    return Series(name, timestamps[:-horizon], values[:-horizon], values[-horizon:], number)


@attrs.frozen
class HistoryStore:
    """A DataStore of the histories, which ends at the cut."""

    series: dict[str, Series]

    @classmethod
    def of(cls, series: list[Series]) -> HistoryStore:
        return cls({one.name: one for one in series})

    def names(self) -> Iterator[str]:
        yield from self.series

    def read(self, variable: str) -> Observations:
        return Observations(variable, self.series[variable].timestamps, self.series[variable].history)
