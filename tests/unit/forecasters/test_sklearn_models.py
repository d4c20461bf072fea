"""Regressors of scikit-learn on lags: as plain code has it, whatever the level and the unit."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from pulse_adapters.forecasters.libraries import calm, library_forecaster
from pulse_adapters.forecasters.sklearn_models import LagModel, sklearn_model
from tests.unit.forecasters.walks import histories, in_units, walk


def plain(regressor, fitted_to, history, horizon: int, lags: int = 10) -> list[float]:
    """Forecasts by loops over windows."""
    unit = sum(abs(fitted_to[t] - fitted_to[t - 1]) for t in range(1, len(fitted_to))) / (len(fitted_to) - 1)
    inputs, targets = [], []
    for t in range(lags, len(fitted_to)):
        inputs.append([(fitted_to[t - lag] - fitted_to[t - 1]) / unit for lag in range(lags, 1, -1)])
        targets.append((fitted_to[t] - fitted_to[t - 1]) / unit)
    regressor.fit(inputs, targets)
    known = list(history)
    for _ in range(horizon):
        row = [(known[-lag] - known[-1]) / unit for lag in range(lags, 1, -1)]
        known.append(known[-1] + unit * float(regressor.predict([row])[0]))
    return known[-horizon:]


def predictions(model: LagModel, history, horizon: int = 4) -> np.ndarray:
    with calm(model.harmless):
        return model.predict(model.fit(history), history, horizon)


@pytest.mark.parametrize(
    ("name", "regressor"),
    [("Ridge", Ridge()), ("DecisionTreeRegressor", DecisionTreeRegressor(random_state=0))],
)
def test_it_is_the_regressor_on_the_values_less_the_newest(name, regressor) -> None:
    series = walk(62)
    hindcast = library_forecaster(f"sklearn:{name}", refit_every=2).hindcast(histories(series, first=60), 4)
    direct = [plain(regressor, series[:fitted], series[:n], 4) for fitted, n in ((60, 60), (60, 61), (62, 62))]
    np.testing.assert_allclose(in_units(hindcast), direct, rtol=1e-12)


def test_the_window_is_as_long_as_the_season_but_at_least_ten() -> None:
    assert [sklearn_model("Ridge", season).lags for season in (None, 1, 7, 12)] == [10, 10, 10, 12]


@pytest.mark.parametrize("name", ["Ridge", "KNeighborsRegressor", "SGDRegressor"])
def test_neither_level_nor_unit_matters(name) -> None:
    model = sklearn_model(name, None)
    series = walk(80)
    usual, other = predictions(model, series), predictions(model, 1e-3 * series + 5)
    np.testing.assert_allclose((other - 5) / 1e-3, usual, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_values_near_the_limits_are_forecast_all_the_same(scale) -> None:
    model = sklearn_model("LinearRegression", None)
    series = walk(80) / 100
    np.testing.assert_allclose(predictions(model, scale * series) / scale, predictions(model, series), rtol=1e-9)


def test_too_short_a_history_gives_nothing() -> None:
    hindcast = library_forecaster("sklearn:LinearRegression").hindcast(histories(walk(22), first=19), 2)
    assert np.isnan(hindcast).all(axis=1).tolist() == [True, True, False, False]


def test_a_constant_history_goes_on() -> None:
    assert predictions(sklearn_model("Ridge", None), np.full(40, 3.0)).tolist() == [3.0] * 4


@pytest.mark.parametrize("name", ["RandomForestRegressor", "MLPRegressor"])
def test_random_numbers_are_the_same_each_time(name) -> None:
    first, second = (predictions(sklearn_model(name, None), walk(40)).tolist() for _ in range(2))
    assert first == second


def test_a_regressor_works_alone_and_with_fixed_random_numbers() -> None:
    parameters = sklearn_model("ExtraTreesRegressor", None)._regressor().get_params()
    assert (parameters["n_jobs"], parameters["random_state"]) == (1, 0)


class NothingFromTheSecondStep:
    """Has no forecast where the last step was its own, of one unit."""

    def fit(self, inputs, targets):
        return self

    def predict(self, inputs):
        assert np.isfinite(inputs).all()
        return [float("nan") if inputs[0, -1] == -1 else 1.0]


def test_after_a_step_without_a_forecast_there_is_none() -> None:
    history = np.cumsum(np.resize([2.0, -2.0], 40))
    forecasts = predictions(LagModel(NothingFromTheSecondStep, 10), history)
    np.testing.assert_array_equal(forecasts, [2.0, np.nan, np.nan, np.nan])


@pytest.mark.parametrize("name", ["IsotonicRegression", "PoissonRegressor", "MultiTaskLasso", "CCA"])
def test_a_regressor_that_cannot_learn_from_lags_is_refused(name) -> None:
    with pytest.raises(ValueError, match="it cannot learn from lags: "):
        sklearn_model(name, None)
