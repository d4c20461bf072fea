"""Tasks and outcomes as bytes, between the coordinator and its workers."""

from __future__ import annotations

import io
import pickle
from typing import Any

import attrs

from pulse_adapters.backends.attempts import unit_failed
from pulse_core.errors import BackendUnavailable
from pulse_core.plan import WorkUnit
from pulse_core.ports import Done, Failed, Task, UnitOutcome


@attrs.frozen
class PackedTask:
    """A task as bytes, and whether it holds what is defined in the caller's main module: workers must import that."""

    content: bytes
    needs_main: bool


class _Pickler(pickle.Pickler):
    """A pickler that notices what it refers to in the main module; what goes by value is no such thing."""

    needs_main = False

    def reducer_override(self, value: Any) -> Any:
        if getattr(value, "__module__", None) == "__main__":
            self.needs_main = True
        return NotImplemented


def packed_task(task: Task, backend: str) -> PackedTask:
    """Return a task as bytes. Raises BackendUnavailable."""
    stream = io.BytesIO()
    pickler = _Pickler(stream)
    try:
        pickler.dump(task)
        return PackedTask(stream.getvalue(), pickler.needs_main)
    except Exception as error:  # pickling foreign objects may raise anything
        raise BackendUnavailable(
            f"the task cannot be sent to other processes: {error}",
            backend,
            "Use --backend serial, or stores, sinks and forecasters defined in an importable module",
        ) from error


def packed(outcome: UnitOutcome) -> bytes:
    """Return an outcome as bytes; one that cannot be sent becomes its unit's failure."""
    try:
        return pickle.dumps(outcome)
    except Exception as error:  # noqa: BLE001  # a foreign object's pickling may raise anything
        return pickle.dumps(Failed(outcome.unit, unit_failed(outcome.unit, error)))


def unpacked(unit: WorkUnit, message: bytes) -> UnitOutcome:
    """Return a unit's outcome; one that cannot be rebuilt here becomes its failure."""
    try:
        outcome: Done | Failed = pickle.loads(message)  # noqa: S301  # from a worker of this run
    except Exception as error:  # noqa: BLE001  # an outcome that cannot be rebuilt here is the failure of its unit alone
        return Failed(unit, unit_failed(unit, error))
    return outcome
