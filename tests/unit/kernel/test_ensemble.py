"""The ensemble to the bit: its two parts with sleepers, ties, losses of nothing and losses beyond a float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.unit.kernel.pass_inputs import EXTREME, pass_inputs
from tests.unit.kernel.passes import PassInput, PassOutput, assert_same_bits, bits, origins_of, run
from tests.unit.kernel.plain_ensemble import Ensemble, added_up
from tests.unit.kernel.plain_pass import plain


def combined(forecasts: np.ndarray, actuals: np.ndarray, scale: float | np.ndarray = 1.0) -> PassInput:
    """Members' forecasts (origin, member, horizon); the ensemble's stand before them."""
    count, members, horizons = forecasts.shape
    asleep = np.full((count, 1, horizons), np.nan)
    return PassInput(
        forecasts=np.concatenate([asleep, forecasts], axis=1),
        origins=origins_of(actuals, scale=scale),
        members=tuple(range(1, members + 1)),
        ensemble=0,
    )


def forecast_of(output: PassOutput) -> np.ndarray:
    return output.forecasts[:, 0, 0]


@settings(max_examples=80)
@given(pass_inputs())
def test_weights_forecasts_and_regret_are_those_of_plain_loops(case):
    rows = case.shape[1] + 1
    with_ensemble = combined(case.forecasts, case.origins.released, case.origins.scale)
    assert with_ensemble.shape[1] == rows
    assert_same_bits(run(with_ensemble), plain(with_ensemble))


numbers = st.integers(-2, 2).map(float) | st.floats(-10, 10) | st.sampled_from([*EXTREME.tolist(), math.nan])


@settings(max_examples=150)
@given(data=st.data())
def test_any_few_numbers_give_the_bits_of_plain_loops(data):
    count, members = data.draw(st.integers(2, 12)), data.draw(st.integers(1, 5))
    forecasts = data.draw(arrays(np.float64, (count, members, 1), elements=numbers))
    actuals = data.draw(arrays(np.float64, (count, 1), elements=numbers))
    scale = data.draw(st.sampled_from([1.0, 5e-324, 1e300, math.nan]))
    case = combined(forecasts, actuals, scale)
    assert_same_bits(run(case), plain(case))


def test_the_weights_of_members_that_sleep_are_zero_and_the_others_share_theirs():
    forecasts = np.array([[[1.0], [3.0], [8.0]], [[np.nan], [3.0], [8.0]], [[1.0], [np.nan], [np.nan]]])
    output = run(combined(forecasts, np.zeros((3, 1)), np.nan))
    assert output.weights[:, :, 0].tolist() == [[1 / 3] * 3, [0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]
    assert forecast_of(output)[1:].tolist() == [5.5, 1.0]


def test_where_all_sleep_there_is_no_forecast_and_no_weight():
    forecasts = np.array([[[1.0], [3.0]], [[np.nan], [np.nan]], [[1.0], [3.0]]])
    output = run(combined(forecasts, np.zeros((3, 1))))
    assert bits(forecast_of(output)[1]) == bits(math.nan)
    assert output.weights[1, :, 0].tolist() == [0.0, 0.0]


def test_a_member_that_slept_neither_gains_nor_loses():
    forecasts = np.array([[[1.0], [np.nan]], [[1.0], [2.0]]])
    output = run(combined(forecasts, np.array([[0.0], [0.0]])))
    assert output.weights[1, :, 0].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("value", [0.1, 1 / 3, -1e300, 5e-324])
@pytest.mark.parametrize("members", range(1, 15))
def test_the_forecast_of_equals_is_exactly_theirs(members, value):
    output = run(combined(np.full((3, members, 2), value), np.full((3, 2), 1.0)))
    assert (output.forecasts == value).all()


def test_the_weight_of_a_tie_goes_to_both():
    forecasts = np.tile(np.array([1.0, 1.0, 5.0])[None, :, None], (6, 1, 1))
    first, second, third = run(combined(forecasts, np.zeros((6, 1)))).weights[-1, :, 0].tolist()
    assert first == second
    assert 0.0 < third < 5.0**-8


def test_a_step_by_hand():
    forecasts = np.tile(np.array([1.0, 3.0])[None, :, None], (3, 1, 1))
    output = run(combined(forecasts, np.zeros((3, 1))))
    # losses 1 and 3: by losses, weights are as 1 and 3^-8
    by_loss = np.array([1.0, 3.0**-8]) / (1 + 3.0**-8)
    # ML-Poly, which at first has no part in the ensemble, has learned nothing after one error; after two, by which it
    # lost 2 itself, all of its weight goes to the first
    second, third = (
        by_loss + part * (followed - by_loss) for part, followed in ((1 / 203, 0.5), (2 / 206, [1.0, 0.0]))
    )
    np.testing.assert_allclose(output.weights[:, :, 0], np.stack([np.full(2, 0.5), second, third]))


def test_errors_up_to_a_horizon_weigh_there_and_nearer_ones_do_not_know_them():
    # the first is right one step ahead, the second two steps ahead, where losses are larger
    forecasts = np.tile(np.array([[0.0, 9.0], [1.0, 0.0]])[None], (5, 1, 1))
    weights = run(combined(forecasts, np.zeros((5, 2)))).weights[-1]
    assert weights[0, 0] > 0.999
    assert weights[1, 1] > 0.999


def test_errors_of_nearer_horizons_weigh_before_there_are_any_at_the_horizon():
    forecasts = np.tile(np.array([[0.1], [1.0]])[None], (2, 1, 3))
    weights = run(combined(forecasts, np.zeros((2, 3)))).weights[-1]
    assert (weights[0] > 0.99).all()


def test_the_regret_and_its_bound_by_hand():
    forecasts = np.tile(np.array([1.0, 3.0])[None, :, None], (3, 1, 1))
    output = run(combined(forecasts, np.zeros((3, 1))))
    part = 1 / 203
    share = 1 + 2 * 3.0**-8 / (1 + 3.0**-8)  # what the part by losses forecasts, and loses, at the second origin
    whole = share + part * (2 - share)
    np.testing.assert_allclose(output.regret, [(2 - 1) + (whole - 1)])
    # r = part and -part, B = part^2: the bound of ML-Poly is sqrt(2 part^2) sqrt(1/2 + 1/2)
    rest = (2 - 1) + (share - 1) * (1 - part)
    np.testing.assert_allclose(output.bound[0], math.sqrt(2) * part + rest)


def test_without_a_scale_nothing_is_learned():
    forecasts = np.tile(np.array([1.0, 3.0])[None, :, None], (3, 1, 1))
    output = run(combined(forecasts, np.zeros((3, 1)), np.array([np.nan, 1.0, 1.0])))
    assert output.weights[:2, :, 0].tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert output.weights[2, 0, 0] > 0.99


def test_losses_beyond_a_float64_leave_no_infinite_weight():
    forecasts = np.tile(np.array([1e300, -1e300, 0.0])[None, :, None], (5, 1, 1))
    output = run(combined(forecasts, np.zeros((5, 1)), 1e-300))
    assert not np.isinf(output.weights).any()
    assert np.isnan(output.bound).all()


def test_a_regret_beyond_a_float64_is_none():
    forecasts = np.tile(np.array([1e300, 0.0])[None, :, None], (2, 1, 1))
    assert np.isnan(run(combined(forecasts, np.zeros((2, 1)), 1e-300)).regret).all()


def test_sums_are_taken_lane_by_lane():
    # the order of additions shows in the last bit
    little = 2.0**-53
    assert added_up([1.0, little, little, little]) == (1.0 + little) + (little + little)
    assert added_up([little, 0.0, 0.0, 0.0, 1.0, little]) == 1.0
    (prediction,) = Ensemble(5, 1).predict([[0.1, 0.2, 0.3, 0.4, 0.7]])
    values = np.array([0.1, 0.2, 0.3, 0.4, 0.7])[None, :, None]
    assert bits(forecast_of(run(combined(values, np.zeros((1, 1)))))[0]) == bits(prediction.whole)
    assert prediction.weights == [0.2] * 5


@pytest.mark.parametrize("members", [1, 2, 3, 5, 8, 13, 14])
@pytest.mark.parametrize("horizons", [1, 4, 5, 13])
def test_every_number_of_members_and_horizons_gives_the_bits_of_plain_loops(members, horizons):
    generator = np.random.default_rng(members * 100 + horizons)
    forecasts = generator.normal(size=(30, members, horizons))
    forecasts[generator.random(forecasts.shape) < 0.1] = np.nan
    case = combined(forecasts, generator.normal(size=(30, horizons)), generator.uniform(0.5, 2.0, 30))
    assert_same_bits(run(case), plain(case))
