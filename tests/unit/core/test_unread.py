"""Data that were read before, in the same version and for the same end, are not read again; no number shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pulse_core import Observations, RunFailed, RunResult, RunSpec
from pulse_core.data.known_at import resolve_known_at, settled_by
from pulse_core.errors import SinkUnavailable
from pulse_core.forecasters.registry import resolve
from pulse_core.plan import WorkUnit
from pulse_core.ports import Recall
from pulse_core.results import DataSnapshot, VariableScores
from pulse_core.runs.units import UnitTask
from tests.fakes import FakeSink, VersionedStore, Watched
from tests.unit.core.models import custom
from tests.unit.core.runs import FIRST_DAY, known, records_of, series, spec_of, training

ROWS = [(n, float(n * n % 11), n) for n in range(30)]
OTHERS = [(n, float(n % 5), n) for n in range(30)]
TWO = (known(ROWS), known(OTHERS, "y"))
SPEC = spec_of("x", "y", days=30)
SMALL: dict[str, Any] = {"horizon": 1, "min_history": 2, "forecasters": ("naive", "drift"), "batch_size_days": 30}


def store_of(*observations: Observations) -> VersionedStore:
    return VersionedStore({member.variable: member for member in observations})


def execute(store: VersionedStore, sink: FakeSink, spec: RunSpec = SPEC, **fields: Any) -> RunResult:
    store.read_of.clear()
    return training(store=store, sink=sink, **fields).execute(spec)


def monthly(count: int, variable: str = "x") -> Observations:
    """Stamped on the first of each month, without known_at."""
    stamps = (np.datetime64(FIRST_DAY, "M") + np.arange(count)).astype("datetime64[us]")
    return Observations(variable, stamps, [float(n * n % 7) for n in range(count)])


def test_a_run_that_is_repeated_reads_nothing_and_says_the_same():
    store, sink = store_of(*TWO), Watched()
    first = execute(store, sink)
    assert store.read_of == ["x", "y"]
    sink.recalled.clear()
    again = execute(store, sink)
    assert (store.read_of, again.units.recalled) == ([], 2)
    assert (again.variables, again.digest, again.parts) == (first.variables, first.digest, first.parts)
    assert sink.recalled == [DataSnapshot] * 2 + [VariableScores] * 2


def test_what_is_not_recorded_is_looked_for_once():
    sink = Watched()
    execute(store_of(*TWO), sink)
    # what reading gave and scores, of each variable
    assert sink.recalled == [type(None)] * 4


def test_another_spec_of_the_same_data_looks_for_nothing_twice():
    store, sink = store_of(*TWO), Watched()
    execute(store, sink)
    sink.recalled.clear()
    execute(store, sink, attrs.evolve(SPEC, horizon=1))
    assert store.read_of == ["x", "y"]
    # another spec has another group: what reading gave and scores, of each variable
    assert sink.recalled == [type(None)] * 4


def test_a_store_without_versions_is_read_and_nothing_is_remembered_of_it():
    sink = FakeSink()
    training(*TWO, sink=sink).execute(SPEC)
    assert not any(isinstance(record, DataSnapshot) for record in records_of(sink).values())


def test_only_the_variable_that_changed_is_read():
    sink = FakeSink()
    execute(store_of(*TWO), sink)
    changed = store_of(known([*ROWS[:-1], (29, 0.5, 29)]), TWO[1])
    result = execute(changed, sink)
    assert (changed.read_of, result.units.computed, result.units.recalled) == (["x"], 1, 1)
    assert result.variables == execute(changed, FakeSink()).variables


def test_new_rows_that_are_known_after_the_end_are_read_and_the_result_is_recalled():
    sink = FakeSink()
    first = execute(store_of(*TWO), sink)
    grown = store_of(known([*ROWS, (30, 5.0, 30)]), TWO[1])
    for variables in (["x"], []):
        result = execute(grown, sink)
        assert (grown.read_of, result.units.recalled, result.digest) == (variables, 2, first.digest)


def test_other_blanks_in_the_data_show_though_the_result_is_recalled():
    sink = FakeSink()
    execute(store_of(*TWO), sink)
    result = execute(store_of(attrs.evolve(TWO[0], absent=7), TWO[1]), sink)
    assert (result.variables[0].data.absent, result.units.recalled) == (7, 2)


@pytest.mark.parametrize("days", [1, 40])
def test_a_later_end_reads_nothing_of_what_was_all_known(days):
    store, sink = store_of(monthly(30)), FakeSink()
    spec = spec_of("x", days=1_000, **SMALL)
    later = attrs.evolve(spec, end=spec.end + timedelta(days=days))
    execute(store, sink, spec)
    result = execute(store, sink, later)
    assert (store.read_of, result.units.recalled) == ([], 1)
    assert result.variables == execute(store, FakeSink(), later).variables


@pytest.mark.parametrize("end", [20, 29, 31, 50])
def test_another_end_reads_what_was_not_all_known_and_the_records_remember_one_day(end):
    late = known([*ROWS, (10, 3.0, 40)])
    store, sink, spec = store_of(late, TWO[1]), FakeSink(), spec_of("x", "y", days=30)
    other = spec_of("x", "y", days=end)
    execute(store, sink, spec)
    result = execute(store, sink, other)
    assert "x" in store.read_of
    assert result.variables == execute(store, FakeSink(), other).variables
    execute(store, sink, other)
    assert store.read_of == []
    assert len([record for record in records_of(sink).values() if isinstance(record, DataSnapshot)]) == 2


@pytest.mark.parametrize("changed", ["nothing", "the variable", "the predictor"])
def test_of_predictors_too_nothing_is_read_unless_it_changed(changed):
    spec = attrs.evolve(SPEC, variables=("x",), predictors=("y",), forecasters=("naive", "ridge"))
    sink, first, second = FakeSink(), *TWO
    execute(store_of(first, second), sink, spec)
    if changed == "the variable":
        first = known([*ROWS[:-1], (29, 0.5, 29)])
    if changed == "the predictor":
        second = known([*OTHERS[:-1], (29, 0.5, 29)], "y")
    store = store_of(first, second)
    result = execute(store, sink, spec)
    assert (bool(store.read_of), result.units.computed) == ((False, 0) if changed == "nothing" else (True, 1))
    assert result.variables == execute(store, FakeSink(), spec).variables


def test_a_missing_predictor_fails_the_variables_as_it_does_when_all_is_read():
    spec = attrs.evolve(SPEC, variables=("x",), predictors=("y",), forecasters=("naive", "ridge"))
    sink = FakeSink()
    execute(store_of(*TWO), sink, spec)
    with pytest.raises(RunFailed) as failed:
        execute(store_of(TWO[0]), sink, spec)
    assert [(failure.variable, failure.kind) for failure in failed.value.failures] == [("x", "VariableNotFound")]


def test_another_run_of_the_same_has_its_tables_and_reads_no_data():
    store, sink = store_of(*TWO), FakeSink()
    execute(store, sink, run_id="one")
    second = execute(store, sink, run_id="two")
    assert (store.read_of, second.units.recalled) == ([], 2)
    assert {name for run, name in sink.parts if run == "two"} == {part.name for part in second.parts}


def test_a_forecaster_called_origin_by_origin_is_not_called_and_nothing_is_read():
    spec = attrs.evolve(SPEC, forecasters=("naive", "tests:Own"))
    store, sink, lengths = store_of(*TWO), FakeSink(), list[int]()

    class Last:
        def forecast(self, history: Any, horizon: int) -> list[float]:
            lengths.append(len(history))
            return [history[-1]] * horizon

    run = {"forecasters": (custom(Last()),)}
    first = execute(store, sink, spec, **run)
    lengths.clear()
    again = execute(store, sink, spec, **run)
    assert (store.read_of, lengths, again.units.recalled, again.digest) == ([], [], 2, first.digest)


def test_hindcasts_that_are_wanted_later_are_made_of_what_is_read_then():
    store, sink = store_of(*TWO), FakeSink()
    first = execute(store, sink)
    second = execute(store, sink, hindcasts=True)
    assert sorted(store.read_of) == ["x", "y"]
    assert (second.units.computed, second.digest) == (2, first.digest)


@attrs.frozen
class Overtaken(VersionedStore):
    """Gets other rows of `x` after it has told its version."""

    def version(self, variable: str) -> str:
        version = super().version(variable)
        if variable == "x":
            self.variables["x"] = known([*ROWS[:-1], (29, 0.5, 29)])
        return version


def test_data_that_change_after_they_were_looked_at_are_trained_as_they_are_read():
    store, sink = Overtaken({member.variable: member for member in TWO}), FakeSink()
    result = execute(store, sink)
    assert result.variables == execute(store_of(store.variables["x"], TWO[1]), FakeSink()).variables
    again = store_of(*TWO)
    assert execute(again, sink).variables == execute(again, FakeSink()).variables


def test_data_that_change_after_they_were_recalled_fail_where_rows_are_wanted_after_all():
    sink = FakeSink()
    execute(store_of(*TWO), sink)
    with pytest.raises(RunFailed, match="1 of 2") as failed:
        execute(Overtaken({member.variable: member for member in TWO}), sink, hindcasts=True)
    (failure,) = failed.value.failures
    assert (failure.variable, failure.kind) == ("x", "DataError")
    assert "changed while the run was under way" in str(failure)


def test_a_failing_sink_fails_the_variable_and_reads_nothing_instead():
    class Deaf(FakeSink):
        @contextmanager
        def recalling(self, group: str, keys: Sequence[str]) -> Iterator[Recall]:
            if keys:
                raise SinkUnavailable("no answer", "the sink", "Try again")
            yield lambda key: None

    store = store_of(*TWO)
    with pytest.raises(RunFailed) as failed:
        execute(store, Deaf())
    assert {failure.kind for failure in failed.value.failures} == {"SinkUnavailable"}
    assert store.read_of == []


def test_what_was_recorded_stands_for_what_reading_would_give():
    sink = FakeSink()
    first = execute(store_of(*TWO), sink)
    snapshots = {record.variable: record for record in records_of(sink).values() if isinstance(record, DataSnapshot)}
    assert {name: record.facts for name, record in snapshots.items()} == {
        record.variable: record.data for record in first.variables
    }


ENDS = st.integers(60, 900).map(lambda days: FIRST_DAY + timedelta(days=days))
RULES = ("auto", "timestamp", "period-end", "+20d")


@st.composite
def _any_data(draw: st.DrawFn) -> Observations:
    """Daily, monthly, quarterly or ragged stamps, with known_at or without: all that `auto` tells apart."""
    count = draw(st.integers(8, 20))
    kind = draw(st.sampled_from(["daily", "monthly", "quarterly", "ragged", "vintages"]))
    if kind in ("monthly", "quarterly"):
        step = {"monthly": 1, "quarterly": 3}[kind]
        stamps = (np.datetime64(FIRST_DAY, "M") + step * np.arange(count)).astype("datetime64[us]")
        return Observations("x", stamps, np.arange(float(count)) % 7)
    days = draw(st.lists(st.integers(0, 700), min_size=count, max_size=count, unique=True))
    if kind == "daily":
        days = list(range(0, 30 * count, 30))
    delays = draw(st.lists(st.integers(0, 100), min_size=len(days), max_size=len(days)))
    if kind == "vintages":
        return known([(day, float(day % 7), day + delay) for day, delay in zip(days, delays, strict=True)])
    return attrs.evolve(known([(day, float(day % 7), day) for day in days]), known_at=None)


@settings(max_examples=150)
@given(_any_data(), st.sampled_from(RULES), st.integers(0, 1_500), st.integers(0, 1_500))
def test_what_is_settled_is_read_alike_on_any_later_day(observations, rule, days, days_more):
    first = FIRST_DAY + timedelta(days=days)
    later = first + timedelta(days=days_more)
    settled = settled_by(observations, rule, first)
    event(f"settled: {settled}")
    if settled:
        now, then = (resolve_known_at(observations, rule, day).by(day) for day in (first, later))
        assert (now.rule, now.known) == (then.rule, then.known)
        assert len(now.known) == len(observations)


@pytest.mark.parametrize("count", [8, 20])
def test_monthly_data_are_settled_when_their_last_period_is_over(count):
    end = (np.datetime64(FIRST_DAY, "M") + count).astype("datetime64[D]").astype(date)
    assert settled_by(monthly(count), "auto", end)
    assert not settled_by(monthly(count), "auto", end - timedelta(days=2))


@settings(max_examples=60)
@given(st.lists(st.tuples(_any_data(), ENDS, st.sampled_from(RULES)), min_size=2, max_size=4), st.data())
def test_after_any_runs_before_it_a_run_says_what_it_says_alone(runs, data):
    sink = FakeSink()
    for observations, end, rule in [*runs, data.draw(st.sampled_from(runs)), (runs[0][0], *runs[-1][1:])]:
        spec = spec_of("x", **SMALL)
        spec = attrs.evolve(spec, end=end, known_at=rule)
        outcomes = [_ended(store_of(observations), context, spec) for context in (sink, FakeSink())]
        assert outcomes[0] == outcomes[1]


def _ended(store: VersionedStore, sink: FakeSink, spec: RunSpec) -> object:
    try:
        result = execute(store, sink, spec)
    except RunFailed as failed:
        result = failed.result
    return result.variables, result.failures, result.digest


def test_series_of_one_value_a_day_are_settled_the_day_they_end():
    assert settled_by(series(range(10)), "timestamp", FIRST_DAY + timedelta(days=9))
    assert not settled_by(series(range(10)), "timestamp", FIRST_DAY + timedelta(days=8))


@attrs.define
class Looking(FakeSink):
    """Notes which keys are looked for when a group is opened."""

    looked_for: list[tuple[str, ...]] = attrs.field(factory=list)

    @contextmanager
    def recalling(self, group: str, keys: Sequence[str]) -> Iterator[Recall]:
        self.looked_for.append(tuple(keys))
        with FakeSink.recalling(self, group, keys) as recall:
            yield recall


@pytest.mark.parametrize("first", [True, False])
def test_only_a_unit_that_was_begun_before_looks_for_what_others_have_packed_since(first):
    sink = Looking()
    run = training(store=store_of(*TWO), sink=sink)
    task = UnitTask(SPEC, run.store, sink, resolve(SPEC.forecasters, (), simple=SPEC.simple))
    task(WorkUnit(0, ("x", "y"), first=first))
    assert (not any(sink.looked_for)) is first


def test_the_coordinator_looks_for_packs_before_any_unit():
    sink = Looking()
    execute(store_of(*TWO), sink)
    assert sink.looked_for[0] == ()
