"""The contract of ResultSink: records come back bit by bit, parts and results appear whole or not at all."""

from __future__ import annotations

import hashlib
import pickle
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from pulse.testing.results import (
    data_snapshot,
    per_origin_record,
    publish,
    records,
    run_result,
    spec,
    variable_batches,
    variable_scores,
)
from pulse_core import Column, Columns, Labels, PartFacts, PulseError, Record, ResultSink, RunIdTaken

Group = dict[str, list[object]]
"""Rows of a part as plain values by column, in the columns' order; None where there is none, times without a zone."""

KEY, OTHER_KEY, THIRD_KEY, LAST_KEY = "ab" * 32, "cd" * 32, "ef" * 32, "09" * 32
GROUP, OTHER_GROUP = "1a" * 16, "2b" * 16
RUN, PART, OTHER_PART = "nightly", "scores/part-00000-of-00002", "hindcasts/part-00001-of-00002"
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

    def part(self, sink: ResultSink, part: PartFacts) -> list[Group] | None:
        """Return a part of the run `nightly`."""
        return self.groups(sink, RUN, part.name)

    def test_what_was_recorded_is_recalled(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_batches())
        assert sink.recall(KEY) == variable_batches()

    def test_what_was_not_recorded_is_none(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_batches())
        assert sink.recall(OTHER_KEY) is None

    def test_each_key_holds_its_own(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_batches(1))
        sink.record(OTHER_KEY, variable_batches(2))
        assert (sink.recall(KEY), sink.recall(OTHER_KEY)) == (variable_batches(1), variable_batches(2))

    def test_the_first_under_a_key_stays(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_batches(1))
        sink.record(KEY, variable_batches(2))
        assert sink.recall(KEY) == variable_batches(1)

    def test_each_kind_of_record_comes_back_as_what_it_is(self, sink: ResultSink) -> None:
        kinds: list[Record] = [variable_batches(), per_origin_record(), variable_scores(), data_snapshot()]
        keys = [KEY, OTHER_KEY, THIRD_KEY, LAST_KEY]
        for key, record in zip(keys, kinds, strict=True):
            sink.record(key, record)
        assert [sink.recall(key) for key in keys] == kinds

    def test_recalling_takes_nothing_away(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_batches())
        assert sink.recall(KEY) == sink.recall(KEY) == variable_batches()

    def test_a_copy_made_later_recalls_what_was_recorded(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_batches())
        assert pickle.loads(pickle.dumps(sink)).recall(KEY) == variable_batches()

    def test_of_writers_at_once_one_wins_and_all_read_it(self, sink: ResultSink) -> None:
        def record_and_recall(seed: int) -> Record | None:
            sink.record(KEY, variable_batches(seed))
            return sink.recall(KEY)

        with ThreadPoolExecutor(8) as threads:
            results = list(threads.map(record_and_recall, range(8)))
        assert results[0] in [variable_batches(seed) for seed in range(8)]
        assert all(result == results[0] for result in results)

    def test_what_was_removed_is_none_and_can_be_recorded_again(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_batches(1))
        sink.record(OTHER_KEY, variable_batches(2))
        sink.remove_record(KEY)
        assert (sink.recall(KEY), sink.recall(OTHER_KEY)) == (None, variable_batches(2))
        sink.record(KEY, variable_batches(3))
        assert sink.recall(KEY) == variable_batches(3)

    def test_removing_what_is_not_there_is_harmless(self, sink: ResultSink) -> None:
        sink.remove_record(KEY)
        assert sink.recall(KEY) is None

    def test_what_was_packed_is_recalled_in_any_order(self, sink: ResultSink) -> None:
        kinds: dict[str, Record] = {KEY: variable_batches(), OTHER_KEY: variable_scores(), THIRD_KEY: data_snapshot()}
        sink.pack(GROUP, kinds)
        assert packed(sink, THIRD_KEY, KEY, LAST_KEY, OTHER_KEY) == [
            kinds[THIRD_KEY],
            kinds[KEY],
            None,
            kinds[OTHER_KEY],
        ]
        with sink.recalling(GROUP, [KEY]) as recall:
            assert recall(OTHER_KEY) == kinds[OTHER_KEY]  # it is none of the keys that were named

    def test_each_group_holds_its_own(self, sink: ResultSink) -> None:
        sink.pack(GROUP, {KEY: variable_batches(1)})
        sink.pack(OTHER_GROUP, {KEY: variable_batches(2), OTHER_KEY: variable_batches(3)})
        assert packed(sink, KEY, OTHER_KEY) == [variable_batches(1), None]
        assert packed(sink, KEY, group=OTHER_GROUP) == [variable_batches(2)]

    def test_what_was_packed_is_no_single_record_and_the_other_way_round(self, sink: ResultSink) -> None:
        sink.pack(GROUP, {KEY: variable_batches()})
        sink.record(OTHER_KEY, variable_batches())
        assert sink.recall(KEY) is None
        assert packed(sink, OTHER_KEY) == [None]

    def test_what_is_packed_later_hides_what_was_packed_under_its_keys(self, sink: ResultSink) -> None:
        sink.pack(GROUP, {KEY: variable_scores(1), OTHER_KEY: variable_batches(2)})
        assert packed(sink, KEY) == [variable_scores(1)]
        sink.pack(GROUP, {KEY: variable_scores(3), THIRD_KEY: variable_batches(4)})
        assert packed(sink, KEY, OTHER_KEY, THIRD_KEY) == [variable_scores(3), variable_batches(2), variable_batches(4)]

    def test_a_copy_made_later_recalls_what_was_packed_last(self, sink: ResultSink) -> None:
        for seed in range(3):
            sink.pack(GROUP, {KEY: variable_scores(seed)})
        assert packed(pickle.loads(pickle.dumps(sink)), KEY) == [variable_scores(2)]

    def test_records_are_packed_side_by_side(self, sink: ResultSink) -> None:
        keys = [f"{number:064x}" for number in range(8)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda key: sink.pack(GROUP, {key: variable_batches(int(key, 16))}), keys))
        assert packed(sink, *keys) == [variable_batches(number) for number in range(8)]

    def test_an_index_changes_nothing(self, sink: ResultSink) -> None:
        sink.index(GROUP)
        for seed, key in enumerate((KEY, OTHER_KEY, KEY)):
            sink.pack(GROUP, {key: variable_batches(seed)})
            sink.index(GROUP)
        sink.index(GROUP)
        for copy in (sink, pickle.loads(pickle.dumps(sink))):
            assert packed(copy, KEY, OTHER_KEY, THIRD_KEY) == [variable_batches(2), variable_batches(1), None]

    def test_publishing_says_where_the_result_is(self, sink: ResultSink) -> None:
        (*_, address) = publish(sink, run_result())
        assert "nightly" in address

    def test_publishing_again_is_allowed(self, sink: ResultSink) -> None:
        assert publish(sink, run_result()) == publish(sink, run_result())

    def test_publishing_keeps_the_records(self, sink: ResultSink) -> None:
        sink.record(KEY, variable_batches())
        sink.pack(GROUP, {KEY: variable_scores()})
        publish(sink, run_result())
        assert sink.recall(KEY) == variable_batches()
        assert packed(pickle.loads(pickle.dumps(sink)), KEY) == [variable_scores()]

    def test_a_run_id_that_holds_another_spec_is_refused(self, sink: ResultSink) -> None:
        publish(sink, run_result())
        with pytest.raises(RunIdTaken, match="nightly"), sink.claim(RUN, spec(horizon=1), print):
            pass

    def test_other_runs_stand_side_by_side(self, sink: ResultSink) -> None:
        assert publish(sink, run_result(run_id="one")) != publish(sink, run_result(run_id="two"))

    def test_a_part_holds_the_rows_of_all_groups_in_order(self, sink: ResultSink) -> None:
        part = write(sink, ROWS, MORE_ROWS)
        assert self.part(sink, part) == [plain(ROWS), plain(MORE_ROWS)]

    def test_the_columns_of_a_part_keep_their_order(self, sink: ResultSink) -> None:
        part = write(sink, ROWS)
        assert [list(group) for group in self.part(sink, part) or []] == [list(ROWS)]

    def test_a_part_is_named_by_its_bytes(self, sink: ResultSink) -> None:
        part = write(sink, ROWS, MORE_ROWS)
        assert part.name == f"{PART}-{part.sha256[:32]}"
        assert (part.rows, len(part.sha256), part.bytes > 0) == (5, 64, True)
        assert write(sink, ROWS, MORE_ROWS, name=OTHER_PART) == attrs.evolve(
            part, name=f"{OTHER_PART}-{part.sha256[:32]}"
        )
        assert write(sink, ROWS).sha256 != part.sha256

    def test_what_a_writer_does_with_its_arrays_afterwards_does_not_show(self, sink: ResultSink) -> None:
        errors = np.array([1.0, 2.0])
        with sink.part(RUN, PART) as part:
            part.write({"mae": errors})
            errors[:] = 7.0
            part.write({"mae": errors})
        assert part.facts is not None
        assert self.part(sink, part.facts) == [{"mae": [1.0, 2.0]}, {"mae": [7.0, 7.0]}]

    def test_a_part_that_is_under_way_is_not_there_yet(self, sink: ResultSink) -> None:
        standing = write(sink, ROWS, run_id="another")
        with sink.part(RUN, PART) as part:
            part.write(ROWS)
            assert self.part(sink, standing) is None
            assert not sink.has_part(RUN, standing)
        assert self.part(sink, standing) == [plain(ROWS)]

    def test_a_part_whose_writer_fails_is_not_there(self, sink: ResultSink) -> None:
        standing = write(sink, ROWS, run_id="another")
        with pytest.raises(ZeroDivisionError):
            write_and_fail(sink, ROWS)
        assert self.part(sink, standing) is None
        assert not sink.has_part(RUN, standing)

    def test_a_part_whose_writer_fails_leaves_the_old_one(self, sink: ResultSink) -> None:
        part = write(sink, ROWS)
        with pytest.raises(ZeroDivisionError):
            write_and_fail(sink, ROWS)
        assert self.part(sink, part) == [plain(ROWS)]

    def test_a_writers_own_fault_is_not_taken_for_the_sinks(self, sink: ResultSink) -> None:
        fault = FileNotFoundError("a file of the writer's own")
        with pytest.raises((OSError, PulseError)) as raised, sink.part(RUN, PART):
            raise fault
        assert raised.value is fault

    def test_a_part_leaves_those_with_other_bytes(self, sink: ResultSink) -> None:
        first, second = write(sink, ROWS), write(sink, MORE_ROWS)
        assert (self.part(sink, first), self.part(sink, second)) == ([plain(ROWS)], [plain(MORE_ROWS)])

    def test_a_part_written_again_is_the_same(self, sink: ResultSink) -> None:
        assert write(sink, ROWS) == (part := write(sink, ROWS))
        assert self.part(sink, part) == [plain(ROWS)]

    def test_a_part_without_rows_is_none(self, sink: ResultSink) -> None:
        with sink.part(RUN, PART) as part:
            pass
        assert part.facts is None

    def test_has_part_says_whether_a_part_stands_with_its_bytes(self, sink: ResultSink) -> None:
        part = write(sink, ROWS)
        assert sink.has_part(RUN, part)
        assert sink.has_part(RUN, attrs.evolve(part, content="ab" * 16))
        assert not sink.has_part("another", part)
        assert not sink.has_part(RUN, attrs.evolve(part, name=f"{OTHER_PART}-{part.sha256[:32]}"))
        assert not sink.has_part(RUN, attrs.evolve(part, bytes=part.bytes + 1))
        assert not sink.has_part(RUN, attrs.evolve(part, sha256=hashlib.sha256(b"other").hexdigest()))

    def test_a_claim_knows_the_parts_of_the_result_that_stands(self, sink: ResultSink) -> None:
        parts = (write(sink, ROWS), write(sink, MORE_ROWS))
        with sink.claim(RUN, spec(), print) as claim:
            assert claim.parts == ()
            claim.publish(run_result(parts=parts))
        with sink.claim(RUN, spec(), print) as claim:
            assert claim.parts == parts

    def test_publishing_keeps_the_parts_that_the_result_names(self, sink: ResultSink) -> None:
        parts = (write(sink, ROWS), write(sink, ROWS, name=OTHER_PART))
        publish(sink, run_result(parts=parts))
        assert [self.part(sink, part) for part in parts] == [[plain(ROWS)], [plain(ROWS)]]

    def test_publishing_removes_the_other_parts_of_the_run(self, sink: ResultSink) -> None:
        part, other, changed = write(sink, ROWS), write(sink, ROWS, name=OTHER_PART), write(sink, MORE_ROWS)
        publish(sink, run_result(parts=(part,)))
        assert (self.part(sink, other), self.part(sink, changed)) == (None, None)
        assert not sink.has_part(RUN, other)

    def test_publishing_leaves_the_parts_of_other_runs(self, sink: ResultSink) -> None:
        part = write(sink, ROWS)
        publish(sink, run_result(run_id="another"))
        assert self.part(sink, part) == [plain(ROWS)]

    def test_a_copy_made_later_has_the_parts(self, sink: ResultSink) -> None:
        part = write(sink, ROWS)
        copy = pickle.loads(pickle.dumps(sink))
        assert self.part(copy, part) == [plain(ROWS)]
        assert copy.has_part(RUN, part)

    def test_parts_are_written_side_by_side(self, sink: ResultSink) -> None:
        names = [f"scores/part-{number:05}-of-00008" for number in range(8)]
        with ThreadPoolExecutor(8) as threads:
            parts = list(threads.map(lambda name: write(sink, ROWS, MORE_ROWS, name=name), names))
        assert all(self.part(sink, part) == [plain(ROWS), plain(MORE_ROWS)] for part in parts)

    def test_the_same_bits_come_back(self) -> None:
        def property_holds(record: Record) -> None:
            with self.opened() as sink:
                sink.record(KEY, record)
                sink.pack(GROUP, {OTHER_KEY: record})
                assert sink.recall(KEY) == record
                assert packed(sink, OTHER_KEY) == [record]

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


def packed(sink: ResultSink, *keys: str, group: str = GROUP) -> list[Record | None]:
    """Return what is packed under these keys."""
    with sink.recalling(group, keys) as recall:
        return [recall(key) for key in keys]


def write(sink: ResultSink, *groups: Columns, name: str = PART, run_id: str = RUN) -> PartFacts:
    """Write a part of these groups of rows, of which there are some."""
    with sink.part(run_id, name) as part:
        for columns in groups:
            part.write(columns)
    assert part.facts is not None
    return part.facts


def write_and_fail(sink: ResultSink, columns: Columns, name: str = PART) -> None:
    """Begin a part. Raises ZeroDivisionError before it is complete."""
    with sink.part(RUN, name) as part:
        part.write(columns)
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
