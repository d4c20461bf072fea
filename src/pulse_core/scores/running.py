"""The sums of the batch that each variable of a unit is in, as they grow step by step.

Pinball losses, widths and coverage follow from the sums of d = actual - quantile and of min(d, 0), and from how often d
was below or above zero: tau d - min(d, 0) is the loss, and quantiles do not cross. So a step adds two numbers a level.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.calibration import LEVELS
from pulse_core.scores.sums import COVERED, INTERVALS, PINBALL, SUMS, WIDTH
from pulse_core.scores.terms import MISS, POINT_TERMS, Flags, crps, pinball_sum

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

MIDDLE: Final = len(LEVELS) // 2
FLAGS: Final = 4 + 2 * MIDDLE
"""How many kinds of origins are counted: scored, with quantiles, hits, calls, below and above each interval's ends."""

MOST_STEPS: Final = 255
"""How many steps a byte can count."""

_COMMON: Final = tuple(POINT_TERMS.index(name) for name in ("absolute", "square"))
_WIDEST: Final = 2.0 / MISS
_ENDS: Final = np.array([LEVELS[0], LEVELS[-1]])[:, None, None, None]


class RunningSums:
    """Arrays are (..., forecaster, variable, horizon); `done` (variable, batch, forecaster, horizon, sum).

    Sums over the origins that are scored for a forecaster and the benchmark alike are kept apart only for variables
    where these origins are not, since the batch began, the forecaster's own and the benchmark's own.
    """

    def __init__(self, shape: tuple[int, int, int], benchmark: int, batches: int) -> None:
        forecasters, variables, horizon = shape
        self._benchmark = slice(benchmark, benchmark + 1)
        self._levels = np.array(LEVELS)[:, None, None, None]
        self._terms = np.zeros((len(POINT_TERMS), *shape))
        self._above, self._below = np.zeros((2, len(LEVELS), *shape))
        self._interval = np.zeros(shape)
        self._few, self._many = np.zeros((FLAGS, *shape), dtype=np.uint8), np.zeros((FLAGS, *shape), dtype=np.int64)
        self._steps = 0
        self._apart = np.zeros(variables, dtype=bool)
        self._both: Array = np.empty(0)
        self._batch = np.full(variables, -1)
        self._some_apart = False
        self._ends = np.empty((2, *shape))
        self.done = np.zeros((variables, batches, forecasters, horizon, len(SUMS)))

    def enter(self, batch: Positions) -> None:
        """Move variables on to the batches (variable,) of their origins; where it is negative nothing is scored."""
        moved = (batch != self._batch) & (batch >= 0)
        if moved.any():
            self._put_away(np.flatnonzero(moved & (self._batch >= 0)))
            self._batch = np.where(moved, batch, self._batch)

    def finish(self) -> Array:
        """Put the last batches away and return all."""
        self._put_away(np.flatnonzero(self._batch >= 0))
        return self.done

    def add(self, terms: Array, flags: Flags, above: Array, unit: Array, *, everywhere: bool) -> None:
        """Add a step: point terms, flags of which those from 4 on are still to be set, d (level, ...), and 1/scale.

        Everything is 0 where nothing is scored; `unit` (variable, 1) is NaN where the scale is zero. `everywhere` says
        that every forecast is scored and has quantiles. `above` is overwritten.
        """
        if not everywhere or self._some_apart:
            self._add_common(terms, flags, above)
        np.less(above[:MIDDLE], 0.0, out=flags[4 : 4 + MIDDLE])
        np.greater(above[MIDDLE + 1 :], 0.0, out=flags[4 + MIDDLE :])
        np.add(self._few, flags.view(np.uint8), out=self._few)
        self._steps += 1
        if self._steps == MOST_STEPS:
            self._carry()
        np.add(self._terms, terms, out=self._terms)
        np.add(self._above, above, out=self._above)
        ends = np.multiply(above[:: 2 * MIDDLE], _ENDS, out=self._ends)
        below = np.minimum(above, 0.0, out=above)
        np.add(self._below, below, out=self._below)
        # the 95 % interval's score over the scale
        np.subtract(ends, below[:: 2 * MIDDLE], out=ends)
        score = np.add(ends[0], ends[1], out=ends[0])
        np.multiply(score, _WIDEST * unit, out=score)
        if not everywhere:
            score[~flags[1]] = 0.0
        np.add(self._interval, score, out=self._interval)

    def _add_common(self, terms: Array, flags: Flags, above: Array) -> None:
        """Add the losses, and the benchmark's, on the origins that both are scored on; where these differ."""
        kinds = flags[:2]
        rival = kinds[:, self._benchmark]
        differ = (kinds != rival).any(axis=(0, 1, 3))
        if differ.any():
            self._part(np.flatnonzero(differ & ~self._apart))
        elif not self._some_apart:
            return
        point, certain = kinds & rival
        own, other = (terms, above), (terms[:, self._benchmark], above[:, self._benchmark])
        for row, (losses, quantiles) in enumerate((own, other)):
            self._both[row, :2] += losses[list(_COMMON)] * point
            shared = quantiles * certain
            self._both[row, 2 : 2 + len(LEVELS)] += shared
            self._both[row, 2 + len(LEVELS) :] += np.minimum(shared, 0.0)

    def _part(self, variables: Positions) -> None:
        """Begin to keep the common origins' sums of these variables; so far they were everybody's own."""
        if not len(self._both):
            self._both = np.zeros((2, len(_COMMON) + 2 * len(LEVELS), *self._terms.shape[1:]))
        own = np.concatenate([self._terms[list(_COMMON)], self._above, self._below])
        self._both[0][:, :, variables] = own[:, :, variables]
        self._both[1][:, :, variables] = own[:, self._benchmark][:, :, variables]
        self._apart[variables] = True
        self._some_apart = True

    def _carry(self) -> None:
        np.add(self._many, self._few, out=self._many)
        self._few[:] = 0
        self._steps = 0

    def _put_away(self, variables: Positions) -> None:
        if not len(variables):
            return
        self._carry()
        block = self._sums(variables)
        self.done[variables, self._batch[variables]] = np.moveaxis(block, (0, 2), (3, 0))
        for part in (self._terms, self._above, self._below, self._many):
            part[:, :, variables] = 0
        self._interval[:, variables] = 0.0
        self._apart[variables] = False
        self._some_apart = bool(self._apart.any())

    def _sums(self, variables: Positions) -> Array:
        """Return the sums of some variables' batches; (sum, forecaster, variable, horizon)."""
        terms = dict(zip(POINT_TERMS, self._terms[:, :, variables], strict=True))
        scored, certain, hits, calls, *sides = self._many[:, :, variables]
        above = self._above[:, :, variables]
        pinball = self._pinball(above, self._below[:, :, variables])
        covered = [certain - sides[MIDDLE - 1 - place] - sides[MIDDLE + place] for place in range(len(INTERVALS))]
        width = [above[MIDDLE - 1 - place] - above[MIDDLE + 1 + place] for place in range(len(INTERVALS))]
        named = {
            **terms,
            "count": scored,
            "hits": hits,
            "calls": calls,
            "quantile_count": certain,
            **dict(zip(PINBALL, pinball, strict=True)),
            **dict(zip(COVERED, covered, strict=True)),
            **dict(zip(WIDTH, width, strict=True)),
            "scaled_interval": self._interval[:, variables],
            **self._common(terms, pinball, variables),
        }
        return np.stack([named[name] for name in SUMS]).astype(np.float64)

    def _common(self, terms: dict[str, Array], pinball: Array, variables: Positions) -> dict[str, Array]:
        """Return the losses on common origins, own and the benchmark's."""
        own = np.stack([terms["absolute"], terms["square"], crps(pinball)])
        rival = np.repeat(own[:, self._benchmark], own.shape[1], axis=1)
        apart = np.flatnonzero(self._apart[variables])
        if len(apart):
            for side, both in zip((own, rival), self._both[:, :, :, variables[apart]], strict=True):
                losses = crps(self._pinball(both[2 : 2 + len(LEVELS)], both[2 + len(LEVELS) :]))
                side[:, :, apart] = np.concatenate([both[:2], losses[None]])
        names = ("absolute", "square", "crps")
        sides = (("common", own), ("benchmark", rival))
        return {f"{side}_{name}": part for side, parts in sides for name, part in zip(names, parts, strict=True)}

    def _pinball(self, above: Array, below: Array) -> Array:
        # rounding may leave a sum of nothing a little below zero
        return np.maximum(pinball_sum(above, below, self._levels), 0.0)
