"""What is recorded is recalled instead of computed, exactly as long as its numbers would be the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Forecaster, Observations, RunFailed, RunResult, RunSpec, VariableResult
from tests.fakes import FakeSink
from tests.strategies import replayed, values, whole_for
from tests.unit.core.models import LastThree, own
from tests.unit.core.runs import ROSTER, ended, known, series, spec_of, training

ROWS = [(n, float(n * n % 11), n) for n in range(30)]
SPEC = spec_of(days=30)


def execute(
    observations: Observations | Sequence[Observations], spec: RunSpec, sink: FakeSink, *forecasters: Forecaster
) -> RunResult:
    return ended(observations, spec, sink=sink, forecasters=forecasters)


def computed_after(first: RunSpec, then: RunSpec, *, before: Any = None, after: Any = None) -> int:
    """How many variables a second run computes in a place where a first one recorded."""
    sink = FakeSink()
    execute(known(ROWS) if before is None else before, first, sink)
    return execute(known(ROWS) if after is None else after, then, sink).units.computed


@settings(max_examples=30)
@given(st.data())
def test_a_repeated_run_recalls_all_and_says_the_same(data):
    observations, sink = data.draw(replayed(values())), FakeSink()
    spec = data.draw(whole_for(observations))
    first, second = (execute(observations, spec, sink) for _ in range(2))
    assert (second.units.computed, second.units.recalled) == (0, first.units.computed)
    assert (second.variables, second.failures, second.digest) == (first.variables, first.failures, first.digest)


@settings(max_examples=30)
@given(st.data(), st.integers(1, 200))
def test_a_later_end_without_new_rows_recalls_all_and_says_what_a_fresh_run_says(data, days):
    observations, sink = data.draw(replayed(values())), FakeSink()
    assert observations.known_at is not None
    spec = attrs.evolve(data.draw(whole_for(observations)), batch_limit=None)
    end = max(spec.start, observations.known_at[-1].astype("datetime64[D]").item())
    execute(observations, attrs.evolve(spec, end=end), sink)
    later = attrs.evolve(spec, end=end + timedelta(days=days))
    recalled, fresh = execute(observations, later, sink), execute(observations, later, FakeSink())
    assert recalled.units.computed == 0
    assert (recalled.variables, recalled.failures, recalled.digest) == (fresh.variables, fresh.failures, fresh.digest)


def test_another_decay_of_trust_recalls_all_and_says_what_a_fresh_run_says():
    sink, other = FakeSink(), attrs.evolve(SPEC, trust_decay=0.5)
    execute(known(ROWS), SPEC, sink)
    recalled = execute(known(ROWS), other, sink)
    assert recalled.units.computed == 0
    assert recalled.digest == execute(known(ROWS), other, FakeSink()).digest


def test_a_batch_limit_that_ends_on_the_same_day_recalls_all():
    assert computed_after(attrs.evolve(SPEC, batch_limit=2), attrs.evolve(SPEC, end=date(2020, 1, 14))) == 0


def test_other_variables_beside_it_do_not_touch_a_record():
    assert computed_after(SPEC, attrs.evolve(SPEC, variables=("x", "another"))) == 0


def test_rows_known_after_the_end_do_not_touch_a_record():
    assert computed_after(SPEC, SPEC, after=known([*ROWS, (7, 50.0, 40)])) == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"start": date(2020, 1, 2)},
        {"end": date(2020, 1, 29)},
        {"batch_limit": 1},
        {"batch_size_days": 8},
        {"horizon": 1},
        {"forecasters": ("mean", "naive")},
        {"forecasters": tuple(reversed(SPEC.forecasters))},
        {"benchmark": "mean"},
        {"min_history": 3},
        {"actuals": "latest"},
        {"target": "change"},
        {"known_at": "+0d"},
        {"season": 4},
        {"calibration": "empirical"},
        {"trust_loss": "crps"},
    ],
    ids=str,
)
def test_a_spec_with_other_numbers_is_computed_anew(changed):
    assert computed_after(SPEC, attrs.evolve(SPEC, **changed)) == 1


@pytest.mark.parametrize(
    "rows",
    [[*ROWS[:-1], (29, 0.5, 29)], [*ROWS, (3, 0.5, 29)], ROWS[:-1], [*ROWS[:-2], (28, ROWS[28][1], 29), ROWS[29]]],
    ids=["another value", "a revision", "a row less", "known later"],
)
def test_other_rows_are_computed_anew(rows):
    assert computed_after(SPEC, SPEC, after=known(rows)) == 1


OTHERS = [(n, float(n % 5), n) for n in range(30)]
PREDICTED = attrs.evolve(SPEC, predictors=("y",), forecasters=("naive", "ridge"))


@pytest.mark.parametrize(
    ("rows", "computed"),
    [(OTHERS, 0), ([*OTHERS, (7, 50.0, 40)], 0), ([*OTHERS[:-1], (29, 0.5, 29)], 1), (OTHERS[:-1], 1)],
    ids=["the same", "a row after the end", "another value", "a row less"],
)
def test_the_rows_of_predictors_known_by_the_end_are_in_the_numbers_too(rows, computed):
    before, after = ([known(ROWS), known(given_rows, "y")] for given_rows in (OTHERS, rows))
    assert computed_after(PREDICTED, PREDICTED, before=before, after=after) == computed


def test_another_predictor_is_computed_anew():
    members = [known(ROWS), known(OTHERS, "y"), known(OTHERS, "z")]
    other = attrs.evolve(PREDICTED, predictors=("z",))
    assert computed_after(PREDICTED, other, before=members, after=members) == 1


def test_a_run_that_writes_hindcasts_makes_them_again_and_says_the_same():
    sink = FakeSink()
    first = training(known(ROWS), sink=sink).execute(SPEC)
    second = training(known(ROWS), sink=sink, hindcasts=True).execute(SPEC)
    assert (second.units.recalled, second.units.computed) == (0, 1)
    assert second.variables == first.variables


def test_another_version_of_a_forecaster_is_computed_anew():
    spec, sink = attrs.evolve(SPEC, forecasters=("naive", "tests:Own")), FakeSink()
    execute(known(ROWS), spec, sink, own(LastThree()))
    newer = attrs.evolve(own(LastThree()), version="2")
    assert execute(known(ROWS), spec, sink, newer).units.computed == 1


def test_variables_with_equal_rows_have_records_of_their_own():
    sink = FakeSink()
    twins = [known(ROWS), known(ROWS, "twin")]
    training(*twins, sink=sink).execute(attrs.evolve(SPEC, variables=("x", "twin")))
    assert sorted(record.variable for record in sink.records.values()) == ["twin", "x"]


def test_after_a_failure_only_the_rest_is_computed():
    sink, spec = FakeSink(), attrs.evolve(SPEC, variables=("x", "late"))
    with pytest.raises(RunFailed):
        training(known(ROWS), sink=sink).execute(spec)
    second = training(known(ROWS), known(ROWS, "late"), sink=sink).execute(spec)
    assert (second.units.recalled, second.units.computed) == (1, 1)


@pytest.mark.parametrize("unit_size", [1, 2, 100])
def test_counts_of_recalled_and_computed_variables_do_not_depend_on_units(unit_size):
    sink, names = FakeSink(), ("a", "b", "c", "d")
    members = [series([1, 3, 2, 5, 4, 7, 6, 9], name) for name in names]
    training(*members, sink=sink).execute(spec_of("a", "c"))
    counts = training(*members, sink=sink, unit_size=unit_size).execute(spec_of(*names)).units
    assert (counts.planned, counts.recalled, counts.computed, counts.failed) == (4, 2, 2, 0)


def test_a_record_holds_its_forecasters_in_the_order_of_the_roster():
    sink = FakeSink()
    execute(known(ROWS), SPEC, sink)
    assert [record.forecasters for record in sink.records.values() if isinstance(record, VariableResult)] == [ROSTER]
