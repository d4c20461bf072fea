"""Settings become a spec; its problems are told in the words of the settings."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core.spec import DEFAULT_FORECASTERS, RunSpec
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.layers import read_settings
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring.defaults import DataDefaults
from pulse_entrypoints.wiring.specification import SampleFacts, run_spec

TODAY = date(2024, 2, 29)
SAMPLE = SampleFacts(("a", "b"), date(2018, 12, 31))


def spec_of(environment: dict[str, str] | None = None, **values: str) -> tuple[RunSpec | None, list[str]]:
    typed = CommandLine({name: text.split() for name, text in values.items()})
    layered = read_settings(typed, environment or {}, TrainSettings)
    chosen = run_spec(layered, TODAY, lambda: SAMPLE, DataDefaults(None))
    return chosen.spec, list(chosen.problems)


def sound(**values: str) -> RunSpec:
    spec, problems = spec_of(None, **values)
    assert problems == []
    assert spec is not None
    return spec


def test_without_anything_said_the_period_ends_today() -> None:
    spec = sound()
    assert spec.variables == ("spx_close", "us_10y_yield")
    assert (spec.start, spec.end) == (date(2022, 1, 1), TODAY)
    assert spec.forecasters == DEFAULT_FORECASTERS


def test_the_sample_is_taken_whole_over_its_last_ten_years() -> None:
    spec = sound(data="sample")
    assert spec.variables == ("a", "b")
    assert (spec.start, spec.end) == (date(2009, 1, 1), date(2018, 12, 31))


def test_with_the_sample_what_is_said_counts() -> None:
    spec = sound(data="sample", variables="a", end_date="2016-02-29")
    assert (spec.variables, spec.start, spec.end) == (("a",), date(2006, 3, 1), date(2016, 2, 29))


@pytest.mark.parametrize(
    "values", [{}, {"data": ["sample"], "variables": ["a"], "start_date": ["2016-01-01"], "end_date": ["2016-02-29"]}]
)
def test_where_no_default_comes_from_the_sample_its_facts_are_not_read(values) -> None:
    def fail() -> SampleFacts:
        raise AssertionError

    run_spec(read_settings(CommandLine(values), {}, TrainSettings), TODAY, fail, DataDefaults(None))


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"start_date": "2024-03-01"}, "--start-date 2024-03-01 is after --end-date 2024-02-29"),
        ({"batch_size_days": "-5"}, "--batch-size-days: -5 must be a whole number of at least 1"),
        ({"batch_limit": "0"}, "--batch-limit: 0 must be a whole number of at least 1"),
        ({"horizon": "0"}, "--horizon: 0 must be a whole number of at least 1"),
        ({"trust_half_life": "nan"}, "--trust-half-life: nan must be a number of origins from 1 to 1,000,000"),
        ({"trust_span": "0"}, "--trust-span: 0 must be a whole number of at least 1"),
        ({"variables": "a b a"}, "--variables: 'a' is named twice"),
        ({"forecasters": "naive naive"}, "--forecasters: 'naive' is named twice"),
        ({"refit_every": "-1"}, "--refit-every: -1 must be a whole number of at least 1"),
        ({"predictors": "a b a"}, "--predictors: 'a' is named twice"),
        ({"predictors": "a b c d e f g h i"}, "--predictors: 9 are named; at most 8"),
        ({"forecasters": "naive ridge"}, "--forecasters: 'ridge' needs predictors; name at least one"),
        ({"known_at": "+d"}, "--known-at: '+d' is none of auto, timestamp, period-end, +Nd"),
    ],
)
def test_a_problem_of_the_spec_names_its_option(values, problem) -> None:
    assert spec_of(**values) == (None, [problem])


def test_the_method_is_chosen_by_options() -> None:
    chosen = {"season": "12", "calibration": "empirical", "trust_loss": "CRPS", "refit_every": "5", "predictors": "a b"}
    spec = sound(**chosen)
    assert (spec.season.periods, spec.calibration, spec.trust_loss, spec.refit_every) == ((12,), "empirical", "crps", 5)
    assert spec.predictors == ("a", "b")
    assert (spec.trust_half_life, spec.trust_span) == (500.0, None)
    assert {"seasonal-naive", "seasonal-theta", "ridge"} < set(spec.forecasters)


def test_a_problem_of_the_spec_names_the_layer_it_came_from() -> None:
    _, problems = spec_of({"PULSE_HORIZON": "-1", "PULSE_START_DATE": "2030-01-01"})
    assert problems == [
        "PULSE_START_DATE in the environment 2030-01-01 is after --end-date 2024-02-29",
        "PULSE_HORIZON in the environment: -1 must be a whole number of at least 1",
    ]


def test_what_a_layer_refused_is_not_told_again() -> None:
    assert spec_of(start_date="soon", end_date="1999-01-01") == (None, [])


@given(st.dates(date(1, 1, 1), date(9999, 12, 30)))
def test_ten_years_before_any_end_is_a_start(end) -> None:
    spec = sound(data="sample", end_date=end.isoformat())
    assert spec.start <= spec.end
    assert (spec.end - spec.start).days <= 3653
