"""Exponential smoothing, its parameters chosen anew at every origin from a grid.

One recursive filter a grid point runs once over each history; the sum of its squared one-step errors so far is
what a refit at that origin would minimise, so every origin gets the exact grid refit for the price of one pass.
Source: Hyndman, Koehler, Ord & Snyder, Forecasting with Exponential Smoothing (2008), table 2.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import attrs
import numpy as np

from pulse_core.forecasters.averages import flat
from pulse_core.forecasters.base import Histories, Positions, Values

WIDTH: Final = 1 << 13
"""Values of one array at one time: small enough that a step's arrays stay in a core's cache."""

BUFFERED: Final = 1 << 15
"""Values of one array over a stretch of time."""

SHORTEST: Final = 4
"""Times of a stretch, where that is more values."""


class GridFilter(Protocol):
    """A recursive filter run at every point of a parameter grid; its arrays are (state, path, grid)."""

    @property
    def grid(self) -> int:
        """How many grid points there are."""

    @property
    def needs(self) -> int:
        """How many values the first state is made of."""

    def start(self, values: Values) -> tuple[Values, Values]:
        """Return the state after the first `needs` values (state, path, grid), and the squared error so far."""

    def step(self, value: Values, before: Values, error: Values, after: Values) -> None:
        """Fill the one-step error (path, grid) of a value (path, 1), and the state after it, in place."""


MakeFilter = Callable[[int], GridFilter]
"""Make a filter for this many paths."""


def best_states(make: MakeFilter, states: int, histories: Histories) -> tuple[Positions, Values]:
    """Run the filter and read, at each origin, the grid point with the least squared error so far.

    Returns the chosen grid points (origin,) and their states (state, origin), NaN where the history is too short.
    Ties go to the first grid point.
    """
    count = len(histories.origin_length)
    chosen, picked = np.zeros(count, dtype=np.int64), np.full((states, count), np.nan)
    block = max(1, WIDTH // make(1).grid)
    for first in range(0, histories.values.shape[1], block):
        _Pass(make, histories, first, first + block).run(chosen, picked)
    return chosen, picked


class _Pass:
    """One pass of a filter over a block of paths, in stretches of time that fit the buffers."""

    def __init__(self, make: MakeFilter, histories: Histories, first: int, last: int) -> None:
        path = histories.origin_path
        mine = np.flatnonzero((path >= first) & (path < last))
        # in order of time, as they are met
        self._origins = mine[np.argsort(histories.origin_length[mine], kind="stable")]
        self._newest = histories.origin_length[self._origins] - 1
        self._path = path[self._origins] - first
        times = int(self._newest.max(initial=-1)) + 1
        self._values = np.ascontiguousarray(histories.values[:times, first:last])
        self._filter = make(self._values.shape[1])

    def run(self, chosen: Positions, picked: Values) -> None:
        """Fill in what this block's origins choose."""
        times, paths = self._values.shape
        needs = self._filter.needs
        if times < needs:
            return
        state, squares = self._filter.start(self._values[:needs])
        length = min(max(SHORTEST, BUFFERED // (self._filter.grid * paths)), times)
        states, sums = np.empty((length, *state.shape)), np.empty((length, *squares.shape))
        states[0], sums[0] = state, squares
        first = needs - 1
        while True:
            last = min(first + length, times)
            self._advance(first, last, states, sums)
            self._read(first, last, states, sums, chosen, picked)
            if last >= times:
                return
            # a stretch begins with the state that the one before it ended with
            states[0], sums[0], first = states[-1].copy(), sums[-1].copy(), last - 1

    def _advance(self, first: int, last: int, states: Values, sums: Values) -> None:
        error = np.empty_like(sums[0])
        step = self._filter.step
        for row in range(1, last - first):
            step(self._values[first + row, :, None], states[row - 1], error, states[row])
            np.multiply(error, error, out=error)
            np.add(sums[row - 1], error, out=sums[row])

    def _read(self, first: int, last: int, states: Values, sums: Values, chosen: Positions, picked: Values) -> None:
        begin, end = np.searchsorted(self._newest, [first, last])
        row, path = self._newest[begin:end] - first, self._path[begin:end]
        best = np.argmin(sums[row, path], axis=1)
        origins = self._origins[begin:end]
        chosen[origins] = best
        for place, state in enumerate(picked):
            state[origins] = states[row, place, path, best]


@attrs.frozen
class SimpleExponentialSmoothing:
    """A level from y_1, l_t = y_t - (1 - alpha) (y_t - l_{t-1}); alpha in 0.05, 0.10 .. 1.00."""

    name: str = "ses"
    version: str = "1"
    alphas: tuple[float, ...] = tuple(step / 20 for step in range(1, 21))

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        level, _ = self.level(histories)
        return flat(level, horizon)

    def level(self, histories: Histories) -> tuple[Values, Positions]:
        """Return the level at each origin, and the position of the alpha it was made with."""
        name = f"ses {self.alphas}"
        if name not in histories.shared:
            chosen, states = best_states(lambda paths: _Level(self.alphas, paths), 1, histories)
            histories.shared[name] = states[0], chosen
        level: tuple[Values, Positions] = histories.shared[name]
        return level


class _Level:
    """The filter of simple exponential smoothing; one state, the level."""

    needs = 1

    def __init__(self, alphas: tuple[float, ...], paths: int) -> None:
        self.grid = len(alphas)
        self._rest = np.tile(1.0 - np.array(alphas), (paths, 1))

    def start(self, values: Values) -> tuple[Values, Values]:
        """See GridFilter."""
        level = np.repeat(values[0, :, None], self.grid, axis=1)
        return level[None], np.zeros_like(level)

    def step(self, value: Values, before: Values, error: Values, after: Values) -> None:
        """See GridFilter."""
        np.subtract(value, before[0], out=error)
        np.multiply(self._rest, error, out=after[0])
        # y - (1 - alpha) e, which is y itself where alpha is 1: ties with naive are then exact
        np.subtract(value, after[0], out=after[0])
