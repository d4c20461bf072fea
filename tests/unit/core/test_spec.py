"""What a run may be asked for, and how it is refused."""

from __future__ import annotations

import json
import pickle
import re
from datetime import UTC, date, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core import BUILT_IN, InvalidSpec, RunSpec, SeasonSetting
from pulse_core.forecasters import registry
from pulse_core.forecasters.registry import COMBINATIONS, resolve
from pulse_core.spec import DEFAULT_FORECASTERS, SEASONAL, TWO_SEASONS
from tests.strategies import specs, whole

SEASONAL_BY_DEFAULT = (
    *("seasonal-naive", "damped-holt-winters", "log-damped-holt-winters", "seasonal-theta", "log-seasonal-theta"),
    *("double-seasonal-naive", "double-seasonal", "log-double-seasonal"),
)
GOOD: dict[str, Any] = {"variables": ("spx_close",), "start": date(2022, 1, 1), "end": date(2022, 12, 31)}

WRONG: dict[str, list[Any]] = {
    "variables": [(), ("",), (" a",), ("a", "a"), ("a\nb",), (3,), ("a\x00",)],
    "start": ["2022-01-01", None, datetime(2022, 1, 1, tzinfo=UTC), 20220101],
    "end": ["2022-12-31", None, datetime(2022, 12, 31, tzinfo=UTC), date(2021, 12, 31)],
    "batch_size_days": [0, -1, 1.5, True, "30", None, 100_001],
    "batch_limit": [0, -1, 1.0, False, "2", 100_001],
    "horizon": [0, -5, 2.0, True, None, 100_001],
    "forecasters": [(), ("naive", "naive"), ("",), ("drift ",)],
    "benchmark": ["", "  ", None, 7],
    "min_history": [0, -1, 2.5, True, "auto", 100_001],
    "trust_half_life": [0, 0.9, -1, 1_000_001, float("nan"), float("inf"), "500", None, True],
    "trust_span": [0, -1, 1.5, True, "250", 100_001],
    "known_at": ["", "never", "+d", "+-1d", "5d", "+1.5d", "+1D", None, 3],
    "actuals": ["", "newest", None, "First"],
    "target": ["", "returns", None, "log_change"],
    "season": [
        0,
        -1,
        1.5,
        True,
        "12",
        "monthly",
        "",
        10_000,
        (),
        (12, 12),
        (4, 12, 52),
        (0, 12),
        ("7",),
        {"a": 0},
        {3: 12},
    ],
    "calibration": ["", "normal", None, "Conformal"],
    "trust_loss": ["", "squared", None, "CRPS"],
    "refit_every": [0, -1, 1.5, True, "2", None, 100_001],
    "predictors": [("",), (" a",), ("a", "a"), (3,), ("a\nb",), tuple("abcdefghi")],
}


def problems_of(**fields: Any) -> tuple[str, ...]:
    try:
        RunSpec(**GOOD | fields)
    except InvalidSpec as error:
        return error.problems
    return ()


def named(problem: str, field: str) -> bool:
    return re.match(rf"{field}\b", problem) is not None or f" {field} " in problem


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, several in WRONG.items() for value in several], ids=repr
)
def test_a_wrong_field_is_refused_by_its_name(field, value):
    problems = problems_of(**{field: value})
    assert len(problems) == 1
    assert named(problems[0], field)


@given(
    st.lists(st.sampled_from(sorted(WRONG)), min_size=1, unique=True).flatmap(
        lambda fields: st.fixed_dictionaries({field: st.sampled_from(WRONG[field]) for field in fields})
    )
)
def test_all_wrong_fields_are_refused_together(values):
    problems = problems_of(**values)
    start_is_no_date = "start" in values
    for field in values:
        if field == "end" and start_is_no_date and type(values["end"]) is date:
            continue  # an order of dates needs two dates
        assert any(named(problem, field) for problem in problems), (field, problems)


def test_ridge_without_predictors_is_refused():
    assert problems_of(forecasters=("naive", "ridge")) == ("forecasters: 'ridge' needs predictors; name at least one",)


def test_every_problem_stands_in_the_error_s_text():
    error = InvalidSpec(["one thing", "another thing"])
    assert "one thing" in str(error)
    assert "another thing" in str(error)


def test_one_text_is_no_list_of_variables():
    with pytest.raises(TypeError, match="spx_close"):
        RunSpec(**GOOD | {"variables": "spx_close"})


@given(specs(targets=("level", "change", "log-change")).flatmap(lambda spec: whole(spec, ("y", "z"))))
def test_a_spec_survives_a_round_trip_through_json(spec):
    assert RunSpec.from_document(json.loads(json.dumps(spec.to_document()))) == spec


