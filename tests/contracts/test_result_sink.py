"""Every ResultSink keeps the contract, and the contract catches every broken one.

A new sink is one line in SINKS, and one in PARTS where it keeps parts elsewhere; a new storage is one line in STORAGES.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest

from pulse.testing import ResultSinkContract
from pulse.testing.result_sink import GROUP, KEY, Group, parquet_groups, plain
from pulse_adapters.sinks.memory import MemoryPart, MemorySink
from pulse_adapters.sinks.storage_sink import StorageSink
from pulse_core.errors import SinkUnavailable
from pulse_core.ports import Recall, ResultSink
from pulse_core.results import Record, RunResult
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, PartFacts
from tests.contracts.storages import STORAGES
from tests.fakes import FakeClaim, FakeSink


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
    def recalling(self, group: str, keys: Sequence[str]) -> Iterator[Recall]:
        following = dict(pairwise([*keys, keys[0]]))
        yield lambda key: self.packed.get((group, following.get(key, key)))


@attrs.frozen
class OneGroup(FakeSink):
    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        FakeSink.pack(self, GROUP, records)

    @contextmanager
    def recalling(self, group: str, keys: Sequence[str]) -> Iterator[Recall]:
        yield lambda key: self.packed.get((GROUP, key))


@attrs.frozen
class OneKind(FakeSink):
    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        FakeSink.pack(self, group, records)
        self.records.update(records)


@attrs.frozen
class FirstPackedStays(FakeSink):
    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        for key, record in records.items():
            self.packed.setdefault((group, key), record)


@attrs.frozen
class OnePack(FakeSink):
    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        self.packed.clear()
        FakeSink.pack(self, group, records)


@attrs.frozen
class Forgetting(FakeSink):
    def index(self, group: str, *, packed: bool = True) -> None:
        self.packed.pop((GROUP, KEY), None)


@attrs.frozen
class StaysAtHome(FakeSink):
    def __reduce__(self):
        return type(self), ()


class Tolerant(FakeSink):
    @contextmanager
    def claim(self, run_id: str, spec: RunSpec, waiting: Callable[[str], None]) -> Iterator[FakeClaim]:
        yield FakeClaim(self, ())


@attrs.frozen
class PublishingBadly(FakeSink):
    """What a broken claim does to the sink."""

    def spoil(self) -> None:
        raise NotImplementedError

    @contextmanager
    def claim(self, run_id: str, spec: RunSpec, waiting: Callable[[str], None]) -> Iterator[FakeClaim]:
        yield BadClaim(sink=self, parts=())


@attrs.frozen
class BadClaim(FakeClaim):
    sink: PublishingBadly

    def publish(self, result: RunResult) -> Sequence[str]:
        self.sink.spoil()
        return [result.run_id]


@attrs.frozen
class Sweeping(PublishingBadly):
    def spoil(self) -> None:
        self.records.clear()
        self.parts.clear()


@attrs.frozen
class Hoarding(PublishingBadly):
    def spoil(self) -> None:
        pass


@attrs.frozen
class LastGroupOnly(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        with FakeSink.part(self, run_id, name) as part:
            yield part
            del part.groups[:-1]


@attrs.frozen
class Sorting(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        with FakeSink.part(self, run_id, name) as part:
            yield part
            part.groups[:] = [dict(sorted(columns.items())) for columns in part.groups]


class Reference(MemoryPart):
    def write(self, columns: Columns) -> None:
        self.groups.append(columns)


@attrs.frozen
class Referring(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        part = Reference()
        yield part
        part.finish(name)
        if part.facts is not None:
            self.parts[run_id, part.facts.name] = tuple(part.groups)


@attrs.define(eq=False)
class ImpatientPart(MemoryPart):
    store: Callable[[MemoryPart], None] = attrs.field(kw_only=True)

    def write(self, columns: Columns) -> None:
        MemoryPart.write(self, columns)
        self.store(self)


@attrs.frozen
class Impatient(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        def store(part: MemoryPart) -> None:
            part.finish(name)
            assert part.facts is not None
            self.parts[run_id, part.facts.name] = tuple(part.groups)

        yield ImpatientPart(store=store)


@attrs.frozen
class Saving(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        part = MemoryPart()
        try:
            yield part
        finally:
            part.finish(name)
            if part.facts is not None:
                self.parts[run_id, part.facts.name] = tuple(part.groups)


@attrs.frozen
class ClearsFirst(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        for other in [other for other in self.parts if other[1].startswith(name)]:
            del self.parts[other]
        with FakeSink.part(self, run_id, name) as part:
            yield part


@attrs.frozen
class Blaming(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        try:
            with FakeSink.part(self, run_id, name) as part:
                yield part
        except OSError as error:
            raise SinkUnavailable(str(error)) from error


@attrs.frozen
class OnePart(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        self.parts.clear()
        with FakeSink.part(self, run_id, name) as part:
            yield part


@attrs.frozen
class Nameless(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        part = MemoryPart()
        yield part
        part.finish(name)
        part.facts = part.facts and attrs.evolve(part.facts, name=name)


@attrs.frozen
class Empty(FakeSink):
    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        with FakeSink.part(self, run_id, name) as part:
            yield part
        part.facts = part.facts or PartFacts(name, "", 0, 0, "")


@attrs.frozen
class Optimistic(FakeSink):
    def has_part(self, run_id: str, part: PartFacts) -> bool:
        return (run_id, part.name) in self.parts


@pytest.mark.parametrize(
    ("broken", "caught_by"),
    [
        (OneBehind, "test_what_was_packed_is_recalled_in_any_order"),
        (OneGroup, "test_each_group_holds_its_own"),
        (OneKind, "test_what_was_packed_is_no_single_record_and_the_other_way_round"),
        (FirstPackedStays, "test_what_is_packed_later_hides_what_was_packed_under_its_keys"),
        (OnePack, "test_what_is_packed_later_hides_what_was_packed_under_its_keys"),
        (FirstPackedStays, "test_a_copy_made_later_recalls_what_was_packed_last"),
        (OnePack, "test_records_are_packed_side_by_side"),
        (Forgetting, "test_an_index_changes_nothing"),
        (Clinging, "test_what_was_removed_is_none_and_can_be_recorded_again"),
        (Strict, "test_removing_what_is_not_there_is_harmless"),
        (Forgetful, "test_what_was_recorded_is_recalled"),
        (Overwriting, "test_the_first_under_a_key_stays"),
        (OneDrawer, "test_what_was_not_recorded_is_none"),
        (OneDrawer, "test_each_key_holds_its_own"),
        (HandsOut, "test_recalling_takes_nothing_away"),
        (StaysAtHome, "test_a_copy_made_later_recalls_what_was_recorded"),
        (Overwriting, "test_of_writers_at_once_one_wins_and_all_read_it"),
        (Tolerant, "test_a_run_id_that_holds_another_spec_is_refused"),
        (Tolerant, "test_a_claim_knows_the_parts_of_the_result_that_stands"),
        (Sweeping, "test_publishing_keeps_the_records"),
        (OneDrawer, "test_each_kind_of_record_comes_back_as_what_it_is"),
        (LastGroupOnly, "test_a_part_holds_the_rows_of_all_groups_in_order"),
        (Sorting, "test_the_columns_of_a_part_keep_their_order"),
        (Nameless, "test_a_part_is_named_by_its_bytes"),
        (Referring, "test_what_a_writer_does_with_its_arrays_afterwards_does_not_show"),
        (Impatient, "test_a_part_that_is_under_way_is_not_there_yet"),
        (Saving, "test_a_part_whose_writer_fails_is_not_there"),
        (ClearsFirst, "test_a_part_whose_writer_fails_leaves_the_old_one"),
        (Blaming, "test_a_writers_own_fault_is_not_taken_for_the_sinks"),
        (ClearsFirst, "test_a_part_leaves_those_with_other_bytes"),
        (Nameless, "test_a_part_written_again_is_the_same"),
        (Empty, "test_a_part_without_rows_is_none"),
        (Optimistic, "test_has_part_says_whether_a_part_stands_with_its_bytes"),
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
