import pickle

import numpy as np
import pytest
from sktime.forecasting.croston import Croston
from sktime.forecasting.naive import NaiveForecaster
from sktime.forecasting.trend import PolynomialTrendForecaster

from pulse_adapters.forecasters.libraries import library_forecaster, object_forecaster
from pulse_adapters.forecasters.sktime_models import IntervalModel, sktime_object
from pulse_core.errors import SettingsError
from pulse_core.forecasters.base import Histories
from pulse_core.levels import LEVELS

pytestmark = pytest.mark.filterwarnings("ignore:.*remember_data:FutureWarning")
HISTORY = np.array([3.0, 5.0, 4.0, 6.0, 7.0, 5.0, 8.0, 9.0, 7.0, 10.0, 11.0, 9.0])


def histories(values):
    count = len(values)
    return Histories((values,), np.zeros(count, np.int64), np.arange(1, count + 1))


def test_forecasts_are_those_of_the_library():
    model = sktime_object(PolynomialTrendForecaster(degree=1))
    slope, level = np.polyfit(np.arange(len(HISTORY)), HISTORY, 1)
    expected = level + slope * np.arange(len(HISTORY), len(HISTORY) + 3)
    assert model.predict(model.fit(HISTORY), HISTORY, 3) == pytest.approx(expected)


def test_a_history_that_goes_on_is_fitted_anew_and_an_earlier_one_again():
    model = sktime_object(NaiveForecaster("last"))
    fitted = model.fit(HISTORY[:5])
    assert model.predict(fitted, HISTORY, 2).tolist() == [9.0, 9.0]
    assert model.predict(fitted, HISTORY[:5], 2).tolist() == [7.0, 7.0]


def test_one_that_brings_intervals_brings_quantiles_in_order():
    model = sktime_object(NaiveForecaster("drift"))
    assert isinstance(model, IntervalModel)
    quantiles = model.quantiles(model.fit(HISTORY), HISTORY, 3)
    assert quantiles.shape == (len(LEVELS), 3)
    assert (np.diff(quantiles, axis=0) > 0).all()
    assert quantiles[4] == pytest.approx(model.predict(model.fit(HISTORY), HISTORY, 3))


def test_one_without_intervals_brings_points_alone():
    assert not library_forecaster("sktime:Croston").brings_quantiles
    assert not object_forecaster("c", "sktime", Croston(smoothing=0.2)).brings_quantiles


def test_it_survives_pickling_and_forecasts_every_origin():
    forecaster = pickle.loads(pickle.dumps(object_forecaster("mean", "sktime", NaiveForecaster("mean"), 5)))
    points = forecaster.hindcast(histories(HISTORY), 2)
    assert points[:, 0] == pytest.approx(np.cumsum(HISTORY) / np.arange(1, 13))


def test_by_name_it_takes_the_season_of_each_variable():
    forecaster = library_forecaster("sktime:NaiveForecaster", season=3)
    assert forecaster.hindcast(histories(HISTORY), 3)[-1].tolist() == HISTORY[-3:].tolist()


def test_arguments_are_part_of_the_version():
    versions = {object_forecaster("c", "sktime", Croston(smoothing=share)).version for share in (0.1, 0.2, 0.2)}
    assert len(versions) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [("NaiveForcaster", r"did you mean NaiveForecaster"), ("Prophet", r"'prophet'"), ("Nothing", "has no 'Nothing'")],
)
def test_what_cannot_be_had_is_refused(name, message):
    with pytest.raises(SettingsError, match=message):
        library_forecaster(f"sktime:{name}")


def test_another_kind_of_estimator_is_refused():
    from sktime.transformations.series.difference import Differencer

    with pytest.raises(SettingsError, match="is no forecaster of sktime"):
        object_forecaster("d", "sktime", Differencer())
