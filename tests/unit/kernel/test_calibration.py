"""The calibrators to the bit: quantile tracking with the isotonic fit, and quantiles of all errors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import attrs
import mpmath
import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core.backtest.custom_quantiles import NO_QUANTILES, CustomQuantiles
from pulse_core.backtest.volatility import Volatility
from pulse_core.levels import LEVELS
from pulse_core.spec import CALIBRATIONS
from tests.unit.kernel.pass_inputs import EXTREME, pass_inputs
from tests.unit.kernel.passes import (
    Calibration,
    PassInput,
    assert_same_bits,
    bits,
    calibrator_array,
    calibrator_state,
    learning_pass,
    origins_of,
    quantiles_of_errors,
    run,
    trackers,
)
from tests.unit.kernel.plain_calibration import (
    CALIBRATORS,
    WEIGHTS,
    WIDENINGS,
    Conformal,
    isotonic,
    small_exp,
    small_log,
)
from tests.unit.kernel.plain_calibration import start as plain_start
from tests.unit.kernel.plain_pass import plain

both = pytest.mark.parametrize("calibration", CALIBRATIONS)
ordinary = st.floats(-5, 5) | st.integers(-2, 2).map(float)
anything = ordinary | st.sampled_from([*EXTREME.tolist(), math.nan])


def quoted_by_plain(errors: Sequence[float], scale: float, calibration: str) -> list[list[float]]:
    """The quantiles before each error, by plain loops."""
    calibrator, quantiles = CALIBRATORS[calibration](1), []
    for time, error in enumerate(errors):
        ((offsets, size),) = calibrator.predict([0.0], scale * scale, 20.0 + time)
        quantiles.append([0.0 + size * offset for offset in offsets])
        calibrator.learn([error])
    return quantiles


@both
@settings(max_examples=150)
@given(errors=st.lists(ordinary, min_size=1, max_size=60), scale=st.sampled_from([1.0, 0.1, 3.0]))
def test_quantiles_are_those_of_plain_loops(calibration, errors, scale):
    assert bits(quantiles_of_errors(errors, scale, calibration)) == bits(quoted_by_plain(errors, scale, calibration))


@both
@settings(max_examples=150)
@given(
    errors=st.lists(anything, min_size=1, max_size=60), scale=st.sampled_from([1.0, 1e-300, 1e300, 5e-324, math.nan])
)
def test_quantiles_of_any_errors_are_those_of_plain_loops(calibration, errors, scale):
    assert bits(quantiles_of_errors(errors, scale, calibration)) == bits(quoted_by_plain(errors, scale, calibration))


@pytest.mark.parametrize("first", [0, 20, 400])
def test_errors_over_a_conditional_scale_are_learned_from_as_in_plain_loops_for_years(first):
    # more errors than it takes until trackers move as slowly as they ever do
    generator = np.random.default_rng(7)
    count = 1300
    later = np.arange(count) >= first
    volatility = Volatility(
        first,
        np.where(later[:, None], np.exp(0.5 + 0.3 * generator.normal(size=(count, 1))), 1.0),
        np.where(later, generator.uniform(-1, 1, count), 0.0),
        np.where(later, 0.005, 0.04),
        np.ones(count),
    )
    origins = attrs.evolve(origins_of(generator.normal(size=(count, 1))), volatility=volatility)
    case = PassInput(forecasts=np.zeros((count, 1, 1)), origins=origins)
    assert bits(run(case).quantiles) == bits(plain(case).quantiles)


def test_levels_that_cross_when_the_scale_leans_are_fitted():
    # small errors where it leans to one side, large ones where it leans to the other: slopes soon turn levels around
    count = 400
    lean = np.where(np.arange(count) % 40 < 30, 1.0, -1.0)
    errors = np.where(lean > 0, 0.1, 3.0) * np.where(np.arange(count) % 2, 1.0, -1.0)
    volatility = Volatility(0, np.ones((count, 1)), lean, np.full(count, 0.005), np.ones(count))
    origins = attrs.evolve(origins_of(errors[:, None]), volatility=volatility)
    case = PassInput(forecasts=np.zeros((count, 1, 1)), origins=origins)
    learning, crossed = learning_pass(case), False
    for origin in range(count):
        list(learning.states(origin, origin + 1))
        levels = trackers(learning)[0, :, 0] + lean[origin] * trackers(learning, "slope")[0, :, 0]
        crossed |= bool((np.diff(levels) < 0).any())
    assert crossed
    assert bits(run(case).quantiles) == bits(plain(case).quantiles)


@both
@settings(max_examples=20)
@given(data=st.data())
def test_many_cells_learn_as_each_does_alone(calibration, data):
    case = data.draw(pass_inputs(calibration=calibration, trust_loss="absolute"))
    assert_same_bits(run(case), plain(case))


@pytest.mark.parametrize("seed", range(3))
def test_a_long_series_of_errors_in_ticks_crosses_and_is_pooled_as_in_plain_loops(seed):
    errors = np.random.default_rng(seed).choice([-1.0, 0.0, 0.0, 0.0, 1.0], 600).tolist()
    tracker, crossed = Conformal(1), 0
    for error in errors:
        tracker.predict([0.0], 1.0, 20.0)
        tracker.learn([error])
        crossed += any(high < low for low, high in itertools.pairwise(tracker.raw[0]))
    assert crossed > 20
    assert bits(quantiles_of_errors(errors)) == bits(quoted_by_plain(errors, 1.0, "conformal"))


def test_rates_that_no_longer_fall_are_those_of_plain_loops():
    generator = np.random.default_rng(4)
    released = np.cumsum(generator.standard_t(3, size=(900, 1)), axis=0) + np.arange(3) * generator.normal(
        size=(900, 3)
    )
    forecasts = generator.normal(size=(900, 5, 3))
    case = PassInput(forecasts=forecasts, origins=origins_of(released))
    assert_same_bits(run(case), plain(case))


@pytest.mark.parametrize("crossing", range(5))
def test_quantiles_are_pooled_in_the_cells_where_they_cross_and_in_no_other(crossing):
    generator = np.random.default_rng(crossing)
    errors = generator.normal(size=(400, 5))
    errors[:, crossing] = generator.choice([-1.0, 0.0, 0.0, 0.0, 1.0], 400)
    case = PassInput(forecasts=-errors[:, :, None], origins=origins_of(np.zeros((400, 1))))
    assert_same_bits(run(case), plain(case))


def test_cells_side_by_side_cross_and_are_pooled_each_on_its_own():
    released = np.zeros((300, 1))
    errors = np.random.default_rng(1).choice([-1.0, 0.0, 0.0, 0.0, 1.0], (300, 4, 1))
    errors[:, 0] = 1.0  # quantiles that rise in step do not cross
    case = PassInput(forecasts=released[:, None] - errors, origins=origins_of(released))
    assert_same_bits(run(case), plain(case))


def state_after(raw: list[float], error: float) -> tuple[np.ndarray, float]:
    """Offsets and size after an error, where the trackers stand at `raw` before it is learned."""
    calibration = Calibration(2)
    calibration.quantiles()
    trackers(calibration.learning)[0, :, 0] = raw
    calibration.learn(error)
    calibration.quantiles()
    return calibration.state()


@settings(max_examples=300)
@given(
    st.lists(st.floats(-3, 3) | st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=9, max_size=9),
    st.sampled_from([-10.0, 0.0, 0.7, 10.0]),
)
def test_offsets_are_the_widened_isotonic_fit_of_any_trackers(raw, error):
    tracker = Conformal(1)
    tracker.predict([0.0], 1.0, 20.0)
    tracker.raw = [list(raw)]
    tracker.learn([error])
    ((expected, expected_size),) = tracker.predict([0.0])
    offsets, size = state_after(raw, error)
    assert bits(offsets) == bits(expected)
    assert size == expected_size
    assert not (np.diff(offsets) < 0).any()


@given(st.lists(st.floats(-3, 3), min_size=9, max_size=9))
def test_the_isotonic_fit_is_the_nearest_that_does_not_fall(raw):
    fitted = isotonic(raw)
    blocks: list[list[float]] = []
    for value in raw:
        blocks.append([value])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    np.testing.assert_allclose(fitted, [np.mean(block) for block in blocks for _ in block], atol=1e-9)
    assert not (np.diff(fitted) < 0).any()


def test_constants_are_those_of_the_method():
    with mpmath.workdps(50):
        for tau, weight, widening in zip(LEVELS, WEIGHTS, WIDENINGS, strict=True):
            exact = mpmath.mpf(str(tau))
            assert weight == float((4 * exact * (1 - exact)) ** mpmath.mpf("-0.8"))
            assert widening == float(1.5 * (1 + 2 * mpmath.erfinv(2 * exact - 1) ** 2))


@settings(max_examples=300)
@given(st.floats(1.0, 4.0))
def test_small_powers_are_exact_to_a_few_units_in_the_last_place(x):
    with mpmath.workdps(40):
        assert small_log(x) == pytest.approx(float(mpmath.log(x)), rel=2**-51, abs=2**-54)
        assert small_exp(math.log(x)) == pytest.approx(float(mpmath.exp(math.log(x))), rel=2**-51)


@settings(max_examples=60)
@given(pass_inputs(calibration="conformal", custom=NO_QUANTILES))
def test_whatever_comes_all_that_is_remembered_is_a_number(case):
    learning = learning_pass(case)
    learning.run(0, case.shape[0])
    begun = np.isfinite(calibrator_array(learning, "steps"))
    for name in ("square", "ratio", "growth", "learned"):
        numbers = calibrator_array(learning, name)[:, begun]
        assert np.isfinite(numbers).all(), name
        assert (numbers >= 0).all(), name
    assert np.isfinite(trackers(learning)).all()


def test_before_any_error_the_quantiles_are_student_s_around_the_scale():
    t_quantiles = scipy.stats.t.ppf(LEVELS, 6) / math.sqrt(6 / 4)
    widening = 1 + 1.5 * (1 + scipy.stats.norm.ppf(LEVELS) ** 2) / 20 * 40 / 60
    np.testing.assert_allclose(quantiles_of_errors(np.zeros(1), 2.5)[0], 2.5 * t_quantiles * widening, rtol=1e-12)


def test_the_scale_of_h_steps_is_the_root_of_h_times_that_of_one_until_errors_say_otherwise():
    learning = learning_pass(
        PassInput(forecasts=np.zeros((1, 1, 60)), origins=origins_of(np.zeros((1, 60)), scale=0.7))
    )
    learning.run(0, 1)
    _, sizes = calibrator_state(learning)
    np.testing.assert_allclose(sizes[0], 0.7 * np.sqrt(np.arange(1.0, 61.0)), rtol=1e-12)


@pytest.mark.parametrize("error", [3.0, -3.0, 1e-100, 1e100])
def test_where_nothing_has_moved_the_first_error_becomes_the_scale(error):
    calibration = Calibration(4, scale=math.nan)
    for value in (0.0, error):
        assert calibration.quantiles().tolist() == [0.0] * 9
        calibration.learn(value)
    calibration.quantiles()
    assert calibration.state()[1] == pytest.approx(abs(error), rel=1e-15)
    # what was quoted had no size: it says nothing of the quantiles of errors in sizes
    assert trackers(calibration.learning)[0, :, 0].tolist() == plain_start(1)


def test_what_the_history_moved_by_is_remembered_through_a_long_rest():
    errors = np.concatenate([np.zeros(150), [10.0], np.zeros(20), [-3.0], np.zeros(5)])
    quantiles = quantiles_of_errors(errors)
    assert bits(quantiles) == bits(quoted_by_plain(errors.tolist(), 1.0, "conformal"))
    # after the rest alone the scale is far below what the history moved by; the jump brings some of that back at once
    widths = quantiles[:, 8] - quantiles[:, 0]
    assert widths[150] < 0.1 * widths[0]
    assert widths[151] > 1.5 * widths[150]


def test_an_error_too_small_to_count_leaves_the_scale_at_zero():
    calibration = Calibration(2, scale=math.nan)
    calibration.quantiles()
    calibration.learn(1e-140)
    assert calibration.quantiles().tolist() == [0.0] * 9


@pytest.mark.parametrize(("far", "count", "growth"), [(0.0, 450, 0.1), (1e100, 1600, 2.0**40)])
def test_growth_has_a_least_and_a_largest_value(far, count, growth):
    # errors of 1 one step ahead, and such that are nothing, or beyond all growth, farther ahead
    case = PassInput(forecasts=np.zeros((count, 1, 4)), origins=origins_of(np.tile([1.0, far, far, far], (count, 1))))
    learning = learning_pass(case)
    learning.run(0, count)
    assert calibrator_array(learning, "growth")[1, 0] == growth
    assert_same_bits(run(case), plain(case))


def test_errors_too_large_or_too_small_to_be_squared_are_bounded():
    calibration = Calibration(3)
    for error in (1.7e308, 5e-324, 0.0):
        assert np.isfinite(calibration.quantiles()).all()
        calibration.learn(error)


@both
def test_a_missing_error_teaches_nothing(calibration):
    errors = [0.5, -1.5, 2.0, math.nan, math.nan, 0.1]
    quantiles = quantiles_of_errors(errors, calibration=calibration)
    assert bits(quantiles[3]) == bits(quantiles[4]) == bits(quantiles[5])


@both
def test_errors_that_become_known_at_once_are_learned_one_by_one_in_order(calibration):
    errors = np.array([0.5, -1.5, 2.0, 0.25, -0.125, 0.0])
    feedback = np.array([0, 0, 0, 0, 4, 5])[:, None]
    case = PassInput(
        forecasts=np.zeros((6, 1, 1)), origins=origins_of(errors[:, None], feedback=feedback), calibration=calibration
    )
    calibrator = CALIBRATORS[calibration](1)
    expected = []
    for origin in range(6):
        for past in range(4 if origin == 4 else 0) if origin < 5 else [4]:
            calibrator.learn([errors[past]])
        ((offsets, size),) = calibrator.predict([0.0], 1.0, 20.0 + origin)
        expected.append([size * offset for offset in offsets])
    quantiles = run(case).quantiles[:, :, 0, 0]
    assert bits(quantiles) == bits(expected)
    assert bits(quantiles[3]) == bits(quantiles_of_errors(errors, calibration=calibration)[0])


def test_an_error_is_judged_by_what_stood_at_its_origin():
    # five errors of 10 become known at once: beyond all that was quoted for them, however soon the trackers rise
    feedback = np.array([0, 0, 0, 0, 0, 5])[:, None]
    origins = origins_of(np.full((6, 1), 10.0), feedback=feedback)
    learning = learning_pass(PassInput(forecasts=np.zeros((6, 1, 1)), origins=origins))
    learning.run(0, 6)
    rates = sum(4.0 / (count + 40.0) for count in range(1, 6))
    expected = [u + rates * w * tau for u, w, tau in zip(plain_start(1), WEIGHTS, LEVELS, strict=True)]
    np.testing.assert_allclose(trackers(learning)[0, :, 0], expected, rtol=1e-12)


def test_a_queue_has_a_row_for_each_origin_that_waits_for_its_error():
    released = np.zeros((50, 4))
    learning = learning_pass(PassInput(forecasts=np.zeros((50, 2, 4)), origins=origins_of(released)))
    assert len(calibrator_array(learning, "past")) == 1 + 2 + 3 + 4


def test_no_error_can_be_known_before_its_origin():
    early = np.arange(1, 5)[:, None]
    with pytest.raises(ValueError, match="before its origin"):
        learning_pass(PassInput(forecasts=np.zeros((4, 1, 1)), origins=origins_of(np.zeros((4, 1)), feedback=early)))


@settings(max_examples=40)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_empirical_quantiles_are_those_of_numpy(errors):
    quantiles = quantiles_of_errors([*errors, 0.0], calibration="empirical")[-1]
    np.testing.assert_allclose(quantiles, np.quantile(errors, LEVELS), rtol=1e-12, atol=1e-9)


def test_empirical_quantiles_of_any_errors_are_numbers_among_them():
    quantiles = quantiles_of_errors([-1.7e308, 1.7e308, 0.0], calibration="empirical")[-1]
    assert quantiles[4] == 0.0
    assert (np.diff(quantiles) > 0).all()
    assert np.abs(quantiles).max() < 1.7e308


def test_an_empirical_calibrator_quotes_nothing_before_the_first_error():
    assert np.isnan(quantiles_of_errors(np.zeros(2), calibration="empirical")[0]).all()


def test_a_forecaster_that_sleeps_has_no_scale_until_it_wakes():
    forecasts = np.array([np.nan, np.nan, 0.0, 0.0])[:, None, None]
    case = PassInput(forecasts=forecasts, origins=origins_of(np.ones((4, 1)), scale=np.array([1.0, 2.0, 3.0, 4.0])))
    learned = learning_pass(case)
    sizes = []
    for origin in range(4):
        learned.run(origin, origin + 1)
        sizes.append(calibrator_state(learned)[1][0, 0])
    assert bits(sizes[:3]) == bits([math.nan, math.nan, 3.0])
    # 22 steps at the third origin, and one error
    assert sizes[3] == pytest.approx(math.sqrt(9.0 + (1.0 - 9.0) / 23))


def with_custom(case: PassInput, offsets: np.ndarray, spread: np.ndarray) -> PassInput:
    """The pass, its first forecaster quoting calibrated quantiles, its second the given ones.

    `offsets` (origin, level), `spread` (origin,).
    """
    custom = CustomQuantiles(
        (1,), (0,), np.ascontiguousarray(offsets[:, :, None, None]), np.ascontiguousarray(spread[:, None, None])
    )
    return attrs.evolve(case, custom=custom)


def test_forecasters_wake_each_at_an_origin_of_its_own():
    generator = np.random.default_rng(3)
    forecasts = generator.normal(size=(30, 5, 2))
    for forecaster in range(5):
        forecasts[: 4 * forecaster, forecaster] = np.nan
    released = np.cumsum(generator.normal(size=(30, 2)), axis=0)
    case = PassInput(forecasts=forecasts, origins=origins_of(released))
    assert_same_bits(run(case), plain(case))


def test_custom_quantiles_are_quoted_as_they_are_under_one_name_and_calibrated_by_their_spread_under_another():
    generator = np.random.default_rng(8)
    errors, spread = generator.normal(size=30), generator.uniform(0.5, 2.0, 30)
    offsets = np.sort(generator.normal(size=(30, 9)), axis=1)
    case = PassInput(forecasts=np.zeros((30, 2, 1)), origins=origins_of(errors[:, None]))
    quantiles = run(with_custom(case, offsets, spread)).quantiles[:, :, :, 0]
    assert bits(quantiles[:, :, 1]) == bits(offsets)
    tracker = Conformal(1, brings_spread=True)
    for origin in range(30):
        ((fitted, size),) = tracker.predict([spread[origin]], math.nan, 20.0)
        assert bits(quantiles[origin, :, 0]) == bits([size * offset for offset in fitted])
        tracker.learn([errors[origin]])


@both
def test_each_forecaster_that_brings_quantiles_learns_from_its_own_errors(calibration):
    generator = np.random.default_rng(13)
    offsets = np.sort(generator.normal(size=(40, 9, 2, 3)), axis=1)
    spread = generator.uniform(0.5, 2.0, (40, 2, 3))
    case = PassInput(
        forecasts=generator.normal(size=(40, 4, 3)),
        origins=origins_of(np.zeros((40, 3))),
        custom=CustomQuantiles((2, 3), (0, 1), offsets, spread),
        calibration=calibration,
    )
    assert_same_bits(run(case), plain(case))


def test_calibration_of_a_spread_begins_with_the_spread_and_finds_out_what_it_is_worth():
    # errors are three times as large as the forecaster says
    generator = np.random.default_rng(10)
    spread = generator.uniform(0.5, 2.0, (1500, 1))
    errors = 3.0 * spread * generator.normal(size=(1500, 1))
    offsets = np.tile(scipy.stats.norm.ppf(LEVELS), (1500, 1))
    case = PassInput(forecasts=np.zeros((1500, 2, 1)), origins=origins_of(errors))
    quantiles = run(with_custom(case, offsets, spread[:, 0])).quantiles[:, :, 0, 0]
    assert quantiles[0, 6] == pytest.approx(spread[0, 0] * scipy.stats.t.ppf(0.9, 6) / math.sqrt(1.5), rel=0.2)
    np.testing.assert_allclose(
        quantiles[500:, 6].mean() / spread[500:].mean(), 3.0 * scipy.stats.norm.ppf(0.9), rtol=0.1
    )


def test_where_a_forecaster_brings_no_quantiles_its_plain_name_has_those_that_all_have():
    errors = np.random.default_rng(9).normal(size=12)
    offsets, spread = np.tile(np.arange(-4.0, 5.0), (12, 1)), np.ones(12)
    offsets[7], spread[7], spread[9], spread[11] = np.nan, np.nan, np.nan, np.inf
    case = PassInput(forecasts=np.zeros((12, 2, 1)), origins=origins_of(errors[:, None]))
    quantiles = run(with_custom(case, offsets, spread)).quantiles[:, :, :, 0]
    without = quantiles_of_errors(errors)
    for origin in (7, 9, 11):
        assert bits(quantiles[origin, :, 0]) == bits(without[origin])
    assert np.isnan(quantiles[7, :, 1]).all()
    assert bits(quantiles[9, :, 1]) == bits(np.arange(-4.0, 5.0))
    assert bits(quantiles[8, :, 0]) != bits(without[8])
