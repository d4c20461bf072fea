"""A ResultSink in memory, for services that embed Pulse with the serial backend."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from threading import Lock
from typing import Any, Final
from weakref import WeakValueDictionary

import attrs

from pulse_core.errors import RunIdTaken
from pulse_core.results import RunResult, VariableResult


def _new_name() -> str:
    return secrets.token_hex(8)


@attrs.frozen(eq=False)
class MemorySink:
    """Records and runs in dictionaries; threads may share it.

    It pickles as its name: in the same process the copy is this very sink, in another it is an empty one. So
    worker processes compute the right numbers, but what they record is lost with them; what is published is
    not.
    """

    name: str = attrs.field(factory=_new_name)
    runs: dict[str, RunResult] = attrs.field(factory=dict, init=False, repr=False)
    """What was published last under each run id."""
    _records: dict[str, VariableResult] = attrs.field(factory=dict, init=False, repr=False)
    _lock: Lock = attrs.field(factory=Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        _sinks[self.name] = self

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.name,)

    def recall(self, key: str) -> VariableResult | None:
        """Return what was recorded under the key, or None."""
        with self._lock:
            return self._records.get(key)

    def record(self, key: str, result: VariableResult) -> None:
        """Keep the result under the key unless something is there already."""
        with self._lock:
            self._records.setdefault(key, result)

    def publish(self, result: RunResult) -> Sequence[str]:
        """Keep the run in `runs`; return its place. Raises RunIdTaken where its id holds another spec."""
        with self._lock:
            held = self.runs.get(result.run_id)
            if held is not None and held.spec != result.spec:
                raise RunIdTaken([f"run id '{result.run_id}' holds the result of another spec: choose another"])
            self.runs[result.run_id] = result
        return [f"memory:{self.name}/{result.run_id}"]


_sinks: Final[WeakValueDictionary[str, MemorySink]] = WeakValueDictionary()
_sinks_lock: Final = Lock()


def _named(name: str) -> MemorySink:
    with _sinks_lock:
        return _sinks.get(name) or MemorySink(name)
