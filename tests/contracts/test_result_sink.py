"""What every ResultSink promises.

A new one is one line in SINKS, and one in PARTS where it keeps parts elsewhere; a new storage is one line in STORAGES.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given

from pulse_adapters.sinks.memory import MemorySink
from pulse_adapters.sinks.storage_sink import StorageSink
from pulse_core.errors import PulseError, RunIdTaken, SinkUnavailable
from pulse_core.ports import Recall, ResultSink, Write, recalling
from pulse_core.results import Holder, Record, RunResult
from pulse_core.tables import Column, Columns, Labels, is_other_content
from tests.contracts.storages import STORAGES
from tests.fakes import FakeSink
from tests.results import batch_hindcasts, folded, records, run_result, sighting, spec, variable_result

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


@contextmanager
def in_a_storage(name: str) -> Iterator[StorageSink]:
    with STORAGES[name]() as storage:
        yield StorageSink(storage)


SINKS: dict[str, Callable[[], AbstractContextManager[ResultSink]]] = {
    "fake": lambda: nullcontext(FakeSink()),
    "memory": lambda: nullcontext(MemorySink()),
    **{f"storage_sink, {name}": partial(in_a_storage, name) for name in STORAGES},
}


def kept_part(sink: Any, name: str) -> list[dict[str, list[object]]] | None:
    """The groups of a part that a sink in memory keeps, as plain values."""
    groups = sink.parts.get((RUN, name))
    return None if groups is None else [plain(columns) for columns in groups]


def part_file(sink: StorageSink, name: str) -> list[dict[str, list[object]]] | None:
    """The row groups of a part that is a file, as plain values."""
    content = sink.storage.read(f"{RUN}/{name}.parquet")
    if content is None:
        return None
    file = pyarrow.parquet.ParquetFile(BytesIO(content))
    groups = [file.read_row_group(number).to_pydict() for number in range(file.num_row_groups)]
    return [{name: [_without_zone(value) for value in column] for name, column in group.items()} for group in groups]


PARTS: dict[type[ResultSink], Callable[[Any, str], list[dict[str, list[object]]] | None]] = {
    StorageSink: part_file,
}
"""How to read the part of a sink that does not keep it in a dict."""


def part_of(sink: ResultSink, name: str) -> list[dict[str, list[object]]] | None:
    return PARTS.get(type(sink), kept_part)(sink, name)


def plain(columns: Columns) -> dict[str, list[object]]:
    """Columns as plain values, None for what is not there."""
    return {name: [_there(value) for value in _values(column)] for name, column in columns.items()}


def _values(column: Column) -> list[object]:
    if isinstance(column, Labels):
        return [column.names[code] for code in column.codes]
    values: list[object] = column.tolist()
    return values


def _there(value: object) -> object:
    return None if value != value else value  # noqa: PLR0124 - only a NaN differs from itself


def _without_zone(value: object) -> object:
    if not isinstance(value, datetime):
        return _there(value)
    assert value.utcoffset() == timedelta(0)
    return value.replace(tzinfo=None)


def write(sink: ResultSink, *groups: Columns, name: str = PART, run_id: str = RUN) -> None:
    with sink.part(run_id, name) as add:
        for columns in groups:
            add(columns)


def write_and_fail(sink: ResultSink, columns: Columns, name: str = PART) -> None:
    with sink.part(RUN, name) as add:
        add(columns)
        raise ZeroDivisionError


@contextmanager
def travelled(name: str) -> Iterator[ResultSink]:
    """Open a sink and hand on what is left of it after a journey through pickle."""
    with SINKS[name]() as opened:
        yield pickle.loads(pickle.dumps(opened))


@pytest.fixture(params=SINKS)
def sink(request: pytest.FixtureRequest) -> Iterator[ResultSink]:
    with travelled(request.param) as opened:
        yield opened


class TestResultSink:
    def test_what_was_recorded_is_recalled(self, sink):
        sink.record(KEY, variable_result())
        assert sink.recall(KEY) == variable_result()

    def test_what_was_not_recorded_is_none(self, sink):
        sink.record(KEY, variable_result())
        assert sink.recall(OTHER_KEY) is None

    def test_each_key_holds_its_own(self, sink):
        sink.record(KEY, variable_result(1))
        sink.record(OTHER_KEY, variable_result(2))
        assert (sink.recall(KEY), sink.recall(OTHER_KEY)) == (variable_result(1), variable_result(2))

    def test_the_first_under_a_key_stays(self, sink):
        sink.record(KEY, variable_result(1))
        sink.record(KEY, variable_result(2))
        assert sink.recall(KEY) == variable_result(1)

    def test_each_kind_of_record_comes_back_as_what_it_is(self, sink):
        sink.record(KEY, variable_result())
        sink.record(OTHER_KEY, batch_hindcasts())
        sink.record(THIRD_KEY, folded(variable_result()))
        sink.record(LAST_KEY, sighting())
        sink.record(FIFTH_KEY, Holder("scores/part-00001", "nightly"))
        assert sink.recall(KEY) == variable_result()
        assert sink.recall(OTHER_KEY) == batch_hindcasts()
        assert sink.recall(THIRD_KEY) == folded(variable_result())
        assert sink.recall(LAST_KEY) == sighting()
        assert sink.recall(FIFTH_KEY) == Holder("scores/part-00001", "nightly")

    def test_recalling_takes_nothing_away(self, sink):
        sink.record(KEY, variable_result())
        assert sink.recall(KEY) == sink.recall(KEY) == variable_result()

    def test_ahead_of_time_is_recalled_what_is_recorded_in_any_order(self, sink):
        sink.record(KEY, variable_result(1))
        sink.record(OTHER_KEY, variable_result(2))
        with recalling(sink, [KEY, THIRD_KEY, OTHER_KEY, KEY]) as recall:
            found = [recall(key) for key in (OTHER_KEY, KEY, THIRD_KEY, OTHER_KEY)]
        assert found == [variable_result(2), variable_result(1), None, variable_result(2)]
        with recalling(sink, [KEY]) as recall:
            assert recall(OTHER_KEY) == variable_result(2)  # nobody said that it would be asked for

    def test_a_copy_made_later_recalls_what_was_recorded(self, sink):
        sink.record(KEY, variable_result())
        assert pickle.loads(pickle.dumps(sink)).recall(KEY) == variable_result()

    def test_of_writers_at_once_one_wins_and_all_read_it(self, sink):
        def record_and_recall(seed: int) -> Record | None:
            sink.record(KEY, variable_result(seed))
            read: Record | None = sink.recall(KEY)
            return read

        with ThreadPoolExecutor(8) as threads:
            read = list(threads.map(record_and_recall, range(8)))
        assert read[0] in [variable_result(seed) for seed in range(8)]
        assert all(result == read[0] for result in read)

    def test_what_was_removed_is_none_and_can_be_recorded_again(self, sink):
        sink.record(KEY, variable_result(1))
        sink.record(OTHER_KEY, variable_result(2))
        sink.remove_record(KEY)
        assert (sink.recall(KEY), sink.recall(OTHER_KEY)) == (None, variable_result(2))
        sink.record(KEY, variable_result(3))
        assert sink.recall(KEY) == variable_result(3)

    def test_removing_what_is_not_there_is_harmless(self, sink):
        sink.remove_record(KEY)
        assert sink.recall(KEY) is None

    def test_publishing_says_where_the_result_is(self, sink):
        (*_, place) = sink.publish(run_result())
        assert "nightly" in place

    def test_publishing_again_is_allowed(self, sink):
        assert sink.publish(run_result()) == sink.publish(run_result())

    def test_publishing_keeps_the_records(self, sink):
        sink.record(KEY, variable_result())
        sink.publish(run_result())
        assert sink.recall(KEY) == variable_result()

    def test_a_run_id_that_holds_another_spec_is_refused(self, sink):
        sink.publish(run_result())
        with pytest.raises(RunIdTaken, match="nightly"):
            sink.publish(run_result(spec=spec(horizon=1)))

    def test_other_runs_stand_side_by_side(self, sink):
        assert sink.publish(run_result(run_id="one")) != sink.publish(run_result(run_id="two"))

    def test_a_part_holds_the_rows_of_all_groups_in_order(self, sink):
        write(sink, ROWS, MORE_ROWS)
        assert part_of(sink, PART) == [plain(ROWS), plain(MORE_ROWS)]

    def test_the_columns_of_a_part_keep_their_order(self, sink):
        write(sink, ROWS)
        assert [list(group) for group in part_of(sink, PART) or []] == [list(ROWS)]

    def test_what_a_writer_does_with_its_arrays_afterwards_does_not_show(self, sink):
        errors = np.array([1.0, 2.0])
        with sink.part(RUN, PART) as add:
            add({"mae": errors})
            errors[:] = 7.0
            add({"mae": errors})
        assert part_of(sink, PART) == [{"mae": [1.0, 2.0]}, {"mae": [7.0, 7.0]}]

    def test_a_part_that_is_under_way_is_not_there_yet(self, sink):
        with sink.part(RUN, PART) as add:
            add(ROWS)
            assert part_of(sink, PART) is None
        assert part_of(sink, PART) is not None

    def test_a_part_whose_writer_fails_is_not_there(self, sink):
        with pytest.raises(ZeroDivisionError):
            write_and_fail(sink, ROWS)
        assert part_of(sink, PART) is None

    def test_a_part_whose_writer_fails_leaves_the_old_one(self, sink):
        write(sink, ROWS)
        with pytest.raises(ZeroDivisionError):
            write_and_fail(sink, MORE_ROWS)
        assert part_of(sink, PART) == [plain(ROWS)]

    def test_a_writers_own_fault_is_not_taken_for_the_sinks(self, sink):
        fault = FileNotFoundError("a file of the writer's own")
        with pytest.raises((OSError, PulseError)) as caught, sink.part(RUN, PART):
            raise fault
        assert caught.value is fault

    def test_a_part_written_again_replaces_the_old_one(self, sink):
        write(sink, ROWS)
        write(sink, MORE_ROWS)
        assert part_of(sink, PART) == [plain(MORE_ROWS)]

    def test_a_part_without_rows_is_not_there_not_even_the_old_one(self, sink):
        write(sink, ROWS)
        write(sink)
        assert part_of(sink, PART) is None

    def test_it_says_whether_a_part_is_there(self, sink):
        assert not sink.has_part(RUN, PART)
        write(sink, ROWS)
        assert sink.has_part(RUN, PART)
        assert not sink.has_part(RUN, PART[:-1])
        assert not sink.has_part(RUN, FIRST)
        assert not sink.has_part("another", PART)

    def test_a_part_that_is_under_way_or_failed_is_not_said_to_be_there(self, sink):
        with sink.part(RUN, PART) as add:
            add(ROWS)
            assert not sink.has_part(RUN, PART)
        with pytest.raises(ZeroDivisionError):
            write_and_fail(sink, ROWS, CHANGED)
        assert sink.has_part(RUN, PART)
        assert not sink.has_part(RUN, CHANGED)

    def test_a_part_takes_the_place_of_the_same_units_with_other_content(self, sink):
        for name in (FIRST, PART, OTHER_PART, CHANGED):
            write(sink, ROWS, name=name)
        write(sink, ROWS, name=FIRST, run_id="another")
        write(sink, MORE_ROWS, name=CHANGED)
        assert part_of(sink, FIRST) is None
        assert part_of(sink, CHANGED) == [plain(MORE_ROWS)]
        assert part_of(sink, PART) == part_of(sink, OTHER_PART) == [plain(ROWS)]
        assert sink.has_part("another", FIRST)

    def test_a_part_whose_writer_fails_leaves_that_with_other_content(self, sink):
        write(sink, ROWS, name=FIRST)
        with pytest.raises(ZeroDivisionError):
            write_and_fail(sink, MORE_ROWS, CHANGED)
        assert part_of(sink, FIRST) == [plain(ROWS)]

    def test_a_part_of_another_run_is_had_by_copying_it(self, sink):
        write(sink, ROWS, MORE_ROWS, run_id="another")
        assert sink.copy_part(PART, "another", RUN)
        assert part_of(sink, PART) == [plain(ROWS), plain(MORE_ROWS)]
        assert sink.has_part("another", PART)
        assert sink.copy_part(PART, "another", RUN)

    def test_a_part_that_the_other_run_has_not_is_not_copied(self, sink):
        write(sink, ROWS, name=OTHER_PART, run_id="another")
        assert not sink.copy_part(PART, "another", RUN)
        assert not sink.copy_part(PART, "third", RUN)
        assert not sink.copy_part(PART, RUN, RUN)
        assert part_of(sink, PART) is None

    def test_a_copied_part_is_the_runs_own(self, sink):
        write(sink, ROWS, run_id="another")
        sink.copy_part(PART, "another", RUN)
        write(sink, MORE_ROWS, run_id="another")
        assert part_of(sink, PART) == [plain(ROWS)]
        write(sink, run_id="another")
        assert part_of(sink, PART) == [plain(ROWS)]

    def test_a_copied_part_takes_the_place_of_the_same_units_with_other_content(self, sink):
        write(sink, ROWS, name=FIRST)
        write(sink, MORE_ROWS, name=CHANGED, run_id="another")
        sink.copy_part(CHANGED, "another", RUN)
        assert part_of(sink, FIRST) is None
        assert part_of(sink, CHANGED) == [plain(MORE_ROWS)]

    def test_publishing_keeps_the_parts_that_the_result_names(self, sink):
        for name in (PART, OTHER_PART):
            write(sink, ROWS, name=name)
        sink.publish(run_result(parts=(PART, OTHER_PART)))
        assert part_of(sink, PART) == part_of(sink, OTHER_PART) == [plain(ROWS)]

    def test_publishing_removes_the_other_parts_of_the_run(self, sink):
        for name in (PART, OTHER_PART):
            write(sink, ROWS, name=name)
        sink.publish(run_result(parts=(PART,)))
        assert part_of(sink, OTHER_PART) is None

    def test_publishing_leaves_the_parts_of_other_runs(self, sink):
        write(sink, ROWS)
        sink.publish(run_result(run_id="another"))
        assert part_of(sink, PART) == [plain(ROWS)]

    def test_a_copy_made_later_has_the_parts(self, sink):
        write(sink, ROWS)
        assert part_of(pickle.loads(pickle.dumps(sink)), PART) == [plain(ROWS)]

    def test_parts_are_written_side_by_side(self, sink):
        names = [f"scores/part-{number:05}-of-00008" for number in range(8)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda name: write(sink, ROWS, MORE_ROWS, name=name), names))
        assert all(part_of(sink, name) == [plain(ROWS), plain(MORE_ROWS)] for name in names)


@pytest.mark.parametrize("name", SINKS)
@given(result=records())
def test_the_same_bits_come_back(name, result):
    with travelled(name) as sink:
        sink.record(KEY, result)
        assert sink.recall(KEY) == result


@attrs.frozen
class Forgetful(FakeSink):
    def record(self, key: str, result: Record) -> None:
        pass


@attrs.frozen
class Clinging(FakeSink):
    def remove_record(self, key: str) -> None:
        pass


class Strict(FakeSink):
    def remove_record(self, key: str) -> None:
        if self.records.pop(key, None) is None:
            raise AssertionError("there is nothing to remove")


class Overwriting(FakeSink):
    def record(self, key: str, result: Record) -> None:
        self.records[key] = result


@attrs.frozen
class OneDrawer(FakeSink):
    def record(self, key: str, result: Record) -> None:
        self.records.setdefault("", result)

    def recall(self, key: str) -> Record | None:
        return self.records.get("")


@attrs.frozen
class HandsOut(FakeSink):
    def recall(self, key: str) -> Record | None:
        return self.records.pop(key, None)


@attrs.frozen
class OneBehind(FakeSink):
    @contextmanager
    def recalling(self, keys: Sequence[str]) -> Iterator[Recall]:
        following = dict(pairwise([*keys, keys[0]]))
        yield lambda key: self.recall(following.get(key, key))


@attrs.frozen
class StaysAtHome(FakeSink):
    def __reduce__(self):
        return type(self), ()


@attrs.frozen
class Tolerant(FakeSink):
    def publish(self, result: RunResult) -> Sequence[str]:
        return [result.run_id]


@attrs.frozen
class Sweeping(FakeSink):
    def publish(self, result: RunResult) -> Sequence[str]:
        self.records.clear()
        self.parts.clear()
        return [result.run_id]


@attrs.frozen
class LastGroupOnly(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        with FakeSink.part(self, run_id, name) as add:
            groups: list[Columns] = []
            yield groups.append
            for columns in groups[-1:]:
                add(columns)


@attrs.frozen
class Impatient(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        def add(columns: Columns) -> None:
            self.parts[run_id, name] = (*self.parts.get((run_id, name), ()), dict(columns))

        yield add


@attrs.frozen
class Saving(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        groups: list[Columns] = []
        try:
            yield groups.append
        finally:
            self.parts[run_id, name] = tuple(groups)


@attrs.frozen
class Blaming(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        try:
            with FakeSink.part(self, run_id, name) as add:
                yield add
        except OSError as error:
            raise SinkUnavailable(str(error)) from error


@attrs.frozen
class Hoarding(FakeSink):
    def publish(self, result: RunResult) -> Sequence[str]:
        return [result.run_id]


@attrs.frozen
class Referring(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        groups: list[Columns] = []
        yield groups.append
        self.parts[run_id, name] = tuple(groups)


@attrs.frozen
class OnePart(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        with FakeSink.part(self, run_id, PART) as add:
            yield add


@attrs.frozen
class Sorting(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        with FakeSink.part(self, run_id, name) as add:
            yield lambda columns: add(dict(sorted(columns.items())))


@attrs.frozen
class Optimistic(FakeSink):
    def has_part(self, run_id: str, name: str) -> bool:
        return any(part.startswith(name) for _, part in self.parts)


@attrs.frozen
class Moving(FakeSink):
    def copy_part(self, name: str, source: str, run_id: str) -> bool:
        there = FakeSink.copy_part(self, name, source, run_id)
        self.parts.pop((source, name), None)
        return there


@attrs.frozen
class Confident(FakeSink):
    def copy_part(self, name: str, source: str, run_id: str) -> bool:
        FakeSink.copy_part(self, name, source, run_id)
        return True


@attrs.frozen
class Pointing(FakeSink):
    borrowed: dict[str, str] = attrs.field(factory=dict)

    def copy_part(self, name: str, source: str, run_id: str) -> bool:
        self.borrowed[name] = source
        return FakeSink.copy_part(self, name, source, run_id)

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        with FakeSink.part(self, run_id, name) as add:
            yield add
        if self.borrowed.get(name) == run_id:
            self.parts[RUN, name] = self.parts.get((run_id, name), ())


@attrs.frozen
class Adding(FakeSink):
    def copy_part(self, name: str, source: str, run_id: str) -> bool:
        if (source, name) in self.parts:
            self.parts[run_id, name] = self.parts[source, name]
        return (run_id, name) in self.parts


@attrs.frozen
class Heaping(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        before = dict(self.parts)
        with FakeSink.part(self, run_id, name) as add:
            yield add
        self.parts.update({other: groups for other, groups in before.items() if other[1] != name})


@attrs.frozen
class ClearsFirst(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        for other in list(self.parts):
            if is_other_content(name, other[1]):
                del self.parts[other]
        with FakeSink.part(self, run_id, name) as add:
            yield add


@pytest.mark.parametrize(
    ("broken", "caught_by"),
    [
        (Optimistic, "test_it_says_whether_a_part_is_there"),
        (Saving, "test_a_part_that_is_under_way_or_failed_is_not_said_to_be_there"),
        (Heaping, "test_a_part_takes_the_place_of_the_same_units_with_other_content"),
        (Moving, "test_a_part_of_another_run_is_had_by_copying_it"),
        (Confident, "test_a_part_that_the_other_run_has_not_is_not_copied"),
        (Pointing, "test_a_copied_part_is_the_runs_own"),
        (Adding, "test_a_copied_part_takes_the_place_of_the_same_units_with_other_content"),
        (ClearsFirst, "test_a_part_whose_writer_fails_leaves_that_with_other_content"),
        (Clinging, "test_what_was_removed_is_none_and_can_be_recorded_again"),
        (Strict, "test_removing_what_is_not_there_is_harmless"),
        (Forgetful, "test_what_was_recorded_is_recalled"),
        (Overwriting, "test_the_first_under_a_key_stays"),
        (OneDrawer, "test_what_was_not_recorded_is_none"),
        (OneDrawer, "test_each_key_holds_its_own"),
        (OneBehind, "test_ahead_of_time_is_recalled_what_is_recorded_in_any_order"),
        (HandsOut, "test_recalling_takes_nothing_away"),
        (StaysAtHome, "test_a_copy_made_later_recalls_what_was_recorded"),
        (Overwriting, "test_of_writers_at_once_one_wins_and_all_read_it"),
        (Tolerant, "test_a_run_id_that_holds_another_spec_is_refused"),
        (Sweeping, "test_publishing_keeps_the_records"),
        (OneDrawer, "test_each_kind_of_record_comes_back_as_what_it_is"),
        (LastGroupOnly, "test_a_part_holds_the_rows_of_all_groups_in_order"),
        (Sorting, "test_the_columns_of_a_part_keep_their_order"),
        (Referring, "test_what_a_writer_does_with_its_arrays_afterwards_does_not_show"),
        (Impatient, "test_a_part_that_is_under_way_is_not_there_yet"),
        (Saving, "test_a_part_whose_writer_fails_is_not_there"),
        (Saving, "test_a_part_whose_writer_fails_leaves_the_old_one"),
        (Blaming, "test_a_writers_own_fault_is_not_taken_for_the_sinks"),
        (Impatient, "test_a_part_written_again_replaces_the_old_one"),
        (Impatient, "test_a_part_without_rows_is_not_there_not_even_the_old_one"),
        (Sweeping, "test_publishing_keeps_the_parts_that_the_result_names"),
        (Hoarding, "test_publishing_removes_the_other_parts_of_the_run"),
        (Sweeping, "test_publishing_leaves_the_parts_of_other_runs"),
        (StaysAtHome, "test_a_copy_made_later_has_the_parts"),
        (OnePart, "test_parts_are_written_side_by_side"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_the_contract_bites(broken, caught_by):
    contract: Callable[[ResultSink], None] = getattr(TestResultSink(), caught_by)
    with SINKS["memory"]() as sound:
        contract(sound)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        contract(broken())


def test_the_table_names_every_sink_there_is():
    folder = Path(__file__).parents[2] / "src/pulse_adapters/sinks"
    sink = re.compile(r"^class \w+Sink\b", re.MULTILINE)
    adapters = {path.stem for path in folder.glob("*.py") if sink.search(path.read_text())}
    assert {name.partition(",")[0] for name in SINKS} - {"fake"} == adapters - {"folder"}  # a StorageSink by name
