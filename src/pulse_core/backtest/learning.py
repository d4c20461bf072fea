"""The learning pass: ensemble, quantiles, scores and outcomes of one variable, origin by origin in the kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import finite_or_nan
from pulse_core.backtest.calibration import CONFORMAL, calibrator_arrays
from pulse_core.backtest.hindcasts import Hindcasts
from pulse_core.backtest.origins import Origins
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.kernel.bindings import (
    LANES,
    TOGETHER,
    PassState,
    add_sequence_counts,
    close_batch,
    fill,
    no_sequence_counts,
    run_ensemble_latest,
    run_pass,
    whole_lanes,
)
from pulse_core.kernel.memory import Memory, on_lines
from pulse_core.levels import LEVELS
from pulse_core.scores.sums import SUMS
from pulse_core.scores.trust import HALF_LIVES, STATE, fade_of
from pulse_core.spec import CALIBRATIONS, TRUST_LOSSES, RunSpec

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

BLOCK: Final = 100_000
"""Cells (origin x forecaster x horizon) of a call to the kernel, about a millisecond: a signal is heard in between."""

_POINT_TERMS: Final = 6
_FLAGS: Final = 12
_COMMON: Final = 2 + 2 * len(LEVELS)
_SCRATCH: Final = 17
_PAIR: Final = 10
"""Rows of what is kept of a pair, without those of lags and interleaved processes."""

_CAPITALS: Final = 6
_PARTS: Final = 2
"""Of the ensemble."""


@attrs.frozen(eq=False)
class OriginStates:
    """What stood at some origins in a row, from `first` on: all of it depends on what was known there alone.

    Values are scaled as the histories are. `quantiles` (origin, level, forecaster, horizon), `weights` of the ensemble
    (origin, member, horizon), none without one. From the period on: the `states` of trust (origin, STATE, horizon,
    forecaster) and the e-values for and against, `evidence` (origin, side, horizon, forecaster).
    """

    first: int
    quantiles: Array
    weights: Array
    states: Array
    evidence: Array

    def __len__(self) -> int:
        return len(self.quantiles)


@attrs.frozen(eq=False)
class BatchBlock:
    """What some batches in a row have come to, from `first` on, once the pass has gone through all their origins.

    Batches without an origin are not counted; see Origins.batches.

    `sums` (batch, forecaster, horizon, sum); `counts` of wins and losses by the batch in which they became known,
    (batch, horizon, 2, forecaster). Of the marks from `first_mark` on that are origins of these batches: `marked`
    and `ahead` as in LearningPass. The arrays are written over when the pass goes on.
    """

    first: int
    first_mark: int
    sums: Array
    counts: Array
    marked: Array
    ahead: Array


class LearningPass:
    """A variable on its way through its origins; what it has come to stands in its arrays.

    `sums` (batch, forecaster, horizon, sum); `differences` (origin of the period, horizon, forecaster): what the
    forecaster lost less than the benchmark, scaled, NaN where nothing was compared. Of the `marks`, origins of the
    period at which it is kept: `marked` (mark, STATE, horizon, forecaster), and `ahead` (mark, horizon, forecaster),
    the sum of what was lost less at the origins before the mark, by all that the run knows in the end.

    Batches are those of Origins.batches. With `take` what belongs to batches or marks is kept for `at_once` batches at
    a time, and handed over block by block; `sums`, `counts`, `marked` and `ahead` are those of the block. Of
    `differences` only as many are kept as are still to be learned from; `sequences` are their wins and losses, see
    evidence_of_sequences.
    """

    def __init__(
        self,
        hindcasts: Hindcasts,
        origins: Origins,
        forecasters: ForecasterSet,
        spec: RunSpec,
        benchmark: str,
        marks: Positions,
        take: Callable[[BatchBlock], None] | None = None,
        at_once: int | None = None,
    ) -> None:
        self._hindcasts, self._origins = hindcasts, origins
        stride = hindcasts.cells.shape[1]
        self._shape = (len(hindcasts.names), spec.horizon)
        self._take, self._marks = take, marks
        self._step = max(1, BLOCK // stride)
        self.sequences = no_sequence_counts(spec.horizon, len(hindcasts.names) if take is not None else 0)
        self._ranges = _ranges(origins, at_once if take is not None else None)
        batches = max((last - first for first, last, _ in self._ranges), default=0)
        self.sums = np.zeros((batches, *self._shape, len(SUMS)))
        self._state = PassState()
        self._arrays: list[NDArray[Any]] = []
        self._memory = Memory()
        self._set_origins(origins, spec, hindcasts.names.index(benchmark))
        self._set_volatility(spec)
        leans = bool(self._state.volatility.scale)
        self._set_calibrator(self._state.calibrator, self._shape[0], spec, leans=leans)
        self._set_custom(spec)
        self._set_sums(stride)
        members = forecasters.members(spec.target)
        self._members = [hindcasts.names.index(forecaster.name) for forecaster in members]
        self._set_ensemble(forecasters)
        self._set_trust(spec, marks)

    def _set_origins(self, origins: Origins, spec: RunSpec, benchmark: int) -> None:
        """Set what the pass reads, and where it writes."""
        stride = self._hindcasts.cells.shape[1]
        self._fill(
            self._state,
            origins=len(origins),
            forecasters=self._shape[0],
            horizons=spec.horizon,
            stride=stride,
            first_batch=self._ranges[0][0] if self._ranges else 0,
            benchmark=benchmark,
            trust_loss=TRUST_LOSSES.index(spec.trust_loss),
            scale=origins.scale,
            square_scale=origins.square_scale,
            step_square=origins.step_square,
            steps=origins.steps,
            newest=origins.newest,
            reported=origins.reported,
            released=origins.released,
            batch=origins.batch_rows,
            known=origins.known,
            forecasts=self._hindcasts.cells,
            scratch=self._memory.full(_SCRATCH, stride),
            sums=self.sums,
        )

    @property
    def differences(self) -> Array:
        """What each forecaster lost less than the benchmark; of the newest origins, where not all are kept."""
        return self._of_forecasters(self._differences)

    def differences_at(self, begin: int, end: int) -> Array:
        """Return those of some origins that the pass has just gone through, of the period and counted from its first.

        (origin, horizon, forecaster).
        """
        rows = len(self._differences)
        if begin % rows + end - begin <= rows:
            return self.differences[begin % rows : begin % rows + end - begin]
        return self.differences[np.arange(begin, end) % rows]

    @property
    def marked(self) -> Array:
        """The states of trust at the marks."""
        return self._of_forecasters(self._marked)

    @property
    def ahead(self) -> Array:
        """The sums of what was lost less before the marks."""
        return self._of_forecasters(self._ahead)

    @property
    def counts(self) -> Array:
        """Wins and losses by the batch in which they became known; (batch, horizon, 2, forecaster)."""
        return self._of_forecasters(self._counts)

    def run(self, first: int, last: int) -> None:
        """Go through the origins from `first` up to, not including, `last`: all in order, each once."""
        for begin, end in self._blocks(first, last):
            self._run(begin, end)

    def states(self, first: int, last: int) -> Iterator[OriginStates]:
        """Go through the origins, and yield what stands at them, some at a time."""
        stride = self._hindcasts.cells.shape[1]
        for begin, end in self._blocks(first, last):
            quantiles = np.empty((end - begin, len(LEVELS), stride))
            weights = np.empty((end - begin, self._state.ensemble.members, self._shape[1]))
            states = np.empty((end - begin, len(STATE), *self._pairs))
            evidence = np.empty((end - begin, 2, *self._pairs))
            fill(self._state, quantiles=quantiles, weights=weights)
            fill(self._state.trust, states=states, evidence=evidence)
            self._run(begin, end)
            fill(self._state, quantiles=None, weights=None)
            fill(self._state.trust, states=None, evidence=None)
            yield OriginStates(
                begin,
                self._by_cell(quantiles),
                weights,
                self._of_forecasters(states),
                self._of_forecasters(evidence),
            )

    def learned(self) -> tuple[Array, Array, Array]:
        """Return the ensemble's weights (forecaster, horizon), regret and its bound (horizon,); NaN for none.

        The regret is that against the best in hindsight. Its bound: the loss is convex, so the ensemble's is at most p
        times that of ML-Poly and 1 - p times that of its other part, whose regret is measured. Of ML-Poly, which learns
        from losses times p: with W the sum over k of rate_k max(R_k, 0)^2, each step adds
        at most the sum of rate_k r_k^2 (the cross term is not above 0 because the loss is convex and weights are
        proportional to rate times max(R_k, 0)), and rates only fall; so R_k^2 <= (B + sum r_k^2) times the sum of those
        terms, whatever the losses' range. Delayed losses break the cross term's sign: no bound beyond horizon 1.
        """
        horizons, members = self._shape[1], self._state.ensemble.members
        regret, bound = np.full(horizons, np.nan), np.full(horizons, np.nan)
        if members:
            run_ensemble_latest(self._state)
            regrets = self._regret[:, :members]
            best = np.argmax(regrets, axis=1)
            regret = finite_or_nan(regrets[np.arange(horizons), best])
            with np.errstate(over="ignore"):  # a bound that is no float64 is none
                # the product of the roots, for the product may exceed a float64 where its root does not
                followed = np.sqrt(self._largest[0] + self._squares[0, best[0]]) * np.sqrt(self._potential[0])
                bound[0] = finite_or_nan(followed + self._rest[best[0]])
        return self.by_forecaster(self._weight[:, :members].T), regret, bound

    def by_forecaster(self, weights: Array) -> Array:
        """Return the ensemble's weights (.., member, horizon) as (.., forecaster, horizon), NaN for what it weighs not.

        Without an ensemble there is no member, and all are NaN.
        """
        spread = np.full((*weights.shape[:-2], *self._shape), np.nan)
        if weights.shape[-2]:
            spread[..., self._members, :] = weights
        return spread

    def _blocks(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield ranges of origins, of which none goes beyond the batches whose sums are kept at a time."""
        step, begin = self._step, first
        while begin < last:
            end = min(begin + step, last, next(end for _, _, end in self._ranges if end > begin))
            yield begin, end
            begin = end

    def _run(self, begin: int, end: int) -> None:
        """Go through some origins, and hand over what their batches have come to if these are at their end."""
        run_pass(self._state, begin, end)
        if self._take is None:
            return
        if end > self._origins.first:
            numbers = max(begin - self._origins.first, 0), end - self._origins.first
            add_sequence_counts(self.differences_at(*numbers), numbers[0], self.sequences)
        if end != self._ranges[0][2]:
            return
        close_batch(self._state)
        first, last, _ = self._ranges.pop(0)
        count, marks = last - first, self._state.trust.next_mark
        block = BatchBlock(
            first, self._first_mark, self.sums[:count], self.counts[:count], self.marked[:marks], self.ahead[:marks]
        )
        self._take(block)
        if self._ranges:
            self.sums.fill(0.0)
            self._counts.fill(0.0)
            self._first_mark += marks
            self._state.first_batch = self._ranges[0][0]
            self._set_marks()

    def _set_marks(self) -> None:
        """Set the marks from the first on whose states have not been handed over."""
        marks = self._marks[self._first_mark :]
        self._fill(self._state.trust, marks=marks, mark_count=len(marks), next_mark=0)

    def _by_cell(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return rows of cells (..., stride) as (..., forecaster, horizon)."""
        return rows[..., : self._shape[0] * self._shape[1]].reshape(*rows.shape[:-1], *self._shape)

    def _of_forecasters(self, pairs: Array) -> Array:
        """Return rows of pairs (.., width) without what fills them up, (.., forecaster)."""
        return pairs[..., : self._shape[0]]

    def _fill(self, structure: Any, **values: float | NDArray[Any]) -> None:
        """Set fields, and keep their arrays alive."""
        fill(structure, **values)
        self._arrays += [value for value in values.values() if isinstance(value, np.ndarray)]

    def _set_volatility(self, spec: RunSpec) -> None:
        """Set the conditional scale, if there is one, and quantiles are learned from errors over it."""
        volatility = self._origins.volatility
        if volatility is None or CALIBRATIONS.index(spec.calibration) != CONFORMAL:
            self._fill(self._state.volatility, first=len(self._origins))
            return
        self._fill(
            self._state.volatility,
            first=volatility.first,
            scale=volatility.scale,
            lean=volatility.lean,
            rate=volatility.square_rate,
        )
        self._fill(self._state, step_square=volatility.step_square)

    def _set_calibrator(
        self,
        structure: Any,
        forecasters: int,
        spec: RunSpec,
        *,
        brings_spread: bool = False,
        leans: bool = False,
    ) -> None:
        self._fill(
            structure,
            **calibrator_arrays(
                CALIBRATIONS.index(spec.calibration),
                forecasters,
                self._origins.known,
                self._memory,
                brings_spread=brings_spread,
                leans=leans,
            ),
        )

    def _set_custom(self, spec: RunSpec) -> None:
        custom = self._hindcasts.custom
        self._fill(
            self._state,
            custom=len(custom),
            custom_rows=np.array(custom.rows, dtype=np.int64),
            calibrated_rows=np.array(custom.calibrated, dtype=np.int64),
            custom_offset=custom.offsets,
            custom_spread=custom.spread,
        )
        if len(custom):
            self._set_calibrator(self._state.custom_calibrator, len(custom), spec, brings_spread=True)

    def _set_ensemble(self, forecasters: ForecasterSet) -> None:
        members = len(self._members) if forecasters.ensemble is not None else 0
        horizons, width = self._shape[1], whole_lanes(members)
        zeros = self._memory.full
        self._regret, self._squares, self._weight = (zeros(horizons, width) for _ in range(3))
        self._largest, self._potential, self._rest = zeros(horizons), zeros(1), zeros(width)
        window = int((np.arange(len(self._origins)) - self._origins.known.min(axis=1)).max()) + 1 if members else 0
        self._fill(
            self._state.ensemble,
            members=members,
            row=0 if forecasters.ensemble is None else forecasters.names.index(forecasters.ensemble),
            width=width,
            window=window,
            rows=np.array(self._members, dtype=np.int64),
            regret=self._regret,
            lost=zeros(horizons, width),
            followed=zeros(horizons, width),
            squares=self._squares,
            largest=self._largest,
            potential=self._potential,
            rest=self._rest,
            known=zeros(1),
            past=zeros(window, horizons, _PARTS, value=np.nan),
            past_proportion=zeros(window),
            weight=self._weight,
            scratch=zeros(4 + _PARTS, width),
        )

    def _set_sums(self, stride: int) -> None:
        zeros = self._memory.full
        self._fill(
            self._state.running,
            term=zeros(_POINT_TERMS, stride),
            above=zeros(len(LEVELS), stride),
            below=zeros(len(LEVELS), stride),
            interval=zeros(stride),
            flag=self._memory.integers(_FLAGS, stride),
            common=zeros(2, _COMMON, stride),
            complete=0,
            apart=0,
            batch=-1,
        )

    def _set_trust(self, spec: RunSpec, marks: Positions) -> None:
        horizons, width = self._pairs = spec.horizon, whole_lanes(self._shape[0])
        origins = len(self._origins) - self._origins.first
        zeros = self._memory.full
        window = most_waiting(self._origins)
        rows = min(origins, window + horizons + TOGETHER + self._step) if self._take is not None else origins
        self._differences = on_lines(max(rows, 1), *self._pairs)
        self._first_mark = 0
        ends = [np.searchsorted(marks, end) for _, _, end in self._ranges]
        most = len(marks) if self._take is None else int(np.diff(ends, prepend=0).max(initial=0))
        self._marked, self._ahead = on_lines(most, len(STATE), *self._pairs), on_lines(most, *self._pairs)
        self._counts = on_lines(len(self.sums), horizons, 2, width)
        self._counts.fill(0.0)
        self._fill(
            self._state.trust,
            width=width,
            first=self._origins.first,
            fade=fade_of(spec.trust_half_life),
            level_fade=fade_of(HALF_LIVES["level"]),
            size_fade=fade_of(HALF_LIVES["size"]),
            win_fade=fade_of(HALF_LIVES["wins"]),
            level=zeros(horizons, 2),
            rows=len(self._differences),
            difference=self._differences,
            window=window,
            bet=zeros(window, *self._pairs),
            learned=self._memory.integers(horizons),
            multiplied=self._memory.integers(horizons),
            recent=zeros(horizons - 1 + TOGETHER, LANES),
            pairs=self._pairs_before(),
            ahead=zeros(*self._pairs),
            counts=self._counts,
            marked=self._marked,
            marked_ahead=self._ahead,
        )
        self._set_marks()

    def _pairs_before(self) -> Array:
        """Return what is kept of pairs before the first origin: nothing, and capitals of 1."""
        horizons, width = self._pairs
        rows = [(_PAIR + 2 * h, _PAIR + 2 * h + _CAPITALS * (h + 1)) for h in range(horizons)]
        kept = self._memory.full(sum(end for _, end in rows) * width)
        rest = kept
        for capitals, end in rows:
            rest[: end * width].reshape(-1, end, LANES)[:, capitals:] = 1.0
            rest = rest[end * width :]
        return kept


def _ranges(origins: Origins, at_once: int | None) -> list[tuple[int, int, int]]:
    """Return ranges of batches: the first, the one behind the last, and the origin behind their origins.

    Batches are counted among those that have an origin. A range is `at_once` batches long, or shorter at the end; all
    in one where that is None.
    """
    if at_once is None:
        return [(0, len(origins.batches), len(origins))]
    firsts = range(0, len(origins.batches), at_once)
    lasts = [min(first + at_once, len(origins.batches)) for first in firsts]
    return [
        (first, last, int(np.searchsorted(origins.batch_rows, last))) for first, last in zip(firsts, lasts, strict=True)
    ]


def most_waiting(origins: Origins) -> int:
    """Return how many origins of the period wait for their actuals at most, the newest of them included."""
    numbers, known = np.arange(origins.first, len(origins)), origins.known[origins.first :].min(axis=1)
    return int((numbers + 1 - np.maximum(known, origins.first)).max(initial=1))
