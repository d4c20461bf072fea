"""Outliers and breaks are detected where the test puts them, and seldom in noise."""

from __future__ import annotations

import numpy as np
import pytest

from pulse_core.scores.residuals import FAR_OUT, level_shift, modified_z_scores, shift, spread_shift


def noise(seed: int, count: int = 300) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count)


def test_a_planted_outlier_is_the_furthest_out() -> None:
    errors = noise(1)
    errors[120] = -9.0
    score = modified_z_scores(errors)
    assert int(np.argmax(np.abs(score))) == 120
    assert score[120] < -FAR_OUT


def test_modified_z_scores_are_the_textbooks() -> None:
    # median 3, absolute deviations 2 1 0 1 97: their median 1
    assert modified_z_scores(np.array([1.0, 2.0, 3.0, 4.0, 100.0])) == pytest.approx(
        0.6745 * np.array([-2, -1, 0, 1, 97])
    )


def test_errors_of_which_most_are_equal_have_no_scores() -> None:
    assert np.isnan(modified_z_scores(np.array([0.0, 0.0, 0.0, 5.0]))).all()
    assert len(modified_z_scores(np.array([]))) == 0


def test_a_jump_of_the_level_is_detected_at_its_index() -> None:
    errors = noise(2)
    errors[180:] += 2.0
    level = level_shift(errors)
    assert level is not None
    assert level.p_value < 0.001
    assert abs(level.index - 180) <= 5
    assert level.after - level.before == pytest.approx(2.0, abs=0.4)


def test_a_jump_of_the_spread_is_detected_and_is_none_of_the_level() -> None:
    errors = noise(3)
    errors[100:] *= 3.0
    spread, level = spread_shift(errors), level_shift(errors)
    assert spread is not None
    assert level is not None
    assert spread.p_value < 0.01
    assert abs(spread.index - 100) <= 20
    assert (spread.before, spread.after) == pytest.approx((1.0, 3.0), rel=0.25)
    assert level.p_value > 0.05


def test_steady_noise_seldom_shows_a_break() -> None:
    shifts = [find(noise(seed)) for seed in range(200) for find in (level_shift, spread_shift)]
    assert np.mean([shift is not None and shift.p_value < 0.05 for shift in shifts]) <= 0.07


@pytest.mark.parametrize("values", [np.zeros(0), np.zeros(100), np.ones(100), noise(4, 19)])
def test_too_few_or_constant_values_show_nothing(values) -> None:
    assert shift(values) is None


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_scale_of_the_data_does_not_matter(scale) -> None:
    errors = noise(5)
    errors[150:] += 1.5
    for find in (level_shift, spread_shift):
        usual, scaled = find(errors), find(errors * scale)
        assert usual is not None
        assert scaled is not None
        assert scaled.index == usual.index
        assert scaled.p_value == pytest.approx(usual.p_value)
        assert scaled.after == pytest.approx(usual.after * scale)


def test_scores_do_not_depend_on_a_power_of_two() -> None:
    errors = np.random.default_rng(7).uniform(-1.0, 1.0, size=100)
    assert modified_z_scores(np.ldexp(errors, 1024)).tobytes() == modified_z_scores(errors).tobytes()
