"""Runs over variables of different seasons: each pays for what it can use, and all share one axis of forecasters."""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs
import numpy as np
import pytest

from pulse_core import Forecasting, Observations, RunResult, RunSpec, Trained, VariableSummary
from pulse_core.backtest import variable as backtests
from pulse_core.backtest.hindcasts import hindcast
from pulse_core.data.seasons import Seasonality
from pulse_core.forecasters.base import Histories, InPlaceForecaster, Values
from pulse_core.forecasters.registry import resolve
from tests.fakes import FakeSink, FakeStore
from tests.unit.core.runs import run, training

PERIOD: dict[str, Any] = {"start": date(2005, 1, 1), "end": date(2009, 6, 30), "horizon": 2, "batch_size_days": 90}


def series(variable: str, months: int, numbers: Any) -> Observations:
    stamps = (np.datetime64("2000-01", "M") + months * np.arange(len(numbers))).astype("datetime64[us]")
    return Observations(variable, stamps, numbers, stamps)


def noise(count: int, seed: int) -> Any:
    return 50 + np.random.default_rng(seed).normal(size=count).cumsum()


MEMBERS = (
    series("monthly", 1, noise(114, 1) + np.resize([0, 5, -7, 9, 2, -4, 0, 3, -9, 5, 1, 8], 114)),
    series("quarterly", 3, noise(38, 2) + np.resize([0.0, 20, -30, 10], 38)),
    series("walk", 1, noise(114, 3)),
)
NAMES = tuple(member.variable for member in MEMBERS)


def spec_of(*variables: str, **fields: Any) -> RunSpec:
    return RunSpec(variables=variables or NAMES, **PERIOD | fields)


def by_name(result: RunResult) -> dict[str, VariableSummary]:
    assert not result.failures
    return {summary.variable: summary for summary in result.variables}


NEEDED = {forecaster.name: forecaster.seasons_needed for forecaster in resolve(spec_of().forecasters).forecasters}


@pytest.fixture(scope="module")
def mixed() -> dict[str, VariableSummary]:
    return by_name(run(MEMBERS, spec_of()))


def test_each_variable_has_its_own_season_and_the_result_says_why(mixed):
    assert {name: summary.seasonality.periods for name, summary in mixed.items()} == {
        "monthly": (12,),
        "quarterly": (4,),
        "walk": (),
    }
    assert {summary.seasonality.source for summary in mixed.values()} == {"test"}
    assert {name: summary.min_history for name, summary in mixed.items()} == {"monthly": 28, "quarterly": 8, "walk": 28}
    assert mixed["walk"].seasonality.reason.startswith("months: 12 not found (F ")


def test_a_variable_has_the_forecasters_of_the_run_that_its_seasons_are_enough_for(mixed):
    for summary in mixed.values():
        seasons = len(summary.seasonality.periods)
        assert summary.forecasters == tuple(name for name in spec_of().forecasters if NEEDED.get(name, 0) <= seasons)
    assert len(mixed["monthly"].forecasters) > len(mixed["walk"].forecasters) + 4


def test_a_found_season_gives_the_bits_of_a_given_one(mixed):
    given = by_name(run(MEMBERS, spec_of("monthly", season=12)))["monthly"]
    assert given.seasonality == Seasonality((12,), "given", "given by the settings")
    assert attrs.evolve(given, seasonality=mixed["monthly"].seasonality) == mixed["monthly"]


def test_a_variable_without_a_season_has_the_scores_of_a_run_without_seasonal_forecasters(mixed):
    plain = by_name(run(MEMBERS, spec_of("walk", season="none", min_history=28)))["walk"]
    assert mixed["walk"].forecasters == plain.forecasters
    for field in ("scores", "trust", "statistics", "verdicts", "weights"):
        assert getattr(mixed["walk"], field).tobytes() == getattr(plain, field).tobytes()
    assert mixed["walk"].simple == plain.simple == ("naive", "drift")


def test_a_variable_without_a_season_does_not_pay_for_seasonal_forecasters(monkeypatch):
    passes: list[tuple[str, ...]] = []

    def watched(forecasters: Any, *arguments: Any, **named: Any) -> Any:
        passes.append(forecasters.names)
        return hindcast(forecasters, *arguments, **named)

    monkeypatch.setattr(backtests, "hindcast", watched)
    run(MEMBERS, spec_of())
    names = [tuple(name for name in spec_of().forecasters if NEEDED.get(name, 0) <= seasons) for seasons in (1, 1, 0)]
    assert passes == names


