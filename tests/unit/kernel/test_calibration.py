"""The calibrators to the bit: quantile tracking with the isotonic fit, and quantiles of all errors."""

from __future__ import annotations

import itertools
import math

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core.backtest.custom_quantiles import CustomQuantiles
from pulse_core.levels import LEVELS
from pulse_core.spec import CALIBRATIONS
from tests.unit.kernel.pass_inputs import EXTREME, pass_inputs
from tests.unit.kernel.passes import (
    Calibration,
    PassInput,
    assert_same_bits,
    bits,
    calibrator_state,
    learning_pass,
    origins_of,
    quantiles_of_errors,
    run,
)
from tests.unit.kernel.plain_calibration import CALIBRATORS, START, TAUS, Conformal, best_means, isotonic, uncrossed
from tests.unit.kernel.plain_pass import plain

both = pytest.mark.parametrize("calibration", CALIBRATIONS)
ordinary = st.floats(-5, 5) | st.integers(-2, 2).map(float)
anything = ordinary | st.sampled_from([*EXTREME.tolist(), math.nan])


def quoted_by_plain(errors: list[float], scale: float, calibration: str) -> list[list[float]]:
    """The quantiles before each error, by plain loops."""
    calibrator, quantiles = CALIBRATORS[calibration](), []
    for error in errors:
        offsets, size = calibrator.predict(scale, 0.0)
        quantiles.append([0.0 + size * offset for offset in offsets])
        calibrator.learn(error)
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


@both
@settings(max_examples=20)
@given(data=st.data())
def test_many_cells_learn_as_each_does_alone(calibration, data):
    case = data.draw(pass_inputs(calibration=calibration, trust_loss="absolute"))
    assert_same_bits(run(case), plain(case))


@pytest.mark.parametrize("seed", range(3))
def test_a_long_series_of_errors_in_ticks_crosses_and_is_pooled_as_in_plain_loops(seed):
    errors = np.random.default_rng(seed).choice([-1.0, 0.0, 0.0, 0.0, 1.0], 600).tolist()
    tracker, crossed = Conformal(), 0
    for error in errors:
        tracker.predict(1.0, 0.0)
        tracker.learn(error)
        crossed += any(high < low for low, high in itertools.pairwise(tracker.raw))
    assert crossed > 20
    assert bits(quantiles_of_errors(errors)) == bits(quoted_by_plain(errors, 1.0, "conformal"))


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


def state_after(raw: list[float], relative: float) -> tuple[np.ndarray, float]:
    """Offsets and size after an error of so many sizes, where the trackers stand at `raw` before it."""
    calibration = Calibration(2)
    calibration.quantiles()
    arrays = {array.ctypes.data: array for array in calibration._learning._arrays}
    state = calibration._learning._state.calibrator
    trackers = arrays[state.raw].reshape(len(LEVELS), -1)
    offsets = arrays[state.offset].reshape(len(LEVELS), -1)
    trackers[:, 0], offsets[:, 0] = raw, uncrossed(raw)
    calibration.learn(relative)
    calibration.quantiles()
    return calibration.state()


@settings(max_examples=300)
@given(
    st.lists(st.floats(-3, 3) | st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=9, max_size=9),
    st.sampled_from([-10.0, 0.0, 0.7, 10.0]),
)
def test_offsets_are_the_isotonic_fit_of_any_trackers(raw, relative):
    tracker = Conformal(list(raw), uncrossed(raw), 1.0)
    tracker.learn(relative)
    offsets, size = state_after(raw, relative)
    assert bits(offsets) == bits(tracker.offsets)
    assert size == tracker.size
    assert not (np.diff(offsets) < 0).any()


def test_what_is_pooled_is_equal_to_the_bit():
    # means of tenths are equal or not by rounding: blocks of one mean would part
    generator, parted = np.random.default_rng(12), 0
    steps = [0.05 * tau for tau in TAUS]
    for _ in range(150):
        fits = (generator.integers(-5, 6, 9) / 10).tolist()
        raw = [before(target, step) for target, step in zip(fits, steps, strict=True)]
        tracker = Conformal(list(raw), uncrossed(raw), 1.0)
        tracker.learn(10.0)
        offsets, _ = state_after(raw, 10.0)
        assert bits(offsets) == bits(tracker.offsets)
        gaps = np.diff(best_means(tracker.raw))
        parted += bool(((gaps != 0) & (np.abs(gaps) < 1e-9)).any())
    assert parted > 10


def before(target: float, step: float) -> float:
    """A number to which a step adds up to the target, if there is one."""
    near = target - step
    return next((x for x in (near, math.nextafter(near, 9), math.nextafter(near, -9)) if x + step == target), near)


@given(st.lists(st.floats(-3, 3), min_size=9, max_size=9))
def test_the_isotonic_fit_is_the_nearest_that_does_not_fall(raw):
    fitted = isotonic(raw)
    blocks: list[list[float]] = []
    for value in raw:
        blocks.append([value])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    np.testing.assert_allclose(fitted, [np.mean(block) for block in blocks for _ in block], atol=1e-9)


