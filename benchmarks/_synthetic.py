"""Synthetic series of a fixed seed, and the forms in which Pulse and the peers take them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core import Histories, Observations, RunSpec

Array = NDArray[np.float64]
Lengths = NDArray[np.int64]

FIRST_DAY: Final = date(2000, 1, 1)
MIN_HISTORY: Final = 30
HORIZON: Final = 5
SEASON: Final = 7
KINDS: Final = ("random walk", "autoregression", "trend and season")
"""Column i of a set of series is of kind i modulo 3; all move by about 1 around levels of about 100."""


def series(count: int, points: int, first: int = 0) -> Array:
    """Return the series `first` .. `first + count - 1`; (time, variable). A series does not depend on the others."""
    return np.stack([_one(number, points) for number in range(first, first + count)], axis=1)


def _one(number: int, points: int) -> Array:
    noise = np.random.default_rng(number).normal(size=points)
    kind = KINDS[number % len(KINDS)]
    if kind == "random walk":
        return np.asarray(100.0 + np.cumsum(noise))
    if kind == "autoregression":
        return _autoregression(noise)
    time = np.arange(points)
    return np.asarray(100.0 + 0.02 * time + 2.0 * np.sin(2.0 * np.pi * time / SEASON) + noise)


def _autoregression(noise: Array) -> Array:
    """Return an AR(2) with coefficients 0.5 and 0.3 around 100."""
    before = earlier = 0.0
    values = []
    for shock in noise.tolist():
        before, earlier = 0.5 * before + 0.3 * earlier + shock, before
        values.append(100.0 + before)
    return np.array(values)


def histories(values: Array, lengths: Lengths) -> Histories:
    """Return one variable's values (time,) as histories with an origin at each of these lengths."""
    return Histories((np.ascontiguousarray(values),), np.zeros(len(lengths), dtype=np.int64), lengths)


@attrs.frozen
class SyntheticStore:
    """A DataStore that makes `variables` series of `points` days when they are read, and keeps none."""

    variables: int
    points: int

    def names(self) -> Iterator[str]:
        yield from (f"v{number:06d}" for number in range(self.variables))

    def read(self, variable: str) -> Observations:
        days = np.datetime64(FIRST_DAY, "us") + np.arange(self.points) * np.timedelta64(1, "D")
        return Observations(variable, days, _one(int(variable[1:]), self.points))

    def spec(self) -> RunSpec:
        """Return the spec of a run over all of it: every origin from `MIN_HISTORY` points on, default forecasters."""
        first, last = (FIRST_DAY + timedelta(days=days) for days in (MIN_HISTORY - 1, self.points - 1))
        return RunSpec(variables=tuple(self.names()), start=first, end=last, min_history=MIN_HISTORY, horizon=HORIZON)

    @property
    def origins(self) -> int:
        """How many origins a variable has."""
        return self.points - MIN_HISTORY + 1


@attrs.frozen
class MemoryStore:
    """A DataStore that holds its series in memory."""

    observations: dict[str, Observations]

    @classmethod
    def of(cls, store: SyntheticStore) -> MemoryStore:
        """Hold all that another store makes."""
        return cls({name: store.read(name) for name in store.names()})

    def names(self) -> Iterator[str]:
        yield from self.observations

    def read(self, variable: str) -> Observations:
        return self.observations[variable]
