"""Every ResultSink keeps the contract, and the contract catches every broken one.

A new sink is one line in SINKS, and one in PARTS where it keeps parts elsewhere; a new storage is one line in STORAGES.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest

from pulse.testing import ResultSinkContract
from pulse.testing.result_sink import PART, RUN, Group, parquet_groups, plain
from pulse_adapters.sinks.memory import MemorySink
from pulse_adapters.sinks.storage_sink import StorageSink
from pulse_core.errors import SinkUnavailable
from pulse_core.ports import Recall, ResultSink, Write
from pulse_core.results import Record, RunResult
from pulse_core.tables import Columns, is_other_content
from tests.contracts.storages import STORAGES
from tests.fakes import FakeSink


@contextmanager
def in_a_storage(name: str) -> Iterator[StorageSink]:
    with STORAGES[name]() as storage:
        yield StorageSink(storage)


SINKS: dict[str, Callable[[], AbstractContextManager[ResultSink]]] = {
    "fake": lambda: nullcontext(FakeSink()),
    "memory": lambda: nullcontext(MemorySink()),
    **{f"storage_sink, {name}": partial(in_a_storage, name) for name in STORAGES},
}


def groups_in_memory(sink: Any, run_id: str, name: str) -> list[Group] | None:
    """The groups of a part that a sink in memory keeps."""
    groups = sink.parts.get((run_id, name))
    return None if groups is None else [plain(columns) for columns in groups]


def groups_in_a_file(sink: StorageSink, run_id: str, name: str) -> list[Group] | None:
    """The row groups of a part that is a file."""
    content = sink.storage.read(f"{run_id}/{name}.parquet")
    return None if content is None else parquet_groups(content)


PARTS: dict[type[ResultSink], Callable[[Any, str, str], list[Group] | None]] = {
    StorageSink: groups_in_a_file,
}
"""How to read the part of a sink that does not keep it in a dict."""


class TestSinks(ResultSinkContract):
    @pytest.fixture(autouse=True, params=SINKS)
    def choose(self, request):
        self.opener = SINKS[request.param]

    def open(self):
        return self.opener()

    def groups(self, sink, run_id, name):
        return PARTS.get(type(sink), groups_in_memory)(sink, run_id, name)


class SinksInMemory(ResultSinkContract):
    def open(self):
        return nullcontext(MemorySink())

    def groups(self, sink, run_id, name):
        return groups_in_memory(sink, run_id, name)


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
        (Optimistic, "test_has_part_says_whether_a_part_is_there"),
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
    contract: Callable[[ResultSink], None] = getattr(SinksInMemory(), caught_by)
    contract(MemorySink())
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        contract(broken())


def test_the_table_names_every_sink_there_is():
    folder = Path(__file__).parents[2] / "src/pulse_adapters/sinks"
    sink = re.compile(r"^class \w+Sink\b", re.MULTILINE)
    adapters = {path.stem for path in folder.glob("*.py") if sink.search(path.read_text())}
    assert {name.partition(",")[0] for name in SINKS} - {"fake"} == adapters - {"folder"}  # a StorageSink by name
