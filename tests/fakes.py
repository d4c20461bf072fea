"""Fakes of the ports. They pass the same contract suites as the adapters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from io import BytesIO
from threading import Lock

import attrs

from pulse_adapters.sinks.memory import MemoryPart, facts_of
from pulse_adapters.storage.port import DAMAGED, Entry, Read
from pulse_core.arrays import normal_form
from pulse_core.data.observations import Observations
from pulse_core.errors import PulseError, RunIdTaken, SinkUnavailable, UnitFailed, VariableNotFound
from pulse_core.plan import WorkUnit
from pulse_core.ports import Done, Failed, Recall, Task, UnitOutcome
from pulse_core.results import Record, RunResult
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, PartFacts

_EXCHANGE = Lock()


@attrs.frozen
class FakeStore:
    """Observations in a dict."""

    variables: dict[str, Observations] = attrs.field(factory=dict)

    def names(self) -> Iterator[str]:
        yield from sorted(self.variables)

    def read(self, variable: str) -> Observations:
        name = normal_form(variable)
        if name not in self.variables:
            near = get_close_matches(variable, self.variables)
            raise VariableNotFound(f"no variable {variable!r}", "memory", f"Near: {', '.join(near)}" if near else "")
        held = self.variables[name]
        return held if name == variable else attrs.evolve(held, variable=variable)


@attrs.frozen
class VersionedStore(FakeStore):
    """Observations in a dict, told apart by all that is in them; notes what is read."""

    read_of: list[str] = attrs.field(factory=list)

    def version(self, variable: str) -> str:
        held = FakeStore.read(self, variable)
        return hashlib.sha256(repr((held.fingerprint(), held.absent, held.known_at is None)).encode()).hexdigest()

    def read(self, variable: str) -> Observations:
        self.read_of.append(variable)
        return attrs.evolve(FakeStore.read(self, variable), version=self.version(variable))


@attrs.frozen
class FakeBackend:
    """Does every unit on the spot, in order."""

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        for unit in units:
            try:
                yield Done(unit, task(unit))
            except PulseError as error:
                yield Failed(unit, error)
            except Exception as error:  # noqa: BLE001  # a backend never raises for one unit
                yield Failed(unit, UnitFailed(f"{type(error).__name__}: {error}"))


@attrs.frozen
class FakeSink:
    """Records in dicts: of single ones the first under a key stays, of packed ones the last. Runs are kept in order."""

    records: dict[str, Record] = attrs.field(factory=dict)
    packed: dict[tuple[str, str], Record] = attrs.field(factory=dict)
    runs: list[RunResult] = attrs.field(factory=list)
    parts: dict[tuple[str, str], tuple[Columns, ...]] = attrs.field(factory=dict)

    def recall(self, key: str) -> Record | None:
        return self.records.get(key)

    def record(self, key: str, result: Record) -> None:
        self.records.setdefault(key, result)

    def remove_record(self, key: str) -> None:
        self.records.pop(key, None)

    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        self.packed.update({(group, key): record for key, record in records.items()})

    @contextmanager
    def recalling(self, group: str, keys: Sequence[str]) -> Iterator[Recall]:
        yield lambda key: self.packed.get((group, key))

    def index(self, group: str, *, packed: bool = True) -> None:
        pass

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        part = MemoryPart()
        yield part
        part.finish(name)
        if part.facts is not None:
            self.parts[run_id, part.facts.name] = tuple(part.groups)

    def has_part(self, run_id: str, part: PartFacts) -> bool:
        groups = self.parts.get((run_id, part.name))
        return groups is not None and facts_of(part.name, groups) == attrs.evolve(part, content="")

    @contextmanager
    def claim(self, run_id: str, spec: RunSpec, waiting: Callable[[str], None]) -> Iterator[FakeClaim]:
        standing = [run for run in self.runs if run.run_id == run_id]
        if any(run.spec != spec for run in standing):
            raise RunIdTaken([f"run id '{run_id}' holds the result of another spec"])
        yield FakeClaim(self, standing[-1].parts if standing else ())


@attrs.frozen
class FakeClaim:
    """The right to publish in a FakeSink."""

    sink: FakeSink
    parts: tuple[PartFacts, ...]

    def use(self, group: str) -> None:
        pass

    def publish(self, result: RunResult) -> Sequence[str]:
        self.sink.runs.append(result)
        names = {part.name for part in result.parts}
        for run_id, name in list(self.sink.parts):
            if run_id == result.run_id and name not in names:
                del self.sink.parts[run_id, name]
        return [f"memory:{result.run_id}"]


@attrs.frozen
class FakeStorage:
    """Files in a dict, with the time of their last writing."""

    files: dict[str, tuple[bytes, datetime]] = attrs.field(factory=dict)
    requests_at_once: int = 1

    def read(self, name: str) -> bytes | None:
        return self.files[name][0] if name in self.files else None

    @contextmanager
    def reading(self, names: Sequence[str]) -> Iterator[Read]:
        yield self.read

    def create(self, name: str, content: bytes) -> bool:
        file = (content, datetime.now(UTC))
        return self.files.setdefault(name, file) is file

    def replace(self, name: str, content: bytes) -> None:
        self.files[name] = content, datetime.now(UTC)

    def exchange(self, name: str, before: bytes | None, after: bytes | None) -> bool:
        with _EXCHANGE:
            if self.read(name) != before:
                return False
            if after is not None:
                self.replace(name, after)
            else:
                self.remove(name)
            return True

    def read_range(self, name: str, start: int, length: int) -> bytes | None:
        content = self.read(name)
        return None if content is None else content[start : start + length]

    def rescue(self, name: str, content: bytes, error: SinkUnavailable) -> SinkUnavailable:
        return error

    def fits(self, name: str, size: int, sha256: str) -> bool:
        content = self.read(name)
        return content is not None and len(content) == size and hashlib.sha256(content).hexdigest() == sha256

    def durable(self) -> None:
        pass

    def draft(self, name: str) -> FakeDraft:
        return FakeDraft(self, name)

    def folders(self) -> Iterator[str]:
        yield from sorted({name.split("/")[0] for name in self.files if "/" in name})

    def entries(self, folder: str) -> Iterator[Entry]:
        for name, (content, modified) in list(self.files.items()):
            if name.startswith(f"{folder}/" if folder else ""):
                yield Entry(name, len(content), modified)

    def names(self, prefix: str) -> Iterator[str]:
        yield from (name for name in list(self.files) if name.startswith(prefix) and "/" not in name[len(prefix) :])

    def remove(self, name: str) -> None:
        self.files.pop(name, None)

    def remove_all(self, names: Iterable[str]) -> None:
        for name in names:
            self.remove(name)

    def remove_folder(self, folder: str) -> None:
        for entry in self.entries(folder):
            self.remove(entry.name)

    def set_aside(self, name: str, damaged: bytes) -> str | None:
        if self.read(name) != damaged:
            return None
        self.files[name + DAMAGED] = self.files.pop(name)
        return self.address(name + DAMAGED)

    def clear(self, name: str) -> str | None:
        del name
        return None

    def sweep(self, *names: str) -> None:
        pass

    def abandoned(self, folder: str) -> Iterator[str]:
        del folder
        yield from ()

    def address(self, name: str) -> str:
        return f"memory:{name}"


@attrs.frozen
class FakeDraft:
    """Bytes that go to a storage when they are finished."""

    storage: FakeStorage
    address: str
    file: BytesIO = attrs.field(factory=BytesIO)

    def finish(self, name: str | None = None) -> None:
        self.storage.replace(name or self.address, self.file.getvalue())

    def discard(self) -> None:
        self.file.close()


@attrs.frozen
class Watched(FakeSink):
    """Notes which kinds of packed records are asked for."""

    recalled: list[type] = attrs.field(factory=list)

    @contextmanager
    def recalling(self, group: str, keys: Sequence[str]) -> Iterator[Recall]:
        def recall(key: str) -> Record | None:
            record = self.packed.get((group, key))
            self.recalled.append(type(record))
            return record

        yield recall
