"""Autoregression where least squares is hard: large levels, exact fits, singular histories."""

from __future__ import annotations

import numpy as np
import pytest

from tests.histories import forecasts, histories_of, histories_of_paths
from tests.unit.method.plain import FORECASTS

POINTS = 5000
HORIZON = 5


def price_levels(kind: str) -> np.ndarray:
    generator = np.random.default_rng(8)
    steps = generator.normal(0, 1, POINTS)
    paths = {
        "random walk": np.cumsum(steps),
        "momentum": np.cumsum(steps + 0.4 * np.append(0, steps[:-1])),
        "rising": np.cumsum(steps + 0.5),
        "about a level": steps,
        "ticks": np.cumsum(np.sign(steps)),
    }
    return np.asarray(1e4 + paths[kind])


@pytest.mark.parametrize("name", ["ar", "ari"])
@pytest.mark.parametrize("kind", ["random walk", "momentum", "rising", "about a level", "ticks"])
def test_price_levels_far_from_zero_are_fitted_to_a_billionth_of_a_step(name, kind):
    values = price_levels(kind)
    made = forecasts(name, histories_of(values, POINTS - 250), HORIZON)
    clear = 0
    for count in range(POINTS, POINTS - 250, -50):
        expected, sure = FORECASTS[name](values[:count].tolist(), HORIZON)
        if sure:
            clear += 1
            np.testing.assert_allclose(made[count - 1 - POINTS], expected, rtol=0, atol=1e-9)
    assert clear >= 3


@pytest.mark.parametrize("name", ["ar", "ari"])
@pytest.mark.parametrize("kind", ["random walk", "about a level"])
def test_a_first_value_far_from_all_others_leaves_the_fit_as_exact(name, kind):
    values = price_levels(kind)
    values[0] = 0.0
    expected, sure = FORECASTS[name](values.tolist(), HORIZON)
    assert sure
    made = forecasts(name, histories_of(values, POINTS), HORIZON)
    np.testing.assert_allclose(made[-1], expected, rtol=0, atol=1e-9)


def test_lags_that_nearly_repeat_one_another_still_count():
    # a slow wave: each change is almost the one before, yet two of them say where it turns
    values = 1e3 + 50 * np.sin(np.arange(400) / 30) + np.random.default_rng(10).normal(0, 0.01, 400)
    rows, order = values[5:], 5
    design = np.column_stack(
        [np.ones(395), values[4:-1], *(np.diff(values)[4 - lag : -lag] for lag in range(1, order))]
    )
    coefficients = np.linalg.lstsq(design - [0, 1e3, 0, 0, 0, 0], rows - 1e3, rcond=None)[0]
    newest = np.array([1, values[-1] - 1e3, *np.diff(values)[:-order:-1]])
    made = forecasts("ar", histories_of(values, 400), 1)
    assert made[-1, 0] == pytest.approx(1e3 + newest @ coefficients, abs=1e-8)


@pytest.mark.parametrize("name", ["ar", "ari"])
@pytest.mark.parametrize("level", [0.0, 7.0, -1e4])
def test_a_constant_goes_on(name, level):
    made = forecasts(name, histories_of([level] * 40), HORIZON)
    assert set(made[np.isfinite(made)].tolist()) == {level}


@pytest.mark.parametrize("name", ["ar", "ari"])
@pytest.mark.parametrize("slope", [1.0, 0.1, -3e-7, 1e5 / 3])
@pytest.mark.parametrize("start", [0.0, 1e4])
def test_a_line_goes_on(name, slope, start):
    values = start + slope * np.arange(60)
    made = forecasts(name, histories_of(values), HORIZON)
    expected = values[-1] + slope * np.arange(1, HORIZON + 1)
    np.testing.assert_allclose(made[-1], expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["ar", "ari"])
@pytest.mark.parametrize("period", [2, 3, 4])
def test_an_exact_period_goes_on(name, period):
    pattern = np.array([0.3, -1.7, 2.9, 0.7])[:period]
    values = np.tile(pattern, 30)
    made = forecasts(name, histories_of(values), HORIZON)
    np.testing.assert_allclose(made[-1], np.resize(pattern, HORIZON), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["ar", "ari"])
def test_an_exact_recursion_goes_on(name):
    # two complex roots on the unit circle: order 2 fits without error
    values = [1.0, 1.5]
    while len(values) < 80 + HORIZON:
        values.append(1.6 * values[-1] - values[-2] + 0.25)
    made = forecasts(name, histories_of(values[:80]), HORIZON)
    np.testing.assert_allclose(made[-1], values[80:], rtol=0, atol=1e-8)


def test_lags_that_have_not_moved_explain_nothing():
    # all lags are zero columns: no order fits better than none, whose forecast is the mean of the rows
    values = [5.0] * 30 + [6.0]
    made = forecasts("ar", histories_of(values), HORIZON)
    np.testing.assert_allclose(made[-1], [(25 * 5 + 6) / 26] * HORIZON, rtol=1e-12)


@pytest.mark.parametrize("name", ["ar", "ari"])
def test_too_short_a_history_gives_nothing(name):
    assert np.isnan(forecasts(name, histories_of([1.0, 4.0, 2.0]), HORIZON)).all()


SINGULAR = {
    "constant": [3.0] * 120,
    "zero": [0.0] * 120,
    "line": [0.1 * day for day in range(120)],
    "period": [1.0, -1.0] * 60,
    "one step": [1.0] * 60 + [4.0] * 60,
    "huge": [1e300 * (-1) ** day for day in range(120)],
    "from tiny to huge": [1e-300] * 60 + [1e300] * 60,
    "short": [1.0, 5.0, 2.0],
}


@pytest.mark.parametrize("name", ["ar", "ari"])
@pytest.mark.parametrize("values", SINGULAR.values(), ids=SINGULAR)
def test_a_singular_path_harms_no_other(name, values):
    healthy = 50 + np.cumsum(np.random.default_rng(9).normal(size=120))
    alone = forecasts(name, histories_of(healthy), HORIZON)
    beside = forecasts(name, histories_of_paths([np.array(values), healthy]), HORIZON)
    assert beside[len(values) :].tobytes() == alone.tobytes()
