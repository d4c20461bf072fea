"""Differences in loss, what is known of them, and the bets on them: to the bit, and case by case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core.backtest import learning
from pulse_core.backtest.custom_quantiles import CustomQuantiles
from pulse_core.kernel import bindings
from pulse_core.scores.trust import HALF_LIVES, STATE, fade_of
from tests.unit.kernel.pass_inputs import pass_inputs
from tests.unit.kernel.passes import (
    Array,
    PassInput,
    PassOutput,
    assert_same_bits,
    bits,
    known_in_time,
    learning_pass,
    origins_of,
    run,
)
from tests.unit.kernel.plain_pairs import BETS, CAP, FEWEST, FLOOR, Pair
from tests.unit.kernel.plain_pass import plain

FADE = fade_of(500.0)


def case_of(losses: Any, horizons: int = 1, **fields: Any) -> PassInput:
    """A pass in which each forecaster has these absolute errors (origin, forecaster), at every horizon.

    One origin more stands before the period: there all of them err by 1, so that the scale of what follows is 1 where
    the benchmark, the first, goes on to err by 1.
    """
    table = np.array(losses, dtype=np.float64)
    table = np.concatenate([np.ones((horizons, table.shape[1])), table])
    batch = fields.pop("batch", [0] * (len(table) - horizons))
    origin_fields = {name: fields.pop(name) for name in ("feedback",) if name in fields}
    origins = origins_of(np.zeros((len(table), horizons)), batch=[-1] * horizons + batch, **origin_fields)
    return PassInput(forecasts=np.repeat(table[:, :, None], horizons, axis=2), origins=origins, **fields)


def told(losses: Any, horizons: int = 1, **fields: Any) -> PassOutput:
    return run(case_of(losses, horizons, **fields))


def against_one(differences: Sequence[float], horizons: int = 1, **fields: Any) -> PassOutput:
    """A forecaster beside a benchmark that always errs by 1, in whose units it errs by so much less: at most 1."""
    return told([[1.0, 1.0 - d] for d in differences], horizons, **fields)


def state_of(output: PassOutput, name: str, forecaster: int = 1, horizon: int = 1) -> list[float]:
    """One number of STATE at each origin of the period."""
    return [float(value) for value in output.states[:, STATE.index(name), horizon - 1, forecaster]]


def test_who_errs_less_wins_by_so_much_and_the_benchmark_ties_with_itself():
    output = told([[2.0, 1.0, 3.0, -2.0, math.nan]] * 2)
    np.testing.assert_array_equal(output.differences[0, 0], [0.0, 1.0, -1.0, 0.0, math.nan])
    assert output.counts[0, 0].tolist() == [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0]]


def test_without_a_forecast_of_the_benchmark_or_an_actual_nothing_is_compared():
    assert np.isnan(told([[math.nan, 1.0]]).differences).all()
    case = case_of([[1.0, 0.5]])
    released = case.origins.released.copy()
    released[1] = math.nan
    assert np.isnan(run(attrs.evolve(case, origins=attrs.evolve(case.origins, released=released))).differences).all()


@pytest.mark.parametrize(("gain", "ties"), [(0.99e-9, True), (1.01e-9, False), (-0.99e-9, True), (-1.01e-9, False)])
def test_a_difference_below_a_billionth_is_a_tie_which_is_compared_and_counts_in_nothing_else(gain, ties):
    output = against_one([gain, 0.0])
    assert (output.differences[0, 0, 1] == 0.0) == ties
    assert state_of(output, "compared") == [0.0, 1.0]
    assert state_of(output, "weight") == [0.0, 0.0 if ties else 1.0]
    assert state_of(output, "wins") == [0.0, float(gain > 0 and not ties)]
    assert state_of(output, "losses") == [0.0, float(gain < 0 and not ties)]


def test_first_releases_are_compared_whatever_is_reported():
    case = case_of([[1.0, 0.5]] * 12)
    revised = attrs.evolve(case, origins=attrs.evolve(case.origins, reported=case.origins.reported + 7.0))
    one, other = run(case), run(revised)
    for name in ("differences", "states", "evidence", "counts"):
        assert bits(getattr(one, name)) == bits(getattr(other, name)), name
    assert bits(one.sums) != bits(other.sums)


def test_without_a_scale_nothing_is_compared():
    case = PassInput(forecasts=np.array([[0.0, 1.0]] * 4)[:, :, None], origins=origins_of(np.zeros((4, 1))))
    output = run(case)
    assert np.isnan(output.differences).all()
    assert state_of(output, "compared") == [0.0] * 4


def test_the_scale_is_the_faded_mean_of_the_benchmarks_errors_known_by_then():
    output = told([[3.0, 1.0], [5.0, 1.0], [7.0, 1.0]])
    fade = fade_of(HALF_LIVES["level"])
    scales = [1.0, (fade * 1 + 3) / (fade + 1), (fade * (fade * 1 + 3) + 5) / (fade * (fade + 1) + 1)]
    assert output.differences[:, 0, 1].tolist() == [(b - 1) / c for b, c in zip((3, 5, 7), scales, strict=True)]


def test_a_benchmark_that_is_missing_fades_its_errors_and_leaves_their_mean():
    output = told([[1.0, 0.5], [math.nan, 0.5], [1.0, 0.5], [1.0, 0.5]])
    np.testing.assert_array_equal(output.differences[:, 0, 1], [0.5, math.nan, 0.5, 0.5])


def test_nothing_but_the_scale_is_learned_before_the_period():
    forecasts = np.tile(np.array([1.0, 0.5])[None, :, None], (5, 1, 1))
    output = run(PassInput(forecasts=forecasts, origins=origins_of(np.zeros((5, 1)), batch=[-1, -1, 0, 0, 0])))
    assert output.differences[:, 0, 1].tolist() == [0.5] * 3
    assert state_of(output, "weight") == [0.0, 1.0, FADE + 1.0]
    assert output.counts[0, 0, :, 1].tolist() == [2, 0]


def test_before_anything_is_known_there_is_no_ratio_and_inflation_is_that_of_a_walks_errors():
    output = against_one([0.5], horizons=3)
    for horizon in (1, 2, 3):
        assert math.isnan(state_of(output, "ratio", horizon=horizon)[0])
        assert state_of(output, "effective", horizon=horizon) == [0.0]
        usual = (2 * horizon**2 + 1) / (3 * horizon)
        assert state_of(output, "inflation", horizon=horizon) == pytest.approx([usual])


def test_sums_fade_at_every_step_also_where_nothing_is_compared():
    output = against_one([-2.0, math.nan, -4.0, 0.0])
    weight = FADE * (FADE * 1) + 1
    squared_weight = FADE * FADE * (FADE * FADE * 1) + 1
    mean = -(FADE * FADE * 2 + 4) / weight
    variance = (FADE * FADE * 4 + 16) / weight - mean * mean
    ratio = mean / math.sqrt(variance * weight / (weight - 1))
    assert state_of(output, "weight")[3] == pytest.approx(weight, rel=1e-15)
    assert state_of(output, "compared")[3] == pytest.approx(weight, rel=1e-15)
    assert state_of(output, "effective")[3] == pytest.approx(weight**2 / squared_weight, rel=1e-15)
    assert state_of(output, "ratio")[3] == pytest.approx(ratio, rel=1e-13)


@pytest.mark.parametrize(("d", "ratio"), [(0.25, 10.0), (-0.25, -10.0), (0.3, 10.0), (-0.7, -10.0)])
def test_a_pair_that_always_differs_by_the_same_has_a_ratio_of_ten(d, ratio):
    assert state_of(against_one([d] * 40), "ratio")[1:] == [ratio] * 39


def test_one_difference_among_ties_has_no_deviation():
    # rounding may part the mean's square from the mean square: that is no variance
    output = against_one([0.7, *[0.0] * 900], trust_half_life=20.0)
    assert set(state_of(output, "ratio")[1:]) == {10.0}


def test_a_deviation_of_small_differences_is_one():
    output = against_one([1e-7, 3e-7] * 20)
    assert all(0 < ratio < 3 for ratio in state_of(output, "ratio")[2:])


def test_a_loss_that_is_no_number_any_more_is_not_compared():
    output = told([[1.0, math.inf, 0.5]] * 2)
    np.testing.assert_array_equal(output.differences[0, 0], [0.0, math.nan, 0.5])


def test_a_difference_beyond_all_scales_leaves_no_infinite_sum_behind():
    output = against_one([0.5, -0.5, -1e200, 0.5, -0.5, 0.5])
    assert output.differences[2, 0, 1] == -1e100
    assert np.isfinite(output.states[2:, :, 0, 1]).all()
    assert all(abs(ratio) < 1 for ratio in state_of(output, "ratio")[2:])


def plain_inflation(differences: Array, horizon: int) -> float:
    """By the places of the differences, all at once."""
    there = np.where(np.isnan(differences), 0.0, differences)
    weights = FADE ** np.arange(len(there) - 1.0, -1.0, -1.0)
    counted = there != 0
    weight = float((weights * counted).sum())
    usual = (2 * horizon**2 + 1) / (3 * horizon)
    if horizon == 1:
        return 1.0
    if weight == 0:
        return usual
    mean = float((weights * there).sum()) / weight
    variance = float((weights * there * there).sum()) / weight - mean * mean
    effective = weight * weight / float((weights * weights * counted).sum())
    total = 0.0
    for lag in range(1, min(horizon, len(there))):
        both = float((weights[lag:] * (counted[lag:] & counted[:-lag])).sum())
        if both > 0 and variance > 1e-12 * (variance + mean * mean):
            product = float((weights[lag:] * there[lag:] * there[:-lag]).sum())
            total += min(max((product / both - mean * mean) / variance * min(1.0, both / weight), -1.0), 1.0)
    return max(1.0, (effective * max(1 + 2 * total, 0.3) + 2 * horizon * usual) / (effective + 2 * horizon))


def test_actuals_that_become_known_at_once_are_learned_in_order_each_at_a_step():
    differences = [0.5, -0.25, -2.0, 0.0, math.nan, 1.0, 0.0]
    late = known_in_time(9, 1)
    late[1:8] = 1
    late[8] = 8
    at_once, in_time = against_one([*differences, 0.0], feedback=late), against_one([*differences, 0.0])
    assert state_of(at_once, "compared")[:7] == [0.0] * 7
    assert bits(at_once.states[7]) == bits(in_time.states[7])


def test_wins_and_losses_fade_and_weigh_less_the_longer_their_errors_overlap():
    output = against_one([0.5, -0.5, 0.5, 0.0, math.nan, 0.0, 0.0, 0.0, 0.0], horizons=3)
    fade = fade_of(HALF_LIVES["wins"])
    for horizon in (1, 2, 3):
        share = 1 / math.sqrt(horizon)
        wins, losses = (state_of(output, name, horizon=horizon)[horizon + 4] for name in ("wins", "losses"))
        assert wins == pytest.approx(share * (fade**4 + fade**2), rel=1e-14)
        assert losses == pytest.approx(share * fade**3, rel=1e-14)


def test_an_outcome_counts_in_the_batch_in_which_it_became_known():
    output = against_one([0.5] * 4, 2, batch=[0, 0, 2, 2])
    # one step ahead: known at the second, third and fourth origin; two steps ahead: at the third and the fourth; the
    # second batch has no origin, and no row
    assert output.counts[:, 0, 0, 1].tolist() == [1, 2]
    assert output.counts[:, 1, 0, 1].tolist() == [0, 2]
    assert not output.counts[:, :, 1].any()


def evidence_of(output: PassOutput, horizon: int = 1) -> tuple[list[float], list[float]]:
    """e-values for and against the second forecaster."""
    one, other = output.evidence[:, :, horizon - 1, 1].T
    return one.tolist(), other.tolist()


def after(stakes: Sequence[float]) -> tuple[float, float]:
    """e-values for and against after bets on these parts of five root mean squares."""
    capitals = [[math.prod(1 + side * bet * x for x in stakes) for bet in BETS] for side in (1, -1)]
    return sum(capitals[0]) / len(BETS), sum(capitals[1]) / len(BETS)


def test_nothing_is_bet_before_eight_differences_are_known():
    assert FEWEST == 8
    one, other = evidence_of(against_one([0.5] * 14))
    # the ninth origin is the first to know eight of them
    for origin in range(14):
        expected = after([0.2] * max(0, origin - 8))
        assert (one[origin], other[origin]) == pytest.approx(expected, rel=1e-12)


def test_ties_and_missing_forecasts_are_none_of_the_eight_and_nothing_is_bet_on_them():
    one, _ = evidence_of(against_one([0.5, 0.0, math.nan] * 8 + [0.5] * 3 + [0.0, math.nan] + [0.5] * 2))
    assert one[24] == 1.0
    assert one[25:] == pytest.approx([after([0.2] * bets)[0] for bets in (1, 2, 3, 3, 3, 4)], rel=1e-12)


def test_a_bet_is_on_at_most_five_root_mean_squares():
    one, other = evidence_of(against_one([0.1] * 8 + [0.1 * 4.9, 0.0, 0.0]))
    assert (one[9], other[9]) == pytest.approx(after([0.98]), rel=1e-12)
    for d, x in ((0.1 * 5.1, 1.0), (-0.1 * 500, -1.0)):
        one, other = evidence_of(against_one([0.1] * 8 + [d, 0.0, 0.0]))
        assert (one[9], other[9]) == pytest.approx(after([x]), rel=1e-12)


def test_root_mean_squares_fade_with_the_differences_that_are_no_ties():
    fade = fade_of(HALF_LIVES["size"])
    differences = [1.0, *[0.25] * 7]
    square = weight = 0.0
    for d in differences:
        square, weight = fade * square + d * d, fade * weight + 1
    one, _ = evidence_of(against_one([1.0, 0.0, *[0.25, math.nan] * 7, 0.25, 0.0]))
    assert one[-1] == pytest.approx(after([0.25 / (5 * math.sqrt(square / weight))])[0], rel=1e-12)


def test_a_bet_stays_what_it_was_when_a_larger_difference_becomes_known_before_its_own():
    differences = [0.01] * 12 + [0.5] + [0.01] * 4
    one, _ = evidence_of(against_one(differences, horizons=2), horizon=2)
    # two steps ahead origins 9, 10, 11, .. know eight differences; 12, the large one, is known at 14, 13 at 15
    even, odd = [10, 12], [9, 11, 13]
    stakes = dict.fromkeys([9, 10, 11, 13], 0.2) | {12: 1.0}
    expected = [after([stakes[origin] for origin in process])[0] for process in (even, odd)]
    assert one[15] == pytest.approx(sum(expected) / 2, rel=1e-12)


def test_nothing_is_bet_while_an_earlier_difference_of_the_same_process_is_not_known():
    count = 40
    # one origin more than h are not known
    late = np.maximum(known_in_time(count + 2, 2) - 1, 0)
    output = against_one([0.5] * count, 2, feedback=late)
    for horizon in (1, 2):
        assert state_of(output, "weight", horizon=horizon)[-1] > 30
        assert set(map(tuple, zip(*evidence_of(output, horizon), strict=True))) == {(1.0, 1.0)}


def test_origins_of_another_process_need_not_be_known():
    # two steps ahead, the latest origin but one is the last that is known at an even origin: of the same process
    known = known_in_time(30, 2)
    known[1::2, 1] = known[:-1:2, 1]
    one, _ = evidence_of(against_one([0.5] * 28, 2, feedback=known), horizon=2)
    assert one[-1] > 1.0


def with_capitals(capital: float) -> PassOutput:
    """A pass in which everybody bets on 0.2, its capitals as they would be after a long time."""
    case = case_of([[1.0, 0.5]] * 14)
    prepared = learning_pass(case)
    arrays = {array.ctypes.data: array for array in prepared._arrays}
    pairs = arrays[prepared._state.trust.pairs]
    pairs[pairs == 1.0] = capital  # nothing else is there yet
    (part,) = prepared.states(0, case.shape[0])
    return attrs.evolve(run(case), evidence=part.evidence[1:])


def test_capitals_stay_within_their_floor_and_cap():
    one, other = evidence_of(with_capitals(CAP))
    assert one[-1] == CAP
    assert other[-1] < CAP
    one, other = evidence_of(with_capitals(FLOOR))
    assert one[-1] > FLOOR
    assert other[-1] == FLOOR


def test_evidence_is_the_mean_over_interleaved_processes():
    # only even origins win, and two steps ahead these are a process of their own
    one, other = evidence_of(against_one([0.5, 0.0] * 20, 2), horizon=2)
    stakes = [0.2] * 11
    for values, capital in zip((one, other), after(stakes), strict=True):
        assert values[-1] == pytest.approx((capital + 1) / 2, rel=1e-12)


def test_quantiles_that_are_nearer_win_by_crps_where_points_tie():
    near, far = np.arange(-4.0, 5.0), 10 * np.arange(-4.0, 5.0)
    offsets = np.stack([np.stack([far, near], axis=1)[..., None]] * 2)
    custom = CustomQuantiles((0, 1), (2, 3), offsets, np.ones((2, 2, 1)))
    released = np.array([[0.5], [0.5]])
    case = PassInput(
        forecasts=np.zeros((2, 4, 1)), origins=origins_of(released, batch=[-1, 0]), custom=custom, trust_loss="crps"
    )
    by_crps, by_points = run(case), run(attrs.evolve(case, trust_loss="absolute"))
    assert by_crps.differences[0, 0, 1] > 0
    assert by_points.differences[0, 0, :2].tolist() == [0.0, 0.0]


def test_without_quantiles_there_is_no_crps_to_compare():
    case = case_of([[1.0, 1.0], [1.0, 0.5]], trust_loss="crps")
    missing = np.full_like(case.origins.scale, math.nan)
    blind = attrs.evolve(case, calibration="empirical", origins=attrs.evolve(case.origins, scale=missing))
    early = attrs.evolve(blind.origins, known=np.array([[0], [0], [2]]), batch=np.zeros(3, dtype=np.int64))
    assert np.isnan(run(attrs.evolve(blind, origins=early)).differences[:2]).all()


def test_ahead_is_what_was_lost_less_at_the_origins_before_a_mark_also_where_there_was_no_scale():
    forecasts = np.array([[2.0, 0.5], [4.0, 1.0], [math.nan, 1.0], [1.0, 3.0], [0.0, 0.0]])[:, :, None]
    marks = (0, 1, 2, 3, 4)
    output = run(PassInput(forecasts=forecasts, origins=origins_of(np.zeros((5, 1))), marks=marks))
    assert output.ahead[:, 0, 1].tolist() == [0.0, 1.5, 4.5, 4.5, 2.5]
    assert not output.ahead[:, 0, 0].any()


def test_ahead_alone_knows_what_is_not_known_at_its_mark():
    case = case_of([[1.0, 0.5]] * 12, horizons=2, marks=(9,))
    released = case.origins.released.copy()
    released[8, 1] = 100.0  # two steps ahead, known at the tenth
    other = attrs.evolve(case, origins=attrs.evolve(case.origins, released=released))
    one, another = run(case), run(other)
    assert bits(one.marked) == bits(another.marked)
    assert one.ahead[0, 1, 1] != another.ahead[0, 1, 1]
    assert one.ahead[0, 0, 1] == another.ahead[0, 0, 1]


@pytest.mark.parametrize("half_life", [1.0, 2.0, 125.0, 500.0, 1e6])
def test_a_half_life_halves(half_life):
    assert fade_of(half_life) == pytest.approx(0.5 ** (1 / half_life), rel=1e-15)


def test_a_plain_pair_that_ties_knows_that_it_was_compared():
    pair = Pair(1, FADE)
    pair.forecast(0.0, 1.0, allowed=True)
    assert pair.learn() == (False, False)
    assert pair.state()[STATE.index("compared")] == 1.0


# whatever the numbers; last, for they take their time


@settings(max_examples=60)
@given(st.integers(1, 6), st.integers(1, 50), st.integers(0, 1 << 32))
def test_pairs_of_differences_keep_their_distance_where_some_between_them_are_missing(horizon, count, seed):
    generator = np.random.default_rng(seed)
    differences = generator.choice([0.5, -0.25, -2.0, 0.0, math.nan], count + horizon)
    output = against_one(differences.tolist(), horizon)
    for known in range(count):
        inflation = state_of(output, "inflation", horizon=horizon)[known + horizon]
        assert inflation == pytest.approx(plain_inflation(differences[: known + 1], horizon), rel=1e-9)


@settings(max_examples=40)
@given(pass_inputs())
def test_what_fills_up_rows_of_pairs_is_not_compared(case):
    learned = learning_pass(case)
    learned.run(0, case.shape[0])
    forecasters = case.shape[1]
    assert np.isnan(learned._differences[..., forecasters:]).all()
    assert not learned._counts[..., forecasters:].any()
    assert not learned._ahead[..., forecasters:].any()


@settings(max_examples=40)
@given(pass_inputs(), st.sampled_from([1, 7, 100, 10**6]))
def test_marked_are_the_states_at_the_marks_whatever_the_blocks(case, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "BLOCK", block)
        output = run(case)
    rows = np.array(case.marks, dtype=np.int64) - case.origins.first
    assert bits(output.marked) == bits(output.states[rows])


@settings(max_examples=80)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 6), st.integers(1, 13), st.integers(0, 1 << 32))
def test_wins_and_losses_are_counted_by_sequences_of_origins_congruent_mod_h(origins, cut, forecasters, horizons, seed):
    generator = np.random.default_rng(seed)
    padded = generator.choice([-0.5, 0.0, 2.0, math.nan], (origins, horizons, bindings.whole_lanes(forecasters)))
    differences = padded[..., :forecasters]
    won, lost = counts = bindings.no_sequence_counts(horizons, forecasters)
    bindings.add_sequence_counts(differences[:cut], 0, counts)
    bindings.add_sequence_counts(differences[cut:], min(cut, origins), counts)
    row = 0
    for horizon in range(1, horizons + 1):
        for first in range(horizon):
            sequence = differences[first::horizon, horizon - 1]
            assert won[row].tolist() == (sequence > 0).sum(axis=0).tolist()
            assert lost[row].tolist() == (sequence < 0).sum(axis=0).tolist()
            row += 1
    assert len(won) == len(lost) == row


@pytest.mark.parametrize("trust_loss", ["absolute", "crps"])
@settings(max_examples=60)
@given(data=st.data())
def test_pairs_are_those_of_plain_loops(trust_loss, data):
    case = data.draw(pass_inputs(trust_loss=trust_loss))
    assert_same_bits(run(case), plain(case))


@pytest.mark.parametrize("horizons", [1, 2, 4, 5, 6, 9, 14])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_products_that_are_learned_together_are_those_of_one_origin_after_the_other(horizons, missing):
    generator = np.random.default_rng(horizons)
    origins = 3 * bindings.TOGETHER + horizons + 5
    losses = np.abs(generator.normal(size=(origins, 6)))
    losses[generator.random(losses.shape) < missing] = math.nan
    losses[generator.random(losses.shape) < missing] = 1.0
    marks = tuple(
        horizons + number for number in (bindings.TOGETHER // 2, bindings.TOGETHER, 2 * bindings.TOGETHER + 9)
    )
    case = case_of(losses, horizons, marks=(*marks, horizons + origins - 1))
    one_by_one, together = run(case), learning_pass(case)  # what stands at each origin is asked for in the first alone
    together.run(0, case.shape[0])
    assert bits(together.marked) == bits(one_by_one.marked)
    assert bits(one_by_one.marked) == bits(one_by_one.states[[mark - horizons for mark in case.marks]])
    assert bits(one_by_one.states) == bits(plain(case).states)


@pytest.mark.parametrize("horizons", [1, 5, 9])
def test_no_more_differences_are_kept_than_are_learned_from(monkeypatch, horizons):
    generator = np.random.default_rng(horizons)
    losses = np.abs(generator.normal(size=(5 * bindings.TOGETHER, 6)))
    batch = (np.arange(len(losses)) // 7).tolist()
    case = case_of(losses, horizons, batch=batch, marks=(horizons + 100, horizons + 101, horizons + len(losses) - 1))
    whole = learning_pass(case)
    whole.run(0, case.shape[0])
    monkeypatch.setattr(learning, "BLOCK", 1)
    marked, kept = [], []

    def take(block: learning.BatchBlock) -> None:
        marked.append(block.marked.copy())
        kept.append(cut.differences_at(cut_at := block.first * 7, min(cut_at + 7, len(losses))).copy())

    cut = learning_pass(case, take, 1)
    cut.run(0, case.shape[0])
    assert len(cut.differences) < len(whole.differences)
    assert bits(np.concatenate(marked)) == bits(whole.marked)
    assert bits(np.concatenate(kept)) == bits(whole.differences)
    counts = bindings.no_sequence_counts(horizons, losses.shape[1])
    bindings.add_sequence_counts(whole.differences, 0, counts)
    assert bits(cut.sequences) == bits(counts)
