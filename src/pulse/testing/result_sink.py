"""The contract of ResultSink: records come back bit by bit, parts and results appear whole or not at all."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from pulse.testing.results import (
    data_snapshot,
    per_origin_record,
    records,
    run_result,
    spec,
    variable_record,
    variable_scores,
)
from pulse_core import (
    Column,
    Columns,
    Labels,
    PartOwner,
    PulseError,
    Record,
    ResultSink,
    RunIdTaken,
    recalling,
)

Group = dict[str, list[object]]
"""Rows of a part as plain values by column, in the columns' order; None where there is none, times without a zone."""

KEY, OTHER_KEY, THIRD_KEY, LAST_KEY = "ab" * 32, "cd" * 32, "ef" * 32, "09" * 32
FIFTH_KEY = "57" * 32
RUN, PART, OTHER_PART = "nightly", "scores/part-00000-of-00002", "hindcasts/part-00001-of-00002"
FIRST, CHANGED = f"{PART}-{'1a' * 16}", f"{PART}-{'2b' * 16}"
"""A unit's part, and the same unit's with other content."""
DAYS = np.array(["2024-01-01", "2024-01-02T03:04:05.000006", "NaT"], dtype="datetime64[us]")
ROWS: Columns = {
    "variable": Labels(("a", "b\N{LATIN SMALL LETTER U WITH DIAERESIS}"), np.array([0, 1, 0], dtype=np.int32)),
    "horizon": np.array([1, 2, -3], dtype=np.int16),
    "known_at": DAYS,
    "mae": np.array([1.5, np.nan, -0.1]),
    "trust": np.array([np.nan, 0.25, 1e30], dtype=np.float32),
}
MORE_ROWS: Columns = {
    "variable": Labels(("c", "a"), np.array([1, 0], dtype=np.int32)),
    "horizon": np.array([4, 5], dtype=np.int16),
    "known_at": DAYS[:2],
    "mae": np.array([3.0, 4.0]),
    "trust": np.array([0.5, 0.75], dtype=np.float32),
}


