"""The pass over the origins, to the bit: what plain loops give, however it is cut, whoever stands beside whom."""

from __future__ import annotations

import ctypes

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core.backtest import learning
from pulse_core.backtest.custom_quantiles import NO_QUANTILES
from pulse_core.backtest.learning import BatchBlock, LearningPass
from pulse_core.backtest.volatility import Volatility
from pulse_core.kernel import bindings
from pulse_core.levels import LEVELS
from pulse_core.scores.trust import STATE
from tests.unit.kernel.pass_inputs import EXTREME, pass_inputs
from tests.unit.kernel.passes import PassInput, assert_same_bits, bits, learning_pass, origins_of, run
from tests.unit.kernel.plain_pass import plain

GUARD = 64
"""Bytes on either side of an array, a multiple of what its numbers need."""


@settings(max_examples=150)
@given(pass_inputs())
def test_a_pass_gives_the_bits_of_plain_loops(case):
    assert_same_bits(run(case), plain(case))


@settings(max_examples=15)
@given(pass_inputs(), st.sampled_from([1, 7, 100]))
def test_a_pass_gives_the_same_bits_however_it_is_cut(case, block):
    uncut = run(case)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "BLOCK", block)
        assert_same_bits(run(case), uncut)


@settings(max_examples=30)
@given(pass_inputs(), st.data())
def test_what_is_recorded_does_not_depend_on_what_is_quoted_on_the_way(case, data):
    uncut = run(case)
    silent = learning_pass(case)
    cut = data.draw(st.integers(0, case.shape[0]))
    silent.run(0, cut)
    silent.run(cut, case.shape[0])
    for name in ("sums", "differences", "counts", "marked", "ahead"):
        assert bits(getattr(silent, name)) == bits(getattr(uncut, name)), name
    for numbers, expected in zip(silent.learned(), (uncut.latest, uncut.regret, uncut.bound), strict=True):
        assert bits(numbers) == bits(expected)


@settings(max_examples=40)
@given(case=pass_inputs())
def test_every_build_gives_the_same_bits(case):
    outputs = []
    for name in (bindings.BASELINE, bindings.AVX2):
        kernel = bindings._open(name)
        if name == bindings.AVX2 and not kernel.pulse_has_avx2():
            pytest.skip("this machine has no AVX2")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bindings, "library", lambda kernel=kernel: kernel)
            outputs.append(run(case))
    assert_same_bits(*outputs)


@settings(max_examples=60)
@given(pass_inputs(custom=NO_QUANTILES, ensemble=None), st.data())
def test_a_forecaster_has_the_same_bits_whoever_stands_beside_it(case, data):
    forecasters = case.shape[1]
    companions = data.draw(st.sets(st.integers(0, forecasters - 1)))
    rows = data.draw(st.permutations(sorted({case.benchmark, *companions})))
    together, alone = run(case), run(beside(case, rows))
    for name in ("forecasts", "quantiles"):
        assert bits(getattr(together, name)[..., rows, :]) == bits(getattr(alone, name)), name
    for name in ("states", "evidence", "differences", "counts", "marked", "ahead"):
        assert bits(getattr(together, name)[..., rows]) == bits(getattr(alone, name)), name
    assert bits(together.sums[:, rows]) == bits(alone.sums)


def beside(case: PassInput, rows: list[int]) -> PassInput:
    """The same pass with these forecasters alone, in this order."""
    forecasts = np.ascontiguousarray(case.forecasts[:, rows])
    return attrs.evolve(case, forecasts=forecasts, benchmark=rows.index(case.benchmark), members=())


@settings(max_examples=60)
@given(pass_inputs(), st.data())
def test_nothing_that_is_quoted_depends_on_what_was_not_known(case, data):
    now = data.draw(st.integers(0, case.shape[0] - 1))
    before, after = run(case), run(with_another_future(case, now, data.draw(st.sampled_from(EXTREME.tolist()))))
    for name in ("forecasts", "quantiles", "weights"):
        assert bits(getattr(before, name)[: now + 1]) == bits(getattr(after, name)[: now + 1]), name
    told = max(now + 1 - case.origins.first, 0)
    for name in ("states", "evidence"):
        assert bits(getattr(before, name)[:told]) == bits(getattr(after, name)[:told]), name
    assert bits(before.marked[: passed(case, now)]) == bits(after.marked[: passed(case, now)])


