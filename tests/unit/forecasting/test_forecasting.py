"""What a trained run says of the next steps: what a longer run quotes at the same moment, to the bit."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pulse_core import Observations, RunSpec
from pulse_core.data.known_at import resolve_known_at
from pulse_core.data.point_in_time import point_in_time
from pulse_core.errors import InvalidSpec, TooLittleData
from pulse_core.levels import LEVELS
from pulse_core.results import TRUST
from pulse_core.runs.forecasting import Forecasting, Forecasts, Trained, VariableForecast
from pulse_core.scores.verdict import BETTER, OPEN, WORSE
from tests.fakes import FakeSink, FakeStore
from tests.strategies import replayed, whole_for
from tests.unit.core.models import CUSTOM, OnlyAbove, custom
from tests.unit.core.runs import day, ended, known, quotes, series, spec_of

Quoted = dict[tuple[str, int], tuple[bytes, ...]]


def trained(spec: RunSpec, *observations: Observations) -> Trained:
    """What a run of this spec says of its data."""
    rows = {
        member.variable: resolve_known_at(member, spec.known_at, spec.last_day).by(spec.last_day)
        for member in observations
    }
    return Trained(spec, {name: f"sha256:{member.known.fingerprint()}" for name, member in rows.items()})


def forecast(spec: RunSpec, *observations: Observations, as_of: date | None = None, **fields: Any) -> Forecasts:
    """Forecast with fakes from all rows."""
    store = FakeStore({member.variable: member for member in observations})
    ports: dict[str, Any] = {"store": store, "sink": FakeSink()}
    run = trained(spec, *(member for member in observations if member.variable in spec.variables))
    return Forecasting(**ports | fields).execute(run, as_of or max(spec.last_day, date(2040, 1, 1)))


def quoted(forecast: VariableForecast) -> Quoted:
    """The bits of all that was said, by forecaster and horizon, where there is a forecast."""
    probability, effective, *evidence = (
        forecast.trust[..., TRUST.index(name)] for name in ("probability", "n_effective", "log10_e", "log10_e_against")
    )
    assert np.isnan(probability).tolist() == np.isnan(effective).tolist()
    others = np.array([name != forecast.benchmark for name in forecast.forecasters])[:, None]
    # where nothing was compared yet a table says that nothing was bet
    in_favour, against = (np.where(np.isnan(log10_e) & others, 0.0, log10_e) for log10_e in evidence)
    return {
        (name, ahead + 1): tuple(
            value.tobytes()
            for value in (
                forecast.point[row, ahead],
                *forecast.quantiles[:, row, ahead],
                forecast.weights[row, ahead],
                probability[row, ahead],
                in_favour[row, ahead],
                against[row, ahead],
            )
        )
        for row, name in enumerate(forecast.forecasters)
        for ahead in range(forecast.point.shape[1])
        if np.isfinite(forecast.point[row, ahead])
    }


def hindcast(rows: dict[Any, dict[str, Any]], moment: np.datetime64) -> Quoted:
    """The same of a run's hindcasts at a moment."""
    columns = ("point", *(f"q{level}" for level in LEVELS), "weight", "trust", "log10_e", "log10_e_against")
    at = moment.astype("datetime64[us]").item()
    return {(key[1], key[2]): tuple(row[column] for column in columns) for key, row in rows.items() if key[3] == at}


@st.composite
def continued(draw: st.DrawFn) -> tuple[Observations, RunSpec, np.datetime64, date]:
    """A series, the spec of a run over all of it, the moment of one of its origins, and a day up to it."""
    observations = draw(replayed())
    spec = attrs.evolve(draw(whole_for(observations)), batch_limit=None, known_at="auto", end=date(2040, 1, 1))
    spec = attrs.evolve(spec, batch_size_days=max(spec.batch_size_days, 5))
    try:
        moments = point_in_time(observations, spec).origin_known_at
    except TooLittleData:
        moments = np.zeros(0, "datetime64[us]")
    moments = moments[moments >= np.datetime64(spec.start, "us")]
    assume(len(moments))
    moment = moments[draw(st.integers(0, len(moments) - 1))]
    earliest = (moment.astype("datetime64[D]").item() - spec.start).days
    return observations, spec, moment, spec.start + timedelta(days=draw(st.integers(0, earliest)))


@settings(max_examples=40)
@given(continued())
def test_a_forecast_is_the_hindcast_of_a_run_that_goes_on(law):
    observations, spec, moment, last = law
    rows = quotes(observations, spec)
    assume(rows)  # a run whose data cannot fill its horizon is refused whole
    (newest,) = forecast(attrs.evolve(spec, end=last), observations.known_by(moment)).variables
    assert quoted(newest) == hindcast(rows, moment)


def walk(count: int = 120, variable: str = "x", seed: int = 7) -> Observations:
    return series(100 + np.cumsum(np.random.default_rng(seed).normal(size=count)), variable)