@given(specs().flatmap(whole))
def test_a_spec_survives_pickling(spec):
    assert pickle.loads(pickle.dumps(spec)) == spec


@given(specs().flatmap(whole))
def test_the_run_id_survives_a_round_trip(spec):
    assert RunSpec.from_document(spec.to_document()).run_id == spec.run_id


def test_equal_specs_have_the_same_short_run_id():
    spec = RunSpec(variables=("a",), start=date(2022, 1, 1), end=date(2022, 1, 31))
    again = RunSpec(variables=["a"], start=date(2022, 1, 1), end=date(2022, 1, 31))
    assert spec.run_id == again.run_id
    assert len(spec.run_id) == 16
    assert set(spec.run_id) <= set("0123456789abcdef")


OTHER: dict[str, Any] = {
    "variables": ("spx_close", "wti_price"),
    "start": date(2022, 1, 2),
    "end": date(2022, 12, 30),
    "batch_size_days": 31,
    "batch_limit": 3,
    "horizon": 4,
    "forecasters": ("naive", "drift"),
    "benchmark": "drift",
    "min_history": 31,
    "trust_half_life": 250.0,
    "trust_span": 60,
    "known_at": "timestamp",
    "actuals": "latest",
    "target": "change",
    "season": 5,
    "calibration": "empirical",
    "trust_loss": "crps",
    "refit_every": 2,
    "predictors": ("wti_price",),
}


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(RunSpec)])
def test_the_run_id_follows_every_field(field):
    assert RunSpec(**GOOD | {field: OTHER[field]}).run_id != RunSpec(**GOOD).run_id


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(RunSpec)])
def test_a_document_holds_every_field(field):
    assert field in RunSpec(**GOOD).to_document()


def test_fields_that_a_document_lacks_or_has_too_many_of_are_all_named():
    with pytest.raises(InvalidSpec) as raised:
        RunSpec.from_document({"variables": ["a"], "begin": "2022-01-01", "until": "2022-02-01"})
    assert {"'begin'", "'until'", "'start'", "'end'"} == {problem.split()[0] for problem in raised.value.problems}


@pytest.mark.parametrize("text", ["01/02/2022", "2022-13-01", 5, None])
def test_a_date_of_a_document_that_is_none_is_refused(text):
    document = RunSpec(**GOOD).to_document() | {"start": text}
    with pytest.raises(InvalidSpec, match="ISO"):
        RunSpec.from_document(document)


@pytest.mark.parametrize(
    ("names", "resolved"),
    [(("mean", "naive"), ("mean", "naive")), (("mean", "ses"), ("naive", "mean", "ses"))],
)
def test_the_benchmark_is_among_the_forecasters(names, resolved):
    assert RunSpec(**GOOD | {"forecasters": names}).forecasters == resolved


@pytest.mark.parametrize(
    ("fields", "added"),
    [
        ({}, SEASONAL_BY_DEFAULT),
        ({"season": 7}, SEASONAL_BY_DEFAULT),
        ({"season": {"*": None, "a": 7}}, SEASONAL_BY_DEFAULT),
        ({"season": None}, ()),
        ({"predictors": ("a",)}, (*SEASONAL_BY_DEFAULT, "ridge")),
        ({"season": None, "predictors": ("a", "b")}, ("ridge",)),
    ],
    ids=str,
)
def test_the_default_list_has_seasonal_forecasters_unless_no_variable_has_a_season(fields, added):
    forecasters = RunSpec(**GOOD | fields).forecasters
    others = tuple(name for name in DEFAULT_FORECASTERS[:-3] if name not in SEASONAL_BY_DEFAULT)
    assert forecasters == (*others, *added, "mean-of-all", "median-of-all", "ensemble")


def test_a_season_and_predictors_add_nothing_to_forecasters_that_were_named():
    assert RunSpec(**GOOD | {"forecasters": ("naive", "ar"), "season": 4, "predictors": ("a",)}).forecasters == (
        "naive",
        "ar",
    )


@pytest.mark.parametrize("fields", [{"horizon": 2}, {"season": None}, {"season": 9}, {"predictors": ()}], ids=str)
def test_what_a_season_and_predictors_added_stays_where_another_field_changes(fields):
    spec = RunSpec(**GOOD | {"season": 4, "predictors": ("a",)})
    if fields == {"predictors": ()}:
        with pytest.raises(InvalidSpec, match="needs predictors"):
            attrs.evolve(spec, **fields)
    else:
        assert attrs.evolve(spec, **fields).forecasters == spec.forecasters


@pytest.mark.parametrize("season", [4, None], ids=str)
def test_a_season_that_is_given_later_makes_the_same_spec(season):
    late, early = attrs.evolve(RunSpec(**GOOD), season=season), RunSpec(**GOOD | {"season": season})
    assert late == early
    assert late.run_id == early.run_id


