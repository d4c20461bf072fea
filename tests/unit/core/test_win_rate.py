"""The win rate: mean and quantiles of a mass at one half and a Beta distribution."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core.scores.win_rate import win_rates
from tests.plain_trust import WinRate

counts = st.floats(0.0, 30.0) | st.floats(0.0, 1500.0)


def rate_of(wins: float, losses: float) -> list[float]:
    """Mean, low, high, trials."""
    return [float(value) for value in win_rates(np.array([wins]), np.array([losses]))[0]]


@given(counts, counts)
def test_the_win_rate_is_that_of_plain_loops(wins, losses):
    if wins + losses == 0:
        return
    plain = WinRate(1, wins, losses)
    assert rate_of(wins, losses) == pytest.approx(plain.summary, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("wins", "losses"), [(1, 0), (0, 3), (7, 7), (30, 12), (100, 160), (400, 300)])
def test_its_mean_is_that_of_exact_arithmetic(wins, losses):
    shapes = math.factorial(9 + wins) * math.factorial(9 + losses), math.factorial(19 + wins + losses)
    prior = math.factorial(9) ** 2, math.factorial(19)
    uneven = Fraction(2 ** (wins + losses) * shapes[0], shapes[1]) / Fraction(*prior) / 5
    even = Fraction(4, 5) / (Fraction(4, 5) + uneven)
    mean = even / 2 + (1 - even) * Fraction(10 + wins, 20 + wins + losses)
    assert rate_of(wins, losses)[0] == pytest.approx(float(mean), rel=1e-12)


def test_without_a_trial_there_is_no_rate():
    assert np.isnan(win_rates(np.zeros(2), np.zeros(2))).all()


@given(counts, counts)
def test_the_mean_lies_within_its_interval_and_wins_and_losses_mirror_each_other(wins, losses):
    if wins + losses == 0:
        return
    mean, low, high, trials = rate_of(wins, losses)
    assert 0 < low <= mean <= high < 1
    mirrored = rate_of(losses, wins)
    assert (1 - mean, 1 - high, 1 - low, trials) == pytest.approx(mirrored, rel=1e-9)


def test_even_outcomes_bring_the_interval_down_to_the_mass_at_one_half():
    _, low, high, _ = rate_of(1.0, 1.0)
    assert low < 0.5 < high
    mean, low, high, _ = rate_of(500.0, 500.0)
    assert mean == pytest.approx(0.5)
    assert low == high == 0.5


@pytest.mark.parametrize(("wins", "losses"), [(1400.0, 40.0), (40.0, 1400.0), (1443.0, 0.0)])
def test_where_one_half_is_out_of_the_question_it_is_the_betas(wins, losses):
    mean, low, high, trials = rate_of(wins, losses)
    assert mean == pytest.approx((10 + wins) / (20 + wins + losses), rel=1e-12)
    assert low < mean < high
    assert trials == wins + losses


def test_arrays_of_any_shape_keep_it():
    wins = np.arange(24.0).reshape(2, 3, 4)
    rates = win_rates(wins, wins[::-1].copy())
    assert rates.shape == (2, 3, 4, 4)
    assert rates[1, 2, 3].tolist() == rate_of(23.0, 11.0)