def small(*variables: str, days: int = 60, **fields: Any) -> RunSpec:
    defaults: dict[str, Any] = {"forecasters": ("naive", "ses", "mean", "ensemble"), "horizon": 3}
    return spec_of(*variables, days=days, **defaults | fields)


def test_a_forecaster_called_origin_by_origin_is_run_too_and_what_it_says_of_origins_is_recorded():
    observations, spec = walk(70), small(forecasters=("naive", CUSTOM.name, "ensemble"))
    sink = FakeSink()
    (newest,) = forecast(spec, observations, sink=sink, forecasters=(CUSTOM,)).variables
    going_on = attrs.evolve(spec, end=date(2040, 1, 1), batch_limit=None)
    assert quoted(newest) == hindcast(quotes(observations, going_on, CUSTOM), observations.timestamps[-1])
    before = set(sink.records)
    forecast(spec, observations, sink=sink, forecasters=(CUSTOM,))
    assert before
    assert set(sink.records) == before


class Halfway:
    """Naive, and quantiles around half the newest value."""

    def forecast(self, history: Any, horizon: int) -> list[float]:
        return [history[-1]] * horizon

    def quantiles(self, history: Any, horizon: int) -> Any:
        return [[history[-1] / 2 + level] * horizon for level in range(9)]


def test_custom_quantiles_are_forecast_as_they_are_and_after_calibration():
    observations, forecaster = walk(70), custom(Halfway())
    spec = small(forecasters=("naive", forecaster.name, f"{forecaster.name}+quantiles", "ensemble"))
    (newest,) = forecast(spec, observations, forecasters=(forecaster,)).variables
    going_on = attrs.evolve(spec, end=date(2040, 1, 1), batch_limit=None)
    assert quoted(newest) == hindcast(quotes(observations, going_on, forecaster), observations.timestamps[-1])
    np.testing.assert_allclose(newest.quantiles[:, 2, 0], observations.values[-1] / 2 + np.arange(9))


REVISED = known([*((number, float(number % 7), number) for number in range(40)), (38, 50.0, 45)])
"""Forty days, and a revision of one of the last on which nothing new came."""


@pytest.mark.parametrize("custom", [(), (CUSTOM,)])
def test_a_revision_that_came_last_is_forecast_from(custom):
    spec = small(days=30, forecasters=("naive", "mean", *(forecaster.name for forecaster in custom)))
    (newest,) = forecast(spec, REVISED, forecasters=custom).variables
    mean = (REVISED.values[:40].sum() - REVISED.values[38] + 50.0) / 40
    assert (newest.known_at, newest.timestamp) == (day(45), day(39))
    np.testing.assert_allclose(newest.point[:2], [[39 % 7] * 3, [mean] * 3])
    if custom:
        np.testing.assert_allclose(newest.point[2], [(37 % 7 + 50 + 39 % 7) / 3] * 3)


def test_a_revision_that_came_last_is_no_origin_that_hindcasts_per_origin_record():
    spec = small(days=30, forecasters=("naive", CUSTOM.name))
    sinks = FakeSink(), FakeSink()
    forecast(spec, REVISED, sink=sinks[0], forecasters=(CUSTOM,))
    quotes_of = attrs.evolve(spec, end=day(45).astype("datetime64[D]").item())
    ended([REVISED], quotes_of, sink=sinks[1], forecasters=[CUSTOM])
    records = {key: record for key, record in sinks[1].records.items() if key in sinks[0].records}
    assert records == sinks[0].records


def test_variables_stand_side_by_side_without_touching_each_other():
    members = [walk(60 + 10 * number, f"v{number}", number) for number in range(4)]
    spec = small(*(member.variable for member in members))
    together = forecast(spec, *members)
    alone = [forecast(attrs.evolve(spec, variables=(member.variable,)), member).variables[0] for member in members]
    assert together.variables == tuple(alone)
    assert [forecast(spec, *members[::-1]).variables, forecast(spec, *members).variables] == [together.variables] * 2


def test_a_changed_row_of_the_runs_own_history_is_refused():
    observations, spec = walk(80), small()
    changed = attrs.evolve(observations, values=np.append(observations.values[0] + 1, observations.values[1:]))
    store, at_end = FakeStore({"x": changed}), trained(spec, observations)
    (failure,) = Forecasting(store=store, sink=FakeSink()).execute(at_end, date(2040, 1, 1)).failures
    assert failure.kind == "HistoryChanged"
    assert "60 rows known by the run's end" in failure.message


def test_a_changed_history_can_be_allowed():
    observations, spec = walk(80), small()
    changed = attrs.evolve(observations, values=np.append(observations.values[0] + 1, observations.values[1:]))
    store, at_end = FakeStore({"x": changed}), trained(spec, observations)
    (newest,) = (
        Forecasting(store=store, sink=FakeSink(), allow_changed_history=True)
        .execute(at_end, date(2040, 1, 1))
        .variables
    )
    assert quoted(newest) == hindcast(
        quotes(changed, attrs.evolve(spec, end=date(2040, 1, 1))), observations.timestamps[-1]
    )