def test_the_season_of_a_name_goes_before_that_of_the_variable(mixed):
    fixed = spec_of(forecasters=("naive", "seasonal-naive(12)", "seasonal-naive"))
    for name, summary in by_name(run(MEMBERS, fixed)).items():
        assert np.isfinite(summary.scores[1]).any(axis=-1).all()
        assert ("seasonal-naive" in summary.forecasters) == (name != "walk")
        if name != "walk":
            own, by_hand = summary.scores[2, :, 2], summary.scores[1, :, 2]
            assert (own.tobytes() == by_hand.tobytes()) == (name == "monthly")


@pytest.mark.parametrize("benchmark", ["seasonal-naive", "holt-winters"])
def test_naive_takes_the_place_of_a_benchmark_whose_season_a_variable_has_not(benchmark):
    result = by_name(run(MEMBERS, spec_of(benchmark=benchmark)))
    assert {name: summary.benchmark for name, summary in result.items()} == {
        "monthly": benchmark,
        "quarterly": benchmark,
        "walk": "naive",
    }


def test_a_benchmark_of_a_caller_s_that_needs_a_season_fails_for_no_variable():
    @attrs.frozen
    class OfTheSeason(InPlaceForecaster):
        name: str = "mine"
        version: str = "1"
        seasons_needed: int = 1

        def hindcast_into(self, histories: Histories, out: Values) -> None:
            out[:] = float(histories.seasons[0])

    result = by_name(run(MEMBERS, spec_of(forecasters=("mine", "ses"), benchmark="mine"), forecasters=(OfTheSeason(),)))
    assert {name: summary.benchmark for name, summary in result.items()} == {
        "monthly": "mine",
        "quarterly": "mine",
        "walk": "naive",
    }


def test_the_chosen_benchmark_is_one_that_the_variable_can_use():
    result = by_name(run(MEMBERS, spec_of(benchmark="auto", start=date(2007, 1, 1))))
    assert result["monthly"].benchmark == "seasonal-naive"
    assert result["walk"].benchmark in ("naive", "drift")
    assert result["walk"].simple == ("naive", "drift")


def test_the_bias_of_a_seasonal_benchmark_has_lags_over_the_variable_s_own_season():
    forecasters = resolve(("seasonal-naive", "seasonal-naive(3)", "naive"))
    point = attrs.make_class("Point", {"seasonality": attrs.field(default=Seasonality((12,)))})()
    overlaps = {name: backtests._overlap(forecasters, name, point) for name in forecasters.names}
    assert overlaps == {"seasonal-naive": 12, "seasonal-naive(3)": 3, "naive": 1}


def test_a_season_of_another_variable_is_in_no_key():
    sink = FakeSink()
    run(MEMBERS, spec_of(season={"*": "auto", "quarterly": 4}), sink=sink)
    again = run(MEMBERS, spec_of(season={"*": "auto", "quarterly": (2, 4)}), sink=sink)
    assert (again.units.recalled, again.units.computed) == (2, 1)
    assert by_name(again)["quarterly"].seasonality.periods == (2, 4)


def test_mean_scaled_errors_are_those_of_the_variable_s_season():
    names = ("naive", "seasonal-naive")
    auto, given, none = (
        by_name(run(MEMBERS, spec_of("monthly", season=season, forecasters=names, min_history=28)))["monthly"]
        for season in ("auto", 12, "none")
    )
    assert auto.scores[0].tobytes() == given.scores[0].tobytes()
    assert auto.scores[0, 0, 2] == none.scores[0, 0, 2]  # mae
    assert auto.scores[0, 0, 4] != none.scores[0, 0, 4]  # mase


def test_a_forecast_replays_with_the_season_of_the_run():
    cut, spec = date(2008, 6, 30), spec_of()
    trained = attrs.evolve(spec, end=cut)
    sink = FakeSink()
    result = run(MEMBERS, trained, sink=sink)
    store = FakeStore({member.variable: member for member in MEMBERS})
    fingerprints = {summary.variable: summary.data.fingerprint for summary in result.variables}
    forecasts = Forecasting(store=store, sink=sink).execute(Trained(trained, fingerprints), spec.end)
    assert not forecasts.failures
    for forecast in forecasts.variables:
        assert ("seasonal-naive" in forecast.forecasters) == (forecast.variable != "walk")
        assert np.isfinite(forecast.point).all()
    longer = by_name(run(MEMBERS, spec))
    for forecast in forecasts.variables:
        assert forecast.trust.tobytes() == longer[forecast.variable].trust.tobytes()


def test_training_names_the_unknown_forecaster_and_offers_the_seasonal_ones():
    with pytest.raises(Exception, match="did you mean 'seasonal-naive'"):
        training(*MEMBERS).execute(spec_of(forecasters=("seasonal-naif",)))
