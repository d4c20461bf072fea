"""MemorySink: a ResultSink in memory, for services that embed Pulse with the serial backend."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Condition, Lock, RLock
from typing import Any, Final
from weakref import WeakValueDictionary

import attrs
import numpy as np

from pulse_core.arrays import is_frozen
from pulse_core.errors import RunIdTaken
from pulse_core.ports import Recall
from pulse_core.results import Record, RunResult
from pulse_core.spec import RunSpec
from pulse_core.tables import Column, Columns, Labels, PartFacts, full_part_name, name_range

Parts = dict[tuple[str, str], tuple[Columns, ...]]
"""Parts of tables by run id and name: a part is a sequence of row groups."""


def _new_name() -> str:
    return secrets.token_hex(8)


@attrs.frozen(eq=False)
class MemorySink:
    """Records and runs in dictionaries; threads may share it.

    It pickles as its name: in the same process the copy is this sink itself, in another process it is an empty sink.
    So worker processes compute the right numbers, but their records and parts end with them; published results stay.
    """

    name: str = attrs.field(factory=_new_name)
    runs: dict[str, RunResult] = attrs.field(factory=dict, init=False, repr=False)
    """The result published last under each run id."""
    parts: Parts = attrs.field(factory=dict, init=False, repr=False)
    """Parts of tables by run id and name, row group by row group."""
    packed: dict[tuple[str, str], Record] = attrs.field(factory=dict, init=False, repr=False)
    """Packed records by group and key."""
    _records: dict[str, Record] = attrs.field(factory=dict, init=False, repr=False)
    _claimed: dict[str, RunSpec] = attrs.field(factory=dict, init=False, repr=False)
    _lock: RLock = attrs.field(factory=RLock, init=False, repr=False)
    _changed: Condition = attrs.field(init=False, repr=False)

    @_changed.default
    def _of_the_lock(self) -> Condition:
        return Condition(self._lock)

    def __attrs_post_init__(self) -> None:
        _sinks[self.name] = self

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.name,)

    def recall(self, key: str) -> Record | None:
        """Return the single record of a key, or None."""
        with self._lock:
            return self._records.get(key)

    def record(self, key: str, result: Record) -> None:
        """Store a single record unless the key has one."""
        with self._lock:
            self._records.setdefault(key, result)

    def remove_record(self, key: str) -> None:
        """Remove the single record of a key, if it has one."""
        with self._lock:
            self._records.pop(key, None)

    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        """Store records of a group, in place of those under the same keys."""
        with self._lock:
            self.packed.update({(group, key): record for key, record in records.items()})

    @contextmanager
    def recalling(self, group: str, keys: Sequence[str]) -> Iterator[Recall]:
        """Open a group for recalling."""
        del keys
        yield lambda key: self.packed.get((group, key))

    def index(self, group: str, *, packed: bool = True) -> None:
        """Do nothing: in memory all is quick to find."""

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        """Open a part for row groups; it is stored once the context has ended well, unless it has no rows."""
        part = MemoryPart()
        yield part
        part.finish(name)
        if part.facts is not None:
            with self._lock:
                self.parts[run_id, part.facts.name] = tuple(part.groups)

    def has_part(self, run_id: str, part: PartFacts) -> bool:
        """Whether a run has this part."""
        with self._lock:
            groups = self.parts.get((run_id, part.name))
        return groups is not None and facts_of(part.name, groups) == attrs.evolve(part, content="")

    @contextmanager
    def claim(self, run_id: str, spec: RunSpec, waiting: Callable[[str], None]) -> Iterator[MemoryClaim]:
        """Open a run id for publishing the result of a spec; a thread waits for another with the same spec.

        Raises RunIdTaken where the run id holds the result of another spec, or another thread has it for one.
        """
        told = False
        with self._changed:
            while True:
                published = self.runs.get(run_id)
                holder = self._claimed.get(run_id, spec)
                if holder != spec or (published is not None and published.spec != spec):
                    raise RunIdTaken([f"run id '{run_id}' holds the result of another spec: choose another"])
                if run_id not in self._claimed:
                    break
                if not told:
                    waiting(f"Another thread has the run '{run_id}' under way")
                    told = True
                self._changed.wait()
            self._claimed[run_id] = spec
        try:
            yield MemoryClaim(self, () if published is None else published.parts, self._lock)
        finally:
            with self._changed:
                del self._claimed[run_id]
                self._changed.notify_all()


@attrs.frozen(eq=False)
class MemoryClaim:
    """The right to publish under a run id in memory."""

    sink: MemorySink
    parts: tuple[PartFacts, ...]
    _lock: RLock

    def use(self, group: str) -> None:
        """Do nothing: nobody removes records from memory."""
        del group

    def publish(self, result: RunResult) -> Sequence[str]:
        """Store a run in `runs`, remove the parts that it does not name, and return its address."""
        sink, names = self.sink, {part.name for part in result.parts}
        with self._lock:
            sink.runs[result.run_id] = result
            for run_id, name in list(sink.parts):
                if run_id == result.run_id and name not in names:
                    del sink.parts[run_id, name]
        return [f"memory:{sink.name}/{result.run_id}"]


@attrs.define(eq=False)
class MemoryPart:
    """A part that is being written: its row groups, and its facts once it is finished."""

    groups: list[Columns] = attrs.field(factory=list)
    facts: PartFacts | None = None

    def write(self, columns: Columns) -> None:
        """Add a row group."""
        self.groups.append({label: _copied(column) for label, column in columns.items()})

    def finish(self, name: str) -> None:
        """Work out the facts of a part that is written under this name."""
        if self.groups:
            sha256 = facts_of("", self.groups).sha256
            self.facts = facts_of(full_part_name(name, sha256), self.groups)


def facts_of(name: str, groups: Sequence[Columns]) -> PartFacts:
    """Return the facts of a part in memory; its bytes are those of its columns, with their names and types."""
    digest, size, rows = hashlib.sha256(), 0, 0
    for columns in groups:
        rows += len(next(iter(columns.values())))
        for label, column in columns.items():
            values = column.codes if isinstance(column, Labels) else column
            kind = column.names if isinstance(column, Labels) else values.dtype.str
            digest.update(repr((label, kind, values.shape)).encode())
            digest.update(content := values.tobytes())
            size += len(content)
    return PartFacts(name, "", rows, size, digest.hexdigest(), *name_range(groups))


def _copied(column: Column) -> Column:
    """Return a column that its writer cannot change: a copy, unless nobody can write to it any more."""
    if isinstance(column, Labels):
        return Labels(column.names, column.codes.copy())
    return column if is_frozen(column) else np.array(column)


_sinks: Final[WeakValueDictionary[str, MemorySink]] = WeakValueDictionary()
_sinks_lock: Final = Lock()


def _named(name: str) -> MemorySink:
    with _sinks_lock:
        return _sinks.get(name) or MemorySink(name)