def test_dates_that_read_otherwise_with_the_new_rows_are_refused():
    stamps = np.arange("2020-01", "2021-09", dtype="datetime64[M]").astype("datetime64[us]")
    observations = Observations("x", stamps, np.arange(20.0))
    spec = attrs.evolve(small(), end=date(2020, 10, 15))  # too few months to be read as monthly by then
    (failure,) = forecast(spec, observations).failures
    assert failure.kind == "HistoryChanged"
    assert "'period-end (1 months)'" in failure.message
    assert "by 'timestamp'" in failure.message


def test_a_predictor_whose_history_changed_is_refused_as_well():
    observations, predictor = walk(80), walk(80, "other", 3)
    spec = small("x", "other", predictors=("other",), forecasters=("naive", "ridge"))
    at_end = trained(spec, observations, walk(80, "other", 4))
    store = FakeStore({"x": observations, "other": predictor})
    failures = Forecasting(store=store, sink=FakeSink()).execute(at_end, date(2040, 1, 1), ["x"]).failures
    assert [(failure.variable, failure.kind) for failure in failures] == [("x", "HistoryChanged")]


def test_a_variable_that_fails_leaves_the_others():
    observations, missing = walk(80), walk(80, "other")
    spec = small("x", "other")
    store = FakeStore({"x": observations})
    forecasts = Forecasting(store=store, sink=FakeSink()).execute(
        trained(spec, observations, missing), date(2040, 1, 1)
    )
    assert [newest.variable for newest in forecasts.variables] == ["x"]
    assert [(failure.variable, failure.kind) for failure in forecasts.failures] == [("other", "VariableNotFound")]


def test_a_forecaster_that_fails_on_one_variable_leaves_the_others():
    faulty = custom(OnlyAbove(ValueError("no")))
    members = series([50.0, 60, 70] * 20, "low"), series([150.0, 60, 70] * 20, "high")
    spec = small("low", "high", days=30, forecasters=("naive", faulty.name))
    forecasts = forecast(spec, *members, forecasters=(faulty,))
    assert [newest.variable for newest in forecasts.variables] == ["low"]
    assert [(failure.variable, failure.kind) for failure in forecasts.failures] == [("high", "ForecasterFailed")]


def test_what_a_run_did_not_train_or_has_behind_it_is_refused_at_once():
    with pytest.raises(InvalidSpec) as refused:
        Forecasting(store=FakeStore({}), sink=FakeSink()).execute(trained(small(), walk()), date(2020, 1, 2), ["y"])
    assert refused.value.problems == (
        "variables: the run did not train 'y'",
        "as_of: 2020-01-02 is before the run's last day, 2020-02-29",
    )


def test_rows_after_the_day_asked_for_are_not_used():
    observations, spec = walk(80), small()
    (newest,) = forecast(spec, observations, as_of=date(2020, 3, 5)).variables
    (same,) = forecast(spec, series(observations.values[:65])).variables
    assert newest.timestamp == day(64)
    assert newest.fresh == 5
    assert same == newest


def test_the_steps_to_come_bear_the_dates_of_the_calendar():
    (newest,) = forecast(small(), walk(80)).variables
    assert newest.targets.tolist() == [day(80).item(), day(81).item(), day(82).item()]


def test_trust_stands_beside_the_benchmark_that_has_none():
    (newest,) = forecast(small(forecasters=("naive", "drift", "mean")), walk(80)).variables
    probability, low, rate, high = (
        newest.trust[..., TRUST.index(name)] for name in ("probability", "win_rate_low", "win_rate", "win_rate_high")
    )
    assert np.isnan(newest.trust[0]).all()
    assert ((probability[1:] > 0) & (probability[1:] < 1)).all()
    assert ((low[1:] <= rate[1:]) & (rate[1:] <= high[1:]) & (low[1:] < high[1:])).all()


@settings(max_examples=50)
@given(continued())
def test_a_forecast_has_the_trust_and_verdicts_of_a_run_that_ends_at_its_moment(law):
    observations, spec, moment, last = law
    day_of_moment = moment.astype("datetime64[D]").item()
    result = ended(observations.known_by(moment), attrs.evolve(spec, end=day_of_moment))
    if not result.variables:  # it is too early to fill the horizon
        return
    (summary,) = result.variables
    (newest,) = forecast(attrs.evolve(spec, end=last), observations.known_by(moment)).variables
    assert (newest.benchmark, newest.span) == (summary.benchmark, summary.span)
    assert newest.trust.tobytes() == summary.trust.tobytes()
    assert newest.verdicts.tolist() == summary.verdicts.tolist()


def test_a_forecast_tells_who_is_better_and_who_is_worse():
    numbers = np.arange(300.0) + np.random.default_rng(5).normal(size=300)
    spec = small(days=100, horizon=1, forecasters=("naive", "mean", "drift"))
    (newest,) = forecast(spec, series(numbers)).variables
    assert newest.verdicts[:, 0].tolist() == [OPEN, WORSE, BETTER]