def passed(case: PassInput, now: int) -> int:
    """How many marks there are up to an origin."""
    return sum(mark <= now for mark in case.marks)


def with_another_future(case: PassInput, now: int, value: float) -> PassInput:
    """The pass with other actuals wherever they are not known at an origin, and other origins after it."""
    origins = case.origins
    unknown = np.arange(len(origins))[:, None] >= origins.known[now]
    later = np.arange(len(origins)) > now
    forecasts = case.forecasts.copy()
    forecasts[now + 1 :] = value
    if case.ensemble is not None:
        forecasts[:, case.ensemble] = np.nan
    return attrs.evolve(
        case,
        forecasts=forecasts,
        origins=attrs.evolve(
            origins,
            released=np.where(unknown, value, origins.released),
            reported=np.full_like(origins.reported, value),
            scale=np.where(later, 1.0, origins.scale),
            step_square=np.where(later, 5.0, origins.step_square),
            steps=np.where(later, 7.0, origins.steps),
            newest=np.where(later, value, origins.newest),
            volatility=with_other_scales(origins.volatility, later),
        ),
    )


def with_other_scales(volatility: Volatility | None, later: np.ndarray) -> Volatility | None:
    """The conditional scale with other numbers at later origins."""
    if volatility is None:
        return None
    return attrs.evolve(
        volatility,
        scale=np.where(later[:, None], 3.0 * volatility.scale, volatility.scale),
        lean=np.where(later, 0.7, volatility.lean),
        square_rate=np.where(later, 0.5, volatility.square_rate),
        step_square=np.where(later, 5.0, volatility.step_square),
    )


def test_an_error_that_is_taught_too_early_shows_in_the_quantiles():
    generator = np.random.default_rng(3)
    case = PassInput(forecasts=np.zeros((20, 1, 2)), origins=origins_of(generator.normal(size=(20, 2))))
    early = attrs.evolve(
        case, origins=attrs.evolve(case.origins, known=np.repeat(case.origins.known[:, :1], 2, axis=1))
    )
    moved = early.origins.released.copy()
    moved[9, 1] = -7.0  # two steps ahead of the tenth origin: not known at the eleventh
    changed = attrs.evolve(early, origins=attrs.evolve(early.origins, released=moved))
    assert bits(run(changed).quantiles[10]) != bits(run(early).quantiles[10])


class Guarded:
    """A pass whose arrays are copied to where they have guards on either side; integers keep their meaning."""

    def __init__(self, state: LearningPass, filling: int) -> None:
        self.filling = np.uint8(filling)
        self.arenas: list[tuple[np.ndarray, np.ndarray]] = []
        self._moved: dict[int, np.ndarray] = {}
        self.owned = {array.ctypes.data: array for array in state._arrays if array.size}
        self.state = state._state
        self._move(self.state)

    def array(self, source: np.ndarray) -> np.ndarray:
        """Copy an array to a place with guards."""
        arena = np.full(source.nbytes + 2 * GUARD, self.filling, dtype=np.uint8)
        inside = arena[GUARD:-GUARD].view(source.dtype).reshape(source.shape)
        inside[...] = source
        self.arenas.append((arena, inside))
        return inside

    def copy_of(self, source: np.ndarray) -> np.ndarray:
        return self._moved[source.ctypes.data]

    def assert_untouched(self) -> None:
        for arena, inside in self.arenas:
            for guard in (arena[:GUARD], arena[-GUARD:]):
                assert (guard == self.filling).all(), (inside.shape, inside.dtype)

    def _move(self, structure: ctypes.Structure) -> None:
        for name, kind in structure._fields_:  # type: ignore[misc]  # pairs: no field of ours has a width
            value = getattr(structure, name)
            if isinstance(value, ctypes.Structure):
                self._move(value)
            elif kind is ctypes.c_void_p and value:
                if value not in self._moved:
                    self._moved[value] = self.array(self.owned[value])
                setattr(structure, name, self._moved[value].ctypes.data)


