"""Models of statsforecast give what the library gives when it is used directly."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import attrs
import numpy as np
import pytest
from statsforecast import models

from pulse_adapters.forecasters.libraries import library_forecaster
from pulse_adapters.forecasters.statsforecast_models import IntervalModel, statsforecast_model
from pulse_core.forecasters.base import Values
from tests.unit.forecasters.walks import histories, in_units, walk

SERIES = walk(42)
FORWARDS = ("AutoARIMA", "AutoETS", "Theta", "Naive")
OTHERS = ("SeasonalNaive", "RandomWalkWithDrift", "HistoricAverage")


def hindcast(class_name: str, season: int | None = None, refit_every: int = 1) -> list[list[float]]:
    forecaster = library_forecaster(f"statsforecast:{class_name}", season, refit_every)
    forecasts: list[list[float]] = in_units(forecaster.hindcast(histories(SERIES, first=39), 3)).tolist()
    return forecasts


@pytest.mark.parametrize("class_name", FORWARDS + OTHERS)
def test_refitted_at_each_origin_it_is_the_library_s_own_forecast(class_name) -> None:
    season = {"season_length": 1} if class_name == "SeasonalNaive" else {}
    direct = [getattr(models, class_name)(**season).forecast(SERIES[:n], 3)["mean"] for n in range(39, 43)]
    assert hindcast(class_name) == [list(forecast) for forecast in direct]


@pytest.mark.parametrize("class_name", ["AutoETS", "Theta", "SeasonalNaive", "HoltWinters", "MSTL"])
def test_the_season_is_the_library_s_season_length(class_name) -> None:
    direct = [getattr(models, class_name)(season_length=4).forecast(SERIES[:n], 3)["mean"] for n in range(39, 43)]
    assert hindcast(class_name, season=4) == [list(forecast) for forecast in direct]


@pytest.mark.parametrize("class_name", FORWARDS)
def test_between_refits_the_fitted_parameters_meet_the_new_values(class_name) -> None:
    kind = getattr(models, class_name)
    first, last = kind().fit(SERIES[:39]), kind().fit(SERIES[:42])
    between = [first.forward(SERIES[:n], 3)["mean"] for n in (40, 41)]
    direct = [first.predict(3)["mean"], *between, last.predict(3)["mean"]]
    assert hindcast(class_name, refit_every=3) == [list(forecast) for forecast in direct]


@pytest.mark.parametrize("class_name", ["ARIMA", "AutoARIMA", *OTHERS, "Naive"])
@pytest.mark.parametrize("refit_every", [1, 2])
def test_the_quantiles_are_the_ends_of_the_library_s_intervals(class_name, refit_every) -> None:
    forecaster = library_forecaster(f"statsforecast:{class_name}", None, refit_every)
    assert forecaster.brings_quantiles
    quoted = in_units(forecaster.hindcast_quantiles(histories(SERIES, first=41), 3))
    season = {"season_length": 1} if class_name == "SeasonalNaive" else {}
    said = getattr(models, class_name)(**season).forecast(SERIES[:41], 3, level=[50, 80, 90, 95])
    ends = ("mean", "lo-95", "lo-90", "lo-80", "lo-50", "mean", "hi-50", "hi-80", "hi-90", "hi-95")
    np.testing.assert_allclose(quoted[:, 0], [said[end] for end in ends], rtol=1e-12)
    assert (np.diff(quoted[1:], axis=0) >= 0).all()
    np.testing.assert_array_equal(quoted[0], in_units(forecaster.hindcast(histories(SERIES, first=41), 3)))


@pytest.mark.parametrize("class_name", ["SimpleExponentialSmoothingOptimized", "Theta", "AutoETS"])
def test_a_model_without_intervals_by_formula_brings_no_quantiles(class_name) -> None:
    assert not library_forecaster(f"statsforecast:{class_name}").brings_quantiles


class Patchy:
    """Has no upper end of its widest interval at the second step."""

    def fit(self, history: Values) -> Patchy:
        return self

    def predict(self, horizon: int, level: Sequence[int]) -> dict[str, Values]:
        said = {f"{side}-{size}": np.zeros(horizon) for side in ("lo", "hi") for size in level}
        said["hi-95"][1] = np.inf
        return said | {"mean": np.zeros(horizon)}


def test_a_step_without_an_end_of_an_interval_has_no_quantiles() -> None:
    model = IntervalModel(Patchy, {})
    assert np.isnan(model.quantiles(model.fit(SERIES), SERIES, 3)).tolist() == [[False, True, False]] * 9


@pytest.mark.parametrize("class_name", OTHERS)
def test_a_model_that_cannot_go_forward_is_fitted_again(class_name) -> None:
    assert hindcast(class_name, refit_every=3) == hindcast(class_name)


def test_a_revised_history_is_not_taken_for_the_fitted_one() -> None:
    model = statsforecast_model("Naive", None)
    revised = np.append(SERIES[:-1], 7.0)
    assert model.predict(model.fit(SERIES), revised, 1).tolist() == [7.0]


@pytest.mark.parametrize("class_name", ["HoltWinters", "MSTL"])
def test_a_model_of_seasons_asks_for_one(class_name) -> None:
    with pytest.raises(ValueError, match="it needs a season of at least 2 steps"):
        statsforecast_model(class_name, 1)
    forecasters = (library_forecaster(f"statsforecast:{name}") for name in (class_name, "AutoETS"))
    assert [forecaster.seasons_needed for forecaster in forecasters] == [1, 0]


@pytest.mark.parametrize("class_name", ["AutoETS", "SeasonalNaive", "HoltWinters"])
def test_a_model_takes_the_shortest_season_of_the_variable(class_name) -> None:
    of_variable = attrs.evolve(histories(SERIES, first=39), seasons=(4, 28))
    own = library_forecaster(f"statsforecast:{class_name}").hindcast(of_variable, 3)
    given = library_forecaster(f"statsforecast:{class_name}", season=4).hindcast(of_variable, 3)
    assert own.tobytes() == given.tobytes()


def test_the_version_is_the_library_s_with_the_season() -> None:
    library = f"statsforecast {version('statsforecast')}"
    assert statsforecast_model("AutoETS", None).version.endswith(library)
    assert statsforecast_model("AutoETS", 12).version.endswith(f"{library}, season_length=12")
