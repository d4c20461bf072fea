"""What is recorded is recalled instead of computed, exactly as long as its numbers would be the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_adapters.sinks.memory import MemoryPart
from pulse_core import BUILT_IN, Forecaster, Histories, Observations, RunFailed, RunResult, RunSpec
from pulse_core.errors import ForecasterFailed
from pulse_core.forecasters.registry import resolve
from pulse_core.results import Record, VariableBatches, VariableScores
from tests.fakes import FakeSink, Watched
from tests.strategies import ALL_NAMES, replayed, values, whole_for
from tests.unit.core.models import LastThree, custom
from tests.unit.core.runs import bits_of, ended, known, parts_of, records_of, series, spec_of, training

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
        {"trust_half_life": 50},
        {"trust_span": 20},
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
    execute(known(ROWS), spec, sink, custom(LastThree()))
    newer = attrs.evolve(custom(LastThree()), version="2")
    assert execute(known(ROWS), spec, sink, newer).units.computed == 1


def test_variables_with_equal_rows_have_records_of_their_own():
    sink = FakeSink()
    twins = [known(ROWS), known(ROWS, "twin")]
    training(*twins, sink=sink).execute(attrs.evolve(SPEC, variables=("x", "twin")))
    for kind in (VariableBatches, VariableScores):
        of_a_kind = (record for record in records_of(sink).values() if isinstance(record, kind))
        assert sorted(record.variable for record in of_a_kind) == ["twin", "x"]


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


def test_a_record_holds_its_forecasters_in_the_order_of_the_spec():
    sink = FakeSink()
    execute(known(ROWS), SPEC, sink)
    kinds = (VariableScores, VariableBatches)
    records = [record for record in records_of(sink).values() if isinstance(record, kinds)]
    usable = resolve(SPEC.forecasters).of_variable(()).names
    assert [record.forecasters for record in records] == [usable] * 2
    assert 0 < len(usable) < len(ALL_NAMES)


@attrs.frozen
class WatchedTables(Watched):
    """Notes the parts that are opened too."""

    opened: list[str] = attrs.field(factory=list)

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        self.opened.append(name)
        with Watched.part(self, run_id, name) as part:
            yield part

    def forget(self) -> None:
        self.recalled.clear()
        self.opened.clear()


TWO = (known(ROWS), known(OTHERS, "y"))
SPEC_OF_TWO = attrs.evolve(SPEC, variables=("x", "y"))


@pytest.mark.parametrize("hindcasts", [False, True])
def test_a_run_that_is_repeated_reads_the_scores_alone_and_writes_no_part(hindcasts):
    sink = WatchedTables()
    first = training(*TWO, sink=sink, hindcasts=hindcasts).execute(SPEC_OF_TWO)
    written = dict(sink.parts)
    sink.forget()
    again = training(*TWO, sink=sink, hindcasts=hindcasts).execute(SPEC_OF_TWO)
    assert (sink.recalled, sink.opened) == ([VariableScores] * 2, [])
    assert (again.units.recalled, again.digest, again.parts) == (2, first.digest, first.parts)
    assert sink.parts == written


def test_another_run_of_the_same_writes_its_tables_from_the_records():
    sink = WatchedTables()
    first = training(*TWO, sink=sink, run_id="one").execute(SPEC_OF_TWO)
    sink.forget()
    second = training(*TWO, sink=sink, run_id="two").execute(SPEC_OF_TWO)
    assert (second.units.recalled, second.parts, second.digest) == (2, first.parts, first.digest)
    assert sink.recalled == [VariableScores] * 2 + [VariableBatches] * 2
    assert parts_of(sink, "one") == parts_of(sink, "two")


@pytest.mark.parametrize("change", [{"trust_half_life": 5}, {"benchmark": "mean"}], ids=str)
def test_another_run_of_another_spec_writes_its_own_tables(change):
    sink, alone, other = FakeSink(), FakeSink(), attrs.evolve(SPEC_OF_TWO, **change)
    training(*TWO, sink=sink, run_id="one", hindcasts=True).execute(SPEC_OF_TWO)
    for context in (sink, alone):
        training(*TWO, sink=context, run_id="two", hindcasts=True).execute(other)
    assert parts_of(sink, "two") == parts_of(alone, "two") != parts_of(sink, "one")


@pytest.mark.parametrize("table", ["batches", "scores"])
def test_a_part_that_is_gone_is_written_from_the_records(table):
    sink = WatchedTables()
    first = training(*TWO, sink=sink).execute(SPEC_OF_TWO)
    rows = parts_of(sink, SPEC_OF_TWO.run_id)
    (gone,) = (part for part in first.parts if part.table == table)
    del sink.parts[SPEC_OF_TWO.run_id, gone.name]
    sink.forget()
    again = training(*TWO, sink=sink).execute(SPEC_OF_TWO)
    assert (again.units.recalled, again.parts, sink.opened) == (2, first.parts, [f"{table}/part-00000-of-00001"])
    assert parts_of(sink, SPEC_OF_TWO.run_id) == rows


def test_another_run_with_hindcasts_after_one_without_makes_them():
    sink = FakeSink()
    training(*TWO, sink=sink, run_id="one").execute(SPEC_OF_TWO)
    second = training(*TWO, sink=sink, run_id="two", hindcasts=True).execute(SPEC_OF_TWO)
    assert second.units.computed == 2
    alone = FakeSink()
    training(*TWO, sink=alone, run_id="two", hindcasts=True).execute(SPEC_OF_TWO)
    assert parts_of(sink, "two") == parts_of(alone, "two")


@settings(max_examples=30)
@given(st.data(), st.integers(1, 200), st.booleans())
def test_tables_of_what_was_recalled_are_those_that_a_run_alone_would_write(data, days, shorter):
    observations, sink, alone = data.draw(replayed(values())), WatchedTables(), FakeSink()
    assert observations.known_at is not None
    spec = attrs.evolve(data.draw(whole_for(observations)), batch_limit=None)
    end = max(spec.start, observations.known_at[-1].astype("datetime64[D]").item())
    ends = end, end + timedelta(days=days)
    first, then = (attrs.evolve(spec, end=last) for last in (reversed(ends) if shorter else ends))
    for run_spec, run, context in ((first, "one", sink), (then, "two", sink), (then, "two", alone)):
        ended(observations, run_spec, sink=context, run_id=run, hindcasts=True)
    assert parts_of(sink, "two") == parts_of(alone, "two")


def test_batches_that_are_gone_are_computed_again_where_their_rows_are_wanted():
    sink = FakeSink()
    first = training(*TWO, sink=sink, run_id="one").execute(SPEC_OF_TWO)
    packed = {
        key: record
        for key, record in sink.packed.items()
        if not (isinstance(record, VariableBatches) and record.variable == "y")
    }
    less = FakeSink(packed=packed)
    second = training(*TWO, sink=less, run_id="two").execute(SPEC_OF_TWO)
    assert (second.units.recalled, second.units.computed, second.digest) == (1, 1, first.digest)
    assert (second.parts, records_of(less)) == (first.parts, records_of(sink))


@pytest.mark.parametrize("hindcasts", [False, True])
def test_a_part_that_was_written_without_a_failure_is_written_again_with_what_was_mended(hindcasts):
    spec = attrs.evolve(SPEC_OF_TWO, forecasters=("naive", "tests:Picky"))
    data, sink = (known(ROWS), known(OTHERS[:-1], "y")), FakeSink()
    run = partial(training, *data, sink=sink, hindcasts=hindcasts, keep_going=True, unit_size=2, run_id="r")
    first = run(forecasters=(Picky(length=len(OTHERS) - 1),)).execute(spec)
    assert ([summary.variable for summary in first.variables], variables_in(sink)) == (["x"], {"x"})
    assert (first.units.computed, first.units.recalled) == (1, 0)
    training(*data, sink=sink, forecasters=(Picky(),), run_id="another").execute(spec)
    mended = run(forecasters=(Picky(),)).execute(spec)
    assert len(mended.variables) == 2
    assert variables_in(sink) == {"x", "y"}
    assert {name for run, name in sink.parts if run == "r"} == {part.name for part in mended.parts}


def test_a_run_that_is_killed_before_its_tables_leaves_no_part():
    sink = FakeSink()
    with pytest.raises(KeyboardInterrupt):
        training(*TWO, sink=Dying(packed=sink.packed, parts=sink.parts), run_id="r").execute(SPEC_OF_TWO)
    assert sink.parts == {}
    training(*TWO, sink=sink, run_id="r").execute(SPEC_OF_TWO)
    assert variables_in(sink) == {"x", "y"}


@attrs.frozen
class Dying(FakeSink):
    """Ends with the process when results are packed."""

    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        raise KeyboardInterrupt


@attrs.frozen
class Picky(Forecaster):
    """Naive, but fails for histories of one length."""

    length: int = 0
    name: str = "tests:Picky"
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> np.ndarray:
        if self.length in map(len, histories.paths):
            raise ForecasterFailed("not these", "forecaster 'tests:Picky'")
        return BUILT_IN[0].hindcast(histories, horizon)


def variables_in(sink: FakeSink) -> set[str]:
    """The variables with rows, where every part of run `r` has the same ones."""
    names = [
        {name for columns in goes for name in bits_of(columns["variable"])}
        for (run, _), goes in sink.parts.items()
        if run == "r"
    ]
    assert names.count(names[0]) == len(names)
    return names[0]


@attrs.frozen
class Counted(FakeSink):
    """Notes how many records each pack has, and ends with the process at one of them."""

    sizes: list[int] = attrs.field(factory=list)
    last: int = 99

    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        self.sizes.append(len(records))
        if len(self.sizes) > self.last:
            raise KeyboardInterrupt
        FakeSink.pack(self, group, records)


def test_a_large_unit_of_the_users_is_stored_as_it_goes_and_a_kill_loses_the_last_of_it(monkeypatch):
    monkeypatch.setattr("pulse_core.runs.units.variables_at_once", lambda spec, workload: 2)
    members = [known(ROWS, name) for name in "abcdefgh"]
    spec = attrs.evolve(SPEC, variables=tuple("abcdefgh"))
    alone, sink = FakeSink(), Counted(last=2)
    expected = training(*members, sink=alone, unit_size=8).execute(spec)
    with pytest.raises(KeyboardInterrupt):
        training(*members, sink=sink, unit_size=8).execute(spec)
    assert sink.sizes == [6, 6, 4]
    again = training(*members, sink=FakeSink(packed=sink.packed), unit_size=8).execute(spec)
    assert (again.units.recalled, again.units.computed) == (6, 2)
    assert (again.digest, again.parts) == (expected.digest, expected.parts)
