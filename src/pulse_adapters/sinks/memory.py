"""MemorySink: a ResultSink in memory, for services that embed Pulse with the serial backend."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final
from weakref import WeakValueDictionary

import attrs
import numpy as np

from pulse_core.arrays import is_frozen
from pulse_core.errors import RunIdTaken
from pulse_core.ports import Write
from pulse_core.results import Record, RunResult
from pulse_core.tables import Column, Columns, Labels, is_other_content

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
    _records: dict[str, Record] = attrs.field(factory=dict, init=False, repr=False)
    _lock: Lock = attrs.field(factory=Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        _sinks[self.name] = self

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.name,)

    def recall(self, key: str) -> Record | None:
        """Return the record of a key, or None."""
        with self._lock:
            return self._records.get(key)

    def record(self, key: str, result: Record) -> None:
        """Store a record unless the key has one."""
        with self._lock:
            self._records.setdefault(key, result)

    def remove_record(self, key: str) -> None:
        """Remove the record of a key, if it has one."""
        with self._lock:
            self._records.pop(key, None)

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        """Open a part for row groups; it is stored once the context has ended well, unless it has no rows."""
        groups: list[Columns] = []
        yield lambda columns: groups.append({label: _copied(column) for label, column in columns.items()})
        with self._lock:
            put_part(self.parts, run_id, name, groups)

    def has_part(self, run_id: str, name: str) -> bool:
        """Whether a run has a part of this name."""
        with self._lock:
            return (run_id, name) in self.parts

    def copy_part(self, name: str, source: str, run_id: str) -> bool:
        """Copy a part of the run `source` to another run; return whether that run has the part afterwards."""
        with self._lock:
            if (run_id, name) not in self.parts and (source, name) in self.parts:
                put_part(self.parts, run_id, name, self.parts[source, name])
            return (run_id, name) in self.parts

    def publish(self, result: RunResult) -> Sequence[str]:
        """Store a run in `runs`, remove the parts that it does not name, and return its address.

        Raises RunIdTaken where its id holds the result of another spec.
        """
        with self._lock:
            published = self.runs.get(result.run_id)
            if published is not None and published.spec != result.spec:
                raise RunIdTaken([f"run id '{result.run_id}' holds the result of another spec: choose another"])
            self.runs[result.run_id] = result
            for run_id, name in list(self.parts):
                if run_id == result.run_id and name not in result.parts:
                    del self.parts[run_id, name]
        return [f"memory:{self.name}/{result.run_id}"]


def put_part(parts: Parts, run_id: str, name: str, groups: Sequence[Columns]) -> None:
    """Store a part unless it has no row groups; remove the parts of the same unit with other content."""
    parts.pop((run_id, name), None)
    if groups:
        parts[run_id, name] = tuple(groups)
    for other in [other for other in parts if other[0] == run_id and is_other_content(name, other[1])]:
        del parts[other]


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
