"""A ResultSink in memory, for services that embed Pulse with the serial backend."""

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
"""Parts of tables, go by go, under run id and name."""


def _new_name() -> str:
    return secrets.token_hex(8)


@attrs.frozen(eq=False)
class MemorySink:
    """Records and runs in dictionaries; threads may share it.

    It pickles as its name: in the same process the copy is this very sink, in another it is an empty one. So
    worker processes compute the right numbers, but the records and parts they write are lost with them; what is
    published is not.
    """

    name: str = attrs.field(factory=_new_name)
    runs: dict[str, RunResult] = attrs.field(factory=dict, init=False, repr=False)
    """What was published last under each run id."""
    parts: Parts = attrs.field(factory=dict, init=False, repr=False)
    """The parts of tables, go by go, under run id and name."""
    _records: dict[str, Record] = attrs.field(factory=dict, init=False, repr=False)
    _lock: Lock = attrs.field(factory=Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        _sinks[self.name] = self

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.name,)

    def recall(self, key: str) -> Record | None:
        """Return what was recorded under the key, or None."""
        with self._lock:
            return self._records.get(key)

    def record(self, key: str, result: Record) -> None:
        """Keep the result under the key unless something is there already."""
        with self._lock:
            self._records.setdefault(key, result)

    def remove_record(self, key: str) -> None:
        """Forget what is recorded under the key, if anything is."""
        with self._lock:
            self._records.pop(key, None)

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        """Open a part for rows; it is kept in `parts` once the context has ended well, unless it has none."""
        goes: list[Columns] = []
        yield lambda columns: goes.append({each: _copied(column) for each, column in columns.items()})
        with self._lock:
            put_part(self.parts, run_id, name, goes)

    def has_part(self, run_id: str, name: str) -> bool:
        """Whether a part of this name is kept."""
        with self._lock:
            return (run_id, name) in self.parts

    def copy_part(self, name: str, source: str, run_id: str) -> bool:
        """Let a run have the part that the run `source` has; return whether it has it now."""
        with self._lock:
            if (run_id, name) not in self.parts and (source, name) in self.parts:
                put_part(self.parts, run_id, name, self.parts[source, name])
            return (run_id, name) in self.parts

    def publish(self, result: RunResult) -> Sequence[str]:
        """Keep the run in `runs` and the parts it names; return its place.

        Raises RunIdTaken where its id holds another spec.
        """
        with self._lock:
            held = self.runs.get(result.run_id)
            if held is not None and held.spec != result.spec:
                raise RunIdTaken([f"run id '{result.run_id}' holds the result of another spec: choose another"])
            self.runs[result.run_id] = result
            for run_id, name in list(self.parts):
                if run_id == result.run_id and name not in result.parts:
                    del self.parts[run_id, name]
        return [f"memory:{self.name}/{result.run_id}"]


def put_part(parts: Parts, run_id: str, name: str, goes: Sequence[Columns]) -> None:
    """Put a part among those of its run, in the place of the same unit's with other content; none without goes."""
    parts.pop((run_id, name), None)
    if goes:
        parts[run_id, name] = tuple(goes)
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
