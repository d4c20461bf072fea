"""The worker's side of the Dask backend: the function that a Dask worker runs on a bundle of units."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

import attrs

from pulse_adapters.backends.attempts import attempt
from pulse_adapters.backends.host.exits import end_now
from pulse_adapters.backends.host.oom_score import die_first
from pulse_adapters.backends.host.software import Software
from pulse_adapters.backends.processes.messages import packed
from pulse_core.plan import WorkUnit
from pulse_core.ports import Task
from pulse_core.results import UnitResult

OVERDUE: Final = "pulse-unit-overdue"
"""The topic under which workers log the units that do not react to their time limit: Dask's key, the unit's index."""
EVENT_SECONDS: Final = 1.0
"""What an event has to reach the scheduler."""

_thread: Final = threading.local()


@attrs.frozen
class BundleResult:
    """A bundle's result: a pickled outcome a unit, and the seconds they took; or why the worker must not do them."""

    outcomes: tuple[bytes, ...] = ()
    seconds: float = 0.0
    refusal: str = ""


def perform(units: Sequence[WorkUnit], task: bytes, expected: Software, timeout: float | None = None) -> BundleResult:
    """Do the units one after another, unless the software here is not that of the coordinator.

    A unit that takes longer than `timeout` seconds has failed; where it does not react to that, this process ends.
    """
    differences = expected.differences(Software.here())
    if differences:
        return BundleResult(refusal="; ".join(differences))
    _die_before_nanny()

    def load_and_run(unit: WorkUnit) -> UnitResult:
        return _loaded(task)(unit)

    start = time.perf_counter()
    outcomes = tuple(packed(attempt(load_and_run, unit, timeout, _end_of_worker(unit))) for unit in units)
    return BundleResult(outcomes, time.perf_counter() - start)


def _end_of_worker(unit: WorkUnit) -> Callable[[], None] | None:
    """Return what ends this process and tells the coordinator for which unit; None where it has no nanny."""
    from distributed import get_worker

    worker = get_worker()
    if not worker.nanny:
        return None
    event = {"key": worker.get_current_task(), "unit": unit.index}

    def end() -> None:
        worker.log_event(OVERDUE, event)
        time.sleep(EVENT_SECONDS)
        end_now(1)

    return end


@cache
def _die_before_nanny() -> None:
    """Let this process be killed before its nanny, which starts another; once a process, and only where it has one."""
    from distributed import get_worker

    if get_worker().nanny:
        die_first()


def _loaded(task: bytes) -> Task:
    """Return the thread's own copy of the task: its stores and sinks need not serve two threads at once."""
    if getattr(_thread, "packed", None) != task:
        _thread.task = pickle.loads(task)  # noqa: S301  # our own coordinator's, over the cluster's connections
        _thread.packed = task
    loaded: Task = _thread.task
    return loaded