@pytest.mark.parametrize(
    ("value", "document"),
    [
        ("auto", "auto"),
        ("AUTO", "auto"),
        ("none", "none"),
        (None, "none"),
        (12, [12]),
        ((168, 24), [24, 168]),
        ([24, 168], [24, 168]),
        (SeasonSetting((7,)), [7]),
        ({"sales": 7}, {"*": "auto", "sales": [7]}),
        ({"*": "none", "b": "auto", "a": [24, 168]}, {"*": "none", "a": [24, 168], "b": "auto"}),
    ],
    ids=str,
)
def test_a_season_is_read_from_what_its_document_says(value, document):
    spec = RunSpec(**GOOD | {"season": value})
    assert spec.to_document()["season"] == document
    assert RunSpec.from_document(json.loads(json.dumps(spec.to_document()))) == spec


def test_a_variable_that_is_not_named_has_the_season_of_all_others():
    season = RunSpec(**GOOD | {"season": {"*": 12, "a": "none", "b": "auto", "c": (24, 168)}}).season
    assert [season.of(name) for name in "abcd"] == [(), None, (24, 168), (12,)]


def test_a_wrong_season_is_told_with_what_is_expected_and_its_variable():
    (problem,) = problems_of(season={"*": 12, "sales": "weekly"})
    assert problem == (
        "season: of 'sales': expected auto, none, or one or two different whole numbers of at least 1, such as 12 or "
        "24,168, got 'weekly'"
    )


@pytest.mark.parametrize(
    ("benchmark", "names", "resolved"),
    [
        ("seasonal-naive", ("ses",), ("naive", "seasonal-naive", "ses")),
        ("holt-winters", ("ses", "naive"), ("holt-winters", "ses", "naive")),
        ("seasonal-naive(7)", ("ses",), ("seasonal-naive(7)", "ses")),
    ],
)
def test_naive_is_there_to_take_the_place_of_a_benchmark_with_each_variable_s_season(benchmark, names, resolved):
    assert RunSpec(**GOOD | {"forecasters": names, "benchmark": benchmark}).forecasters == resolved


@pytest.mark.parametrize(
    "fields",
    [{"season": 7}, {"predictors": ("a",)}, {"benchmark": "ses", "forecasters": ("mean",)}, {"benchmark": "m:Own"}],
    ids=str,
)
def test_a_spec_that_names_what_was_added_is_the_same_spec(fields):
    spec = RunSpec(**GOOD | fields)
    named_all = RunSpec(**GOOD | fields | {"forecasters": spec.forecasters})
    assert named_all == spec
    assert named_all.run_id == spec.run_id
    assert attrs.evolve(spec) == spec
    assert hash(attrs.evolve(spec)) == hash(spec)


@pytest.mark.parametrize("fields", [{}, {"season": 7}, {"predictors": ("a",)}], ids=str)
def test_a_document_names_all_forecasters_that_the_run_has(fields):
    spec = RunSpec(**GOOD | fields)
    assert tuple(spec.to_document()["forecasters"]) == spec.forecasters


def test_every_forecaster_of_a_default_list_is_there():
    spec = RunSpec(**GOOD | {"season": 4, "predictors": ("a",)})
    assert resolve(spec.forecasters).names == spec.forecasters


def test_the_default_list_is_built_in():
    built_in = {forecaster.name for forecaster in BUILT_IN} | {combination.name for combination in COMBINATIONS}
    assert built_in | {"ensemble", *SEASONAL_BY_DEFAULT} == set(DEFAULT_FORECASTERS)
    assert tuple(name for name in (*SEASONAL, *TWO_SEASONS) if name != "holt-winters") == SEASONAL_BY_DEFAULT


def test_the_registry_has_the_seasonal_forecasters_of_the_default_list():
    assert tuple(registry.SEASONAL) == SEASONAL
    assert {make(None).name: make(None).seasons_needed for make in registry.SEASONAL.values()} == dict.fromkeys(
        SEASONAL, 1
    )
    assert [make(7).name for make in registry.SEASONAL.values()] == [f"{name}(7)" for name in SEASONAL]
    assert {make(7).seasons_needed for make in registry.SEASONAL.values()} == {0}
    needed = {forecaster.name: forecaster.seasons_needed for forecaster in registry.TWO_SEASONS}
    assert needed == dict.fromkeys(TWO_SEASONS, 2)


def test_a_period_of_one_day_is_a_period():
    assert problems_of(start=date(2022, 5, 5), end=date(2022, 5, 5)) == ()


@pytest.mark.parametrize("rule", ["auto", "timestamp", "period-end", "+0d", "+45d"])
def test_every_rule_of_known_at_is_taken(rule):
    assert problems_of(known_at=rule) == ()