READ_ONLY = ("scale", "square_scale", "steps", "newest", "reported", "released", "batch_rows", "known")


def read_only(case: PassInput) -> list[np.ndarray]:
    """The arrays that a pass reads and does not write."""
    volatility = case.origins.volatility if case.calibration == "conformal" else None
    arrays = [getattr(case.origins, name) for name in READ_ONLY]
    if volatility is None:
        return [*arrays, case.origins.step_square]
    return [*arrays, volatility.step_square, volatility.scale, volatility.lean, volatility.square_rate]


@settings(max_examples=40)
@given(pass_inputs(), st.sampled_from([0xFF, 0x7F, 0x00]))
def test_nothing_outside_the_given_arrays_is_written_or_read(case, filling):
    expected, learned = run(case), learning_pass(case)
    guarded = Guarded(learned, filling)
    count, members = case.shape[0], guarded.state.ensemble.members
    stride, horizons = guarded.state.stride, guarded.state.horizons
    quantiles = guarded.array(np.zeros((count, len(LEVELS), stride)))
    weights, width = guarded.array(np.zeros((count, members, horizons))), guarded.state.trust.width
    states = guarded.array(np.zeros((count, len(STATE), horizons, width)))
    evidence = guarded.array(np.zeros((count, 2, horizons, width)))
    bindings.fill(guarded.state, quantiles=quantiles, weights=weights)
    bindings.fill(guarded.state.trust, states=states, evidence=evidence)
    bindings.run_pass(guarded.state, 0, count)
    bindings.run_ensemble_latest(guarded.state)
    guarded.assert_untouched()
    for given_array in read_only(case):
        assert bits(guarded.copy_of(given_array)) == bits(given_array)
    assert bits(learned._by_cell(quantiles)) == bits(expected.quantiles)
    assert bits(weights) == bits(expected.weights)
    first, forecasters = case.origins.first, case.shape[1]
    assert bits(states[first:, ..., :forecasters]) == bits(expected.states)
    assert bits(evidence[first:, ..., :forecasters]) == bits(expected.evidence)
    assert not states[:first].any()
    assert not evidence[:first].any()
    assert bits(guarded.copy_of(learned.sums)) == bits(expected.sums)
    for name, array in (("differences", learned._differences), ("counts", learned._counts)):
        assert bits(guarded.copy_of(array)[..., :forecasters]) == bits(getattr(expected, name)), name


def test_without_origins_a_pass_does_nothing():
    case = PassInput(forecasts=np.zeros((3, 2, 2)), origins=origins_of(np.ones((3, 2))))
    learned = learning_pass(case)
    learned.run(1, 1)
    assert not learned.sums.any()


def test_the_structure_is_as_long_here_as_in_the_kernel():
    assert ctypes.sizeof(bindings.PassState) == bindings.library().pulse_pass_size()


@settings(max_examples=60)
@given(pass_inputs(), st.integers(1, 4))
def test_batches_that_are_handed_over_are_those_of_one_go(case, at_once):
    whole = learning_pass(case)
    whole.run(0, case.shape[0])
    sums, counts = np.zeros_like(whole.sums), np.zeros_like(whole.counts)
    marked, ahead = np.full_like(whole.marked, np.nan), np.full_like(whole.ahead, np.nan)
    ends = [0]

    def take(block: BatchBlock) -> None:
        assert len(block.sums) <= at_once
        assert block.first >= ends[-1]
        batches = slice(block.first, block.first + len(block.sums))
        marks = slice(block.first_mark, block.first_mark + len(block.marked))
        sums[batches], counts[batches], marked[marks], ahead[marks] = (
            block.sums,
            block.counts,
            block.marked,
            block.ahead,
        )
        ends.append(batches.stop)

    cut = learning_pass(case, take, at_once)
    assert len(cut.sums) <= at_once
    cut.run(0, case.shape[0])
    assert ends[-1] == len(case.origins.batches)
    assert [bits(array) for array in (sums, counts, marked, ahead)] == [
        bits(array) for array in (whole.sums, whole.counts, whole.marked, whole.ahead)
    ]
    assert bits(cut.differences) == bits(whole.differences)
