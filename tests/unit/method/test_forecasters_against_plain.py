"""Every forecaster against a plain refit from scratch at each origin."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Histories, Observations, RunSpec, TooLittleData
from pulse_core.data.point_in_time import point_in_time
from pulse_core.forecasters.combinations import MeanOfAll, MedianOfAll
from pulse_core.forecasters.registry import BUILT_IN, SEASONAL, TWO_SEASONS
from tests.histories import forecasts, histories_of, histories_of_observations
from tests.reference import rows_of, transformed, vintage
from tests.strategies import replayed, round_values, specs_for
from tests.unit.method.plain import FORECASTS, mean_of_all, median_of_all
from tests.unit.method.running import series, spec_of, whole_roster

SEASON = 4
HORIZON = 6
by_name = pytest.mark.parametrize("name", FORECASTS)


def walk(count: int, seed: int, drift: float = 0.0, season: float = 0.0) -> list[float]:
    generator = np.random.default_rng(seed)
    steps = generator.normal(drift, 1.0, count) + season * np.sin(np.pi / 2 * np.arange(count))
    return [float(value) for value in 100 + np.cumsum(steps)]


REAL = {
    "random walk": walk(330, 1),
    "trend": walk(330, 2, drift=0.5),
    "season": walk(330, 3, season=6.0),
    "noise": np.random.default_rng(4).normal(50, 1, 330).tolist(),
    "two levels": [*walk(150, 5), *(1000 + value for value in walk(180, 6))],
}


def histories(observations: Observations, moments: Sequence[np.datetime64], target: str) -> list[list[float]]:
    rows = rows_of(observations)
    known = (vintage(rows, int(moment.astype("datetime64[us]").astype(np.int64))) for moment in moments)
    return [[value for _, value in transformed(one, target)] for one in known]


def seasonal_forecasts(name: str, histories: Histories, horizon: int) -> np.ndarray:
    """Those of a variable with two seasons."""
    return forecasts(name, attrs.evolve(histories, seasons=(SEASON, 6)), horizon)


def assert_plain(name: str, observations: Observations, spec: RunSpec, every: int = 1, tolerance: float = 1e-9) -> int:
    """Compare at every so many-th origin; return how many were clear."""
    rows = seasonal_forecasts(name, histories_of_observations(observations, spec), spec.horizon)
    moments = list(point_in_time(observations, spec).origin_known_at)
    clear = 0
    for row, history in list(zip(rows, histories(observations, moments, spec.target), strict=True))[::-1][::every]:
        expected, sure = FORECASTS[name](history, spec.horizon)
        if sure:
            clear += 1
            size = max(1e-300, *(abs(value) for value in (*history, *expected)))
            np.testing.assert_allclose(row, expected, rtol=tolerance, atol=tolerance * size, err_msg=str(history))
    return clear


@by_name
@pytest.mark.parametrize("values", REAL.values(), ids=REAL)
def test_a_long_series_is_forecast_as_by_a_refit_at_each_origin(name, values):
    clear = assert_plain(name, series(values), spec_of(days=330, horizon=HORIZON, first=300), every=13)
    assert clear > 10


@by_name
@settings(max_examples=25)
@given(data=st.data())
def test_any_vintages_are_forecast_as_by_a_refit_at_each_origin(name, data):
    observations = data.draw(replayed(round_values()))
    spec = data.draw(specs_for(observations))
    try:
        assert_plain(name, observations, spec, tolerance=1e-7 if name in {"ar", "ari"} else 1e-9)
    except TooLittleData:
        return


@by_name
def test_the_first_forecast_comes_with_the_least_history_that_can_give_one(name):
    values = [3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0, 5.0, 3.5, 8.0, 9.5, 7.0, 9.25]
    first = [math.isfinite(FORECASTS[name](values[:count], 1)[0][0]) for count in range(1, 14)]
    assert np.isfinite(seasonal_forecasts(name, histories_of(values), 1)[:, 0]).tolist() == first


@pytest.mark.parametrize("name", ["naive", "drift", "seasonal-naive(4)"])
@given(values=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40))
def test_forecasters_without_sums_are_exact(name, values):
    rows = forecasts(name, histories_of(values), HORIZON)
    expected = [FORECASTS[name](values[: count + 1], HORIZON)[0] for count in range(len(values))]
    np.testing.assert_array_equal(rows, np.where(np.isfinite(expected), expected, np.nan))


@pytest.mark.parametrize(("combination", "plain"), [(MeanOfAll(), mean_of_all), (MedianOfAll(), median_of_all)])
def test_a_combination_is_made_of_the_forecasts_there_are(combination, plain):
    alone = [forecasts(name, histories_of(walk(60, 7)), 3) for name in whole_roster(SEASON)[:-3]]
    expected = [[plain([rows[origin, ahead] for rows in alone]) for ahead in range(3)] for origin in range(60)]
    np.testing.assert_allclose(combination.combine(np.stack(alone, axis=1)), expected, rtol=1e-12)


def test_every_forecaster_of_the_method_has_a_plain_counterpart():
    named = {forecaster.name for forecaster in (*BUILT_IN, *TWO_SEASONS)}
    assert set(FORECASTS) == named | {f"{name}({SEASON})" for name in SEASONAL}


def test_a_trend_takes_the_first_of_equal_grid_points():
    # y = 0, 4: every grid point has erred by 4, so alpha 0.1 and beta 0.001 it is
    row = forecasts("holt", histories_of([0.0, 4.0]), 2)[-1]
    np.testing.assert_allclose(row, [0.4004, 0.4008], rtol=1e-12)


def test_smoothing_takes_the_first_of_equal_alphas():
    # y = 0, 4: every alpha has made the same error, so 0.05 it is
    assert forecasts("ses", histories_of([0.0, 4.0]), 1)[-1, 0] == pytest.approx(0.2)