def test_a_scale_beyond_a_float64_stays_and_teaches_nothing():
    forecasts = np.zeros((5, 1, 2))
    origins = origins_of(np.full((5, 2), 0.1), scale=np.array([1.7e308, 1.0, 1.0, 1.0, 1.0]))
    case = PassInput(forecasts=forecasts, origins=origins)
    assert_same_bits(run(case), plain(case))
    learned = learning_pass(case)
    learned.run(0, 5)
    offsets, sizes = calibrator_state(learned)
    assert sizes[0, 1] == math.inf
    assert bits(offsets[:, 0, 1]) == bits(START)


def test_before_any_error_the_quantiles_are_the_normal_s_around_the_scale():
    assert bits(quantiles_of_errors(np.zeros(1), 2.5)[0]) == bits([2.5 * offset for offset in START])


def test_the_scale_of_h_steps_is_the_root_of_h_times_that_of_one():
    case = PassInput(forecasts=np.zeros((1, 1, 13)), origins=origins_of(np.zeros((1, 13)), scale=0.7))
    quantiles = run(case).quantiles[0, :, 0]
    expected = [[0.7 * math.sqrt(h) * offset for h in range(1, 14)] for offset in START]
    assert bits(quantiles) == bits(expected)


@pytest.mark.parametrize("error", [3.0, -3.0, 5e-324, 1e300])
def test_where_nothing_has_moved_the_first_error_becomes_the_scale(error):
    calibration = Calibration(4, scale=math.nan)
    for value in (0.0, error):
        assert calibration.quantiles().tolist() == [0.0] * 9
        calibration.learn(value)
    calibration.quantiles()
    offsets, size = calibration.state()
    assert size == abs(error)
    # an error of zero is at or below every quantile at zero or above, one beyond all is above or below all
    steps = [0.05 * tau - 0.05 * (START[k] >= 0) for k, tau in enumerate(TAUS)]
    steps = [step + 0.05 * tau - 0.05 * (error < 0) for step, tau in zip(steps, TAUS, strict=True)]
    expected = [start + step for start, step in zip(START, steps, strict=True)]
    np.testing.assert_allclose(offsets, expected, atol=1e-15)


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
    late = run(case).quantiles[:, :, 0, 0]
    in_time = quantiles_of_errors(errors, calibration=calibration)
    assert bits(late[4:]) == bits(in_time[4:])
    assert bits(late[3]) == bits(in_time[0])


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
    assert sizes[3] == 0.97 * 3.0 + (1 - 0.97) * 1.0


def with_custom(case: PassInput, offsets: np.ndarray, spread: np.ndarray) -> PassInput:
    """The pass, its first forecaster quoting calibrated quantiles, its second the given ones.

    `offsets` (origin, level), `spread` (origin,).
    """
    custom = CustomQuantiles(
        (1,), (0,), np.ascontiguousarray(offsets[:, :, None, None]), np.ascontiguousarray(spread[:, None, None])
    )
    return attrs.evolve(case, custom=custom)


def test_custom_quantiles_are_quoted_as_they_are_under_one_name_and_calibrated_by_their_spread_under_another():
    generator = np.random.default_rng(8)
    errors, spread = generator.normal(size=30), generator.uniform(0.5, 2.0, 30)
    offsets = np.sort(generator.normal(size=(30, 9)), axis=1)
    case = PassInput(forecasts=np.zeros((30, 2, 1)), origins=origins_of(errors[:, None]))
    quantiles = run(with_custom(case, offsets, spread)).quantiles[:, :, :, 0]
    assert bits(quantiles[:, :, 1]) == bits(offsets)
    tracker = Conformal()
    for origin in range(30):
        fitted, size = tracker.predict(1.0 / 1.2533, 0.0)
        assert bits(quantiles[origin, :, 0]) == bits([size * spread[origin] * offset for offset in fitted])
        tracker.learn(errors[origin] / spread[origin])


def test_where_a_forecaster_brings_no_quantiles_its_plain_name_has_those_that_all_have():
    errors = np.random.default_rng(9).normal(size=12)
    offsets, spread = np.tile(np.arange(-4.0, 5.0), (12, 1)), np.ones(12)
    offsets[7], spread[7], spread[9] = np.nan, np.nan, np.nan
    case = PassInput(forecasts=np.zeros((12, 2, 1)), origins=origins_of(errors[:, None]))
    quantiles = run(with_custom(case, offsets, spread)).quantiles[:, :, :, 0]
    without = quantiles_of_errors(errors)
    for origin in (7, 9):
        assert bits(quantiles[origin, :, 0]) == bits(without[origin])
    assert np.isnan(quantiles[7, :, 1]).all()
    assert bits(quantiles[9, :, 1]) == bits(np.arange(-4.0, 5.0))
    assert bits(quantiles[8, :, 0]) != bits(without[8])
