"""The measures of benchmarks/accuracy.py: worked by hand, in plain Python, and by statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks._competition import (
    coverage,
    is_seasonal,
    mase,
    msis,
    naive2,
    owa,
    seasonal_indices,
    smape,
    step_size,
)


def seasonal_series(points: int, season: int, seed: int, amplitude: float = 0.3, trend: float = 0.5):
    generator = np.random.default_rng(seed)
    time = np.arange(points)
    wave = 1.0 + amplitude * np.sin(2.0 * np.pi * time / season)
    return (100.0 + trend * time) * wave * np.exp(0.05 * generator.normal(size=points))


def test_smape_of_values_worked_by_hand():
    # 200 * 1/3 and 200 * 0/4, on average
    assert smape(np.array([1.0, 2.0]), np.array([2.0, 2.0])) == pytest.approx(100.0 / 3.0)
    # no error where both are zero, and the most there is where signs differ
    assert smape(np.array([0.0, 1.0]), np.array([0.0, -1.0])) == 100.0


def test_mase_of_values_worked_by_hand():
    history = np.array([1.0, 2.0, 4.0, 7.0])
    # steps of 1, 2, 3; errors of 1 and 3
    assert mase(np.array([8.0, 9.0]), np.array([7.0, 6.0]), history, 1) == 1.0
    # steps of 3 and 5 over a season of 2
    assert mase(np.array([8.0, 9.0]), np.array([7.0, 6.0]), history, 2) == 0.5


def test_a_history_without_steps_scales_nothing():
    assert math.isnan(step_size(np.full(5, 3.0), 1))
    assert math.isnan(step_size(np.array([1.0, 2.0]), 4))


def test_msis_and_coverage_of_values_worked_by_hand():
    history, actual = np.array([0.0, 2.0, 4.0]), np.array([5.0, 9.0, 1.0])
    low, high = np.array([4.0, 4.0, 2.0]), np.array([6.0, 8.0, 3.0])
    # widths 2, 4, 1; one actual is 1 above, one 1 below: 40 each; the step is 2
    assert msis(actual, low, high, history, 1) == pytest.approx((2 + 4 + 1 + 40 + 40) / 3 / 2)
    assert coverage(actual, low, high) == pytest.approx(1 / 3)


def test_owa_is_the_mean_of_both_ratios_of_means():
    ones = np.ones(2)
    assert owa(np.array([1.0, 3.0]), np.array([1.0, 2.0]), ones, 2 * ones) == pytest.approx((2.0 + 0.75) / 2)


@pytest.mark.parametrize("season", [4, 12, 7])
@pytest.mark.parametrize("points", [36, 41, 60])
def test_indices_equal_those_of_statsmodels(season, points):
    from statsmodels.tsa.seasonal import seasonal_decompose

    history = seasonal_series(points, season, seed=points)
    expected = seasonal_decompose(history, model="multiplicative", period=season).seasonal
    assert seasonal_indices(history, season) == pytest.approx(expected[:season], rel=1e-12)


@pytest.mark.parametrize("season", [4, 12])
def test_the_test_for_a_season_is_that_of_the_autocorrelations(season):
    from statsmodels.tsa.stattools import acf

    outcomes = set()
    for seed in range(60):
        history = seasonal_series(60, season, seed, amplitude=0.02 * (seed % 4), trend=0.0)
        correlations = acf(history, nlags=season, fft=False)[1:]
        limit = 1.645 / math.sqrt(60) * math.sqrt(1.0 + 2.0 * sum(value**2 for value in correlations[:-1]))
        assert is_seasonal(history, season) == (abs(correlations[-1]) > limit)
        outcomes.add(is_seasonal(history, season))
    assert outcomes == {True, False}


def test_no_season_is_found_below_three_of_them_nor_in_a_constant():
    history = np.tile([10.0] + 11 * [1.0], 3)
    assert is_seasonal(history, 12)
    assert not is_seasonal(history[:35], 12)
    assert not is_seasonal(history, 1)
    assert not is_seasonal(np.full(40, 3.0), 4)


@pytest.mark.parametrize("points", [48, 53])
def test_naive2_adjusts_the_last_value_of_a_seasonal_series(points):
    from statsmodels.tsa.seasonal import seasonal_decompose

    history = seasonal_series(points, 12, seed=3)
    seasonal = seasonal_decompose(history, model="multiplicative", period=12).seasonal
    adjusted = history[-1] / seasonal[-1]
    expected = [adjusted * seasonal[(points + step) % 12] for step in range(18)]
    assert naive2(history, 12, 18) == pytest.approx(expected, rel=1e-12)


def test_naive2_is_naive_where_no_season_is_found():
    history = np.cumsum(np.random.default_rng(5).normal(size=60))
    assert not is_seasonal(history, 12)
    assert (naive2(history, 12, 3) == history[-1]).all()
    assert (naive2(history, 1, 3) == history[-1]).all()


def test_measures_equal_those_of_utilsforecast():
    import pandas as pd
    from utilsforecast import losses

    history = seasonal_series(48, 12, seed=2)
    actual, forecast = seasonal_series(60, 12, seed=2)[48:], naive2(history, 12, 12)
    train = pd.DataFrame({"unique_id": "a", "ds": np.arange(48), "y": history})
    test = pd.DataFrame({"unique_id": "a", "ds": np.arange(48, 60), "y": actual, "f": forecast})
    theirs = losses.mase(test, models=["f"], seasonality=12, train_df=train)["f"].item()
    assert mase(actual, forecast, history, 12) == pytest.approx(theirs, rel=1e-12)
    # theirs is between 0 and 1
    assert smape(actual, forecast) == pytest.approx(200.0 * losses.smape(test, models=["f"])["f"].item(), rel=1e-12)