class ResultSinkContract(ABC):
    """Subclass it, and say in `open` how an empty sink comes to be, and in `groups` how one of its parts is read."""

    examples: int = 60
    """How many records are tried for "the same bits come back"; fewer where a sink is slow."""

    @abstractmethod
    def open(self) -> AbstractContextManager[ResultSink]:
        """Open a new, empty sink; the context's end removes it."""

    @abstractmethod
    def groups(self, sink: ResultSink, run_id: str, name: str) -> list[Group] | None:
        """Return a part of a run's tables, one Group for each group of rows that was added; None without the part.

        `plain` makes a Group from columns, `parquet_groups` makes all of them from a Parquet file.
        """

    @contextmanager
    def opened(self) -> Iterator[ResultSink]:
        """Open a sink, send it through pickle, as to a worker, and hand out the copy that arrives."""
        with self.open() as sink:
            yield pickle.loads(pickle.dumps(sink))

    @pytest.fixture
    def sink(self) -> Iterator[ResultSink]:
        """Open a sink for a test."""
        with self.opened() as sink:
            yield sink

    def part(self, sink: ResultSink, name: str) -> list[Group] | None:
        """Return a part of the run `nightly`."""
        return self.groups(sink, RUN, name)

    def test_what_was_recorded_is_recalled(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_record())
        assert sink.recall(KEY) == variable_record()

    def test_what_was_not_recorded_is_none(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_record())
        assert sink.recall(OTHER_KEY) is None

    def test_each_key_holds_its_own(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_record(1))
        sink.record(OTHER_KEY, variable_record(2))
        assert (sink.recall(KEY), sink.recall(OTHER_KEY)) == (variable_record(1), variable_record(2))

    def test_the_first_under_a_key_stays(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_record(1))
        sink.record(KEY, variable_record(2))
        assert sink.recall(KEY) == variable_record(1)

    def test_each_kind_of_record_comes_back_as_what_it_is(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_record())
        sink.record(OTHER_KEY, per_origin_record())
        sink.record(THIRD_KEY, variable_scores(variable_record()))
        sink.record(LAST_KEY, data_snapshot())
        sink.record(FIFTH_KEY, PartOwner("scores/part-00001", "nightly"))
        assert sink.recall(KEY) == variable_record()
        assert sink.recall(OTHER_KEY) == per_origin_record()
        assert sink.recall(THIRD_KEY) == variable_scores(variable_record())
        assert sink.recall(LAST_KEY) == data_snapshot()
        assert sink.recall(FIFTH_KEY) == PartOwner("scores/part-00001", "nightly")

    def test_recalling_takes_nothing_away(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_record())
        assert sink.recall(KEY) == sink.recall(KEY) == variable_record()

    def test_ahead_of_time_is_recalled_what_is_recorded_in_any_order(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_record(1))
        sink.record(OTHER_KEY, variable_record(2))
        with recalling(sink, [KEY, THIRD_KEY, OTHER_KEY, KEY]) as recall:
            recalled = [recall(key) for key in (OTHER_KEY, KEY, THIRD_KEY, OTHER_KEY)]
        assert recalled == [variable_record(2), variable_record(1), None, variable_record(2)]
        with recalling(sink, [KEY]) as recall:
            assert recall(OTHER_KEY) == variable_record(2)  # it is none of the keys that were named

    def test_a_copy_made_later_recalls_what_was_recorded(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_record())
        assert pickle.loads(pickle.dumps(sink)).recall(KEY) == variable_record()

    def test_of_writers_at_once_one_wins_and_all_read_it(self, sink: ResultSink) -> None:
        def record_and_recall(seed: int) -> Record | None:
            sink.record(KEY, variable_record(seed))
            return sink.recall(KEY)

        with ThreadPoolExecutor(8) as threads:
            results = list(threads.map(record_and_recall, range(8)))
        assert results[0] in [variable_record(seed) for seed in range(8)]
        assert all(result == results[0] for result in results)

    def test_what_was_removed_is_none_and_can_be_recorded_again(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_record(1))
        sink.record(OTHER_KEY, variable_record(2))
        sink.remove_record(KEY)
        assert (sink.recall(KEY), sink.recall(OTHER_KEY)) == (None, variable_record(2))
        sink.record(KEY, variable_record(3))
        assert sink.recall(KEY) == variable_record(3)

    def test_removing_what_is_not_there_is_harmless(self, sink: ResultSink) -> None:
        sink.remove_record(KEY)
        assert sink.recall(KEY) is None

    def test_publishing_says_where_the_result_is(self, sink: ResultSink) -> None:
        (*_, address) = sink.publish(run_result())
        assert "nightly" in address

    def test_publishing_again_is_allowed(self, sink: ResultSink) -> None:
        assert sink.publish(run_result()) == sink.publish(run_result())

    def test_publishing_keeps_the_records(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_record())
        sink.publish(run_result())
        assert sink.recall(KEY) == variable_record()

    def test_a_run_id_that_holds_another_spec_is_refused(self, sink: ResultSink) -> None:
        sink.publish(run_result())
        with pytest.raises(RunIdTaken, match="nightly"):
            sink.publish(run_result(spec=spec(horizon=1)))

    def test_other_runs_stand_side_by_side(self, sink: ResultSink) -> None:
        assert sink.publish(run_result(run_id="one")) != sink.publish(run_result(run_id="two"))

    def test_a_part_holds_the_rows_of_all_groups_in_order(self, sink: ResultSink) -> None:
        write(sink, ROWS, MORE_ROWS)
        assert self.part(sink, PART) == [plain(ROWS), plain(MORE_ROWS)]

    def test_the_columns_of_a_part_keep_their_order(self, sink: ResultSink) -> None:
        write(sink, ROWS)
        assert [list(group) for group in self.part(sink, PART) or []] == [list(ROWS)]

    def test_what_a_writer_does_with_its_arrays_afterwards_does_not_show(self, sink: ResultSink) -> None:
        errors = np.array([1.0, 2.0])
        with sink.part(RUN, PART) as add:
            add({"mae": errors})
            errors[:] = 7.0
            add({"mae": errors})
        assert self.part(sink, PART) == [{"mae": [1.0, 2.0]}, {"mae": [7.0, 7.0]}]

    def test_a_part_that_is_under_way_is_not_there_yet(self, sink: ResultSink) -> None:
        with sink.part(RUN, PART) as add:
            add(ROWS)
            assert self.part(sink, PART) is None
        assert self.part(sink, PART) is not None

    def test_a_part_whose_writer_fails_is_not_there(self, sink: ResultSink) -> None:
        with pytest.raises(ZeroDivisionError):
            write_and_fail(sink, ROWS)
        assert self.part(sink, PART) is None

    def test_a_part_whose_writer_fails_leaves_the_old_one(self, sink: ResultSink) -> None:
        write(sink, ROWS)
        with pytest.raises(ZeroDivisionError):
            write_and_fail(sink, MORE_ROWS)
        assert self.part(sink, PART) == [plain(ROWS)]

    def test_a_writers_own_fault_is_not_taken_for_the_sinks(self, sink: ResultSink) -> None:
        fault = FileNotFoundError("a file of the writer's own")
        with pytest.raises((OSError, PulseError)) as raised, sink.part(RUN, PART):
            raise fault
        assert raised.value is fault

    def test_a_part_written_again_replaces_the_old_one(self, sink: ResultSink) -> None:
        write(sink, ROWS)
        write(sink, MORE_ROWS)
        assert self.part(sink, PART) == [plain(MORE_ROWS)]

    def test_a_part_without_rows_is_not_there_not_even_the_old_one(self, sink: ResultSink) -> None:
        write(sink, ROWS)
        write(sink)
        assert self.part(sink, PART) is None

    def test_has_part_says_whether_a_part_is_there(self, sink: ResultSink) -> None:
        assert not sink.has_part(RUN, PART)
        write(sink, ROWS)
        assert sink.has_part(RUN, PART)
        assert not sink.has_part(RUN, PART[:-1])
        assert not sink.has_part(RUN, FIRST)
        assert not sink.has_part("another", PART)

    def test_a_part_that_is_under_way_or_failed_is_not_said_to_be_there(self, sink: ResultSink) -> None:
        with sink.part(RUN, PART) as add:
            add(ROWS)
            assert not sink.has_part(RUN, PART)
        with pytest.raises(ZeroDivisionError):
            write_and_fail(sink, ROWS, CHANGED)
        assert sink.has_part(RUN, PART)
        assert not sink.has_part(RUN, CHANGED)

    def test_a_part_takes_the_place_of_the_same_units_with_other_content(self, sink: ResultSink) -> None:
        for name in (FIRST, PART, OTHER_PART, CHANGED):
            write(sink, ROWS, name=name)
        write(sink, ROWS, name=FIRST, run_id="another")
        write(sink, MORE_ROWS, name=CHANGED)
        assert self.part(sink, FIRST) is None
        assert self.part(sink, CHANGED) == [plain(MORE_ROWS)]
        assert self.part(sink, PART) == self.part(sink, OTHER_PART) == [plain(ROWS)]
        assert sink.has_part("another", FIRST)

    def test_a_part_whose_writer_fails_leaves_that_with_other_content(self, sink: ResultSink) -> None:
        write(sink, ROWS, name=FIRST)
        with pytest.raises(ZeroDivisionError):
            write_and_fail(sink, MORE_ROWS, CHANGED)
        assert self.part(sink, FIRST) == [plain(ROWS)]

    def test_a_part_of_another_run_is_had_by_copying_it(self, sink: ResultSink) -> None:
        write(sink, ROWS, MORE_ROWS, run_id="another")
        assert sink.copy_part(PART, "another", RUN)
        assert self.part(sink, PART) == [plain(ROWS), plain(MORE_ROWS)]
        assert sink.has_part("another", PART)
        assert sink.copy_part(PART, "another", RUN)

    def test_a_part_that_the_other_run_has_not_is_not_copied(self, sink: ResultSink) -> None:
        write(sink, ROWS, name=OTHER_PART, run_id="another")
        assert not sink.copy_part(PART, "another", RUN)
        assert not sink.copy_part(PART, "third", RUN)
        assert not sink.copy_part(PART, RUN, RUN)
        assert self.part(sink, PART) is None

    def test_a_copied_part_is_the_runs_own(self, sink: ResultSink) -> None:
        write(sink, ROWS, run_id="another")
        sink.copy_part(PART, "another", RUN)
        write(sink, MORE_ROWS, run_id="another")
        assert self.part(sink, PART) == [plain(ROWS)]
        write(sink, run_id="another")
        assert self.part(sink, PART) == [plain(ROWS)]

    def test_a_copied_part_takes_the_place_of_the_same_units_with_other_content(self, sink: ResultSink) -> None:
        write(sink, ROWS, name=FIRST)
        write(sink, MORE_ROWS, name=CHANGED, run_id="another")
        sink.copy_part(CHANGED, "another", RUN)
        assert self.part(sink, FIRST) is None
        assert self.part(sink, CHANGED) == [plain(MORE_ROWS)]

    def test_publishing_keeps_the_parts_that_the_result_names(self, sink: ResultSink) -> None:
        for name in (PART, OTHER_PART):
            write(sink, ROWS, name=name)
        sink.publish(run_result(parts=(PART, OTHER_PART)))
        assert self.part(sink, PART) == self.part(sink, OTHER_PART) == [plain(ROWS)]

    def test_publishing_removes_the_other_parts_of_the_run(self, sink: ResultSink) -> None:
        for name in (PART, OTHER_PART):
            write(sink, ROWS, name=name)
        sink.publish(run_result(parts=(PART,)))
        assert self.part(sink, OTHER_PART) is None

    def test_publishing_leaves_the_parts_of_other_runs(self, sink: ResultSink) -> None:
        write(sink, ROWS)
        sink.publish(run_result(run_id="another"))
        assert self.part(sink, PART) == [plain(ROWS)]

    def test_a_copy_made_later_has_the_parts(self, sink: ResultSink) -> None:
        write(sink, ROWS)
        assert self.part(pickle.loads(pickle.dumps(sink)), PART) == [plain(ROWS)]

    def test_parts_are_written_side_by_side(self, sink: ResultSink) -> None:
        names = [f"scores/part-{number:05}-of-00008" for number in range(8)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda name: write(sink, ROWS, MORE_ROWS, name=name), names))
        assert all(self.part(sink, name) == [plain(ROWS), plain(MORE_ROWS)] for name in names)

    def test_the_same_bits_come_back(self) -> None:
        def property_holds(record: Record) -> None:
            with self.opened() as sink:
                sink.record(KEY, record)
                assert sink.recall(KEY) == record

        tried = settings(max_examples=self.examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        tried(given(records())(property_holds))()


def plain(columns: Columns) -> Group:
    """Return columns as plain values."""
    return {name: [_or_none(value) for value in _values(column)] for name, column in columns.items()}


def parquet_groups(content: bytes) -> list[Group]:
    """Return the row groups of a Parquet file. Raises AssertionError for a time in another zone than UTC."""
    from io import BytesIO

    from pyarrow.parquet import ParquetFile

    file = ParquetFile(BytesIO(content))
    groups = [file.read_row_group(number).to_pydict() for number in range(file.num_row_groups)]
    return [{name: [_without_zone(value) for value in column] for name, column in group.items()} for group in groups]


def write(sink: ResultSink, *groups: Columns, name: str = PART, run_id: str = RUN) -> None:
    """Write a part of these groups of rows."""
    with sink.part(run_id, name) as add:
        for columns in groups:
            add(columns)


def write_and_fail(sink: ResultSink, columns: Columns, name: str = PART) -> None:
    """Begin a part. Raises ZeroDivisionError before it is complete."""
    with sink.part(RUN, name) as add:
        add(columns)
        raise ZeroDivisionError


def _values(column: Column) -> list[object]:
    if isinstance(column, Labels):
        return [column.names[code] for code in column.codes]
    values: list[object] = column.tolist()
    return values


def _or_none(value: object) -> object:
    return None if value != value else value  # noqa: PLR0124 - only a NaN differs from itself


def _without_zone(value: object) -> object:
    if not isinstance(value, datetime):
        return _or_none(value)
    assert value.utcoffset() == timedelta(0)
    return value.replace(tzinfo=None)
