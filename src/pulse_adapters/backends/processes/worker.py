"""The worker's side of the processes backend: the loop that runs in each process, at its end of a pipe."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any, Final

from pulse_adapters.backends.attempts import attempt
from pulse_adapters.backends.host.allocator import keep_freed_memory
from pulse_adapters.backends.host.exits import end_now
from pulse_adapters.backends.host.oom_score import die_first
from pulse_adapters.backends.host.parent_death import die_with_writer
from pulse_adapters.backends.host.streams import protect_streams
from pulse_adapters.backends.processes.messages import packed
from pulse_core.plan import WorkUnit
from pulse_core.ports import Task
from pulse_core.results import UnitResult

READY: Final = b""


def serve(connection: Connection[Any, Any], task: bytes, environment: Mapping[str, str]) -> None:
    """Send READY, then for each unit received its pickled outcome, until the connection closes."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave_to_coordinator)
    protect_streams()
    keep_freed_memory()
    os.environ.clear()
    os.environ.update(environment)
    die_first()
    _end_with_coordinator()
    with suppress(EOFError, OSError):  # the coordinator has closed the connection, or has ended
        connection.send_bytes(READY)
        while True:
            unit, process = connection.recv(), os.getpid()
            outcome = _perform(task, unit)
            if os.getpid() != process:
                end_now(1)  # forked by the unit: it would answer a second time
            connection.send_bytes(outcome)


def _perform(task: bytes, unit: WorkUnit) -> bytes:
    def load_and_run(unit: WorkUnit) -> UnitResult:
        return _unpickled(task)(unit)

    return packed(attempt(load_and_run, unit))  # a task that cannot be loaded here fails the unit, not the worker


@lru_cache(maxsize=1)
def _unpickled(task: bytes) -> Task:
    loaded: Task = pickle.loads(task)  # noqa: S301  # our own coordinator's, over a private pipe
    return loaded


def _leave_to_coordinator(number: int, frame: FrameType | None) -> None:
    """Do nothing: Ctrl-C, and a service's stop, reach all processes of a group, and the coordinator acts on them.

    Programs that a forecaster starts would inherit a signal that is ignored.
    """


def _end_with_coordinator() -> None:
    """Let this process end when the coordinator's has ended, even in the middle of a unit.

    The kernel kills it, whatever it does. A thread that waits as well serves where the kernel cannot, and where the
    coordinator has ended already.
    """
    coordinator = parent_process()
    if coordinator is not None:
        die_with_writer(coordinator.sentinel)
        threading.Thread(target=_exit_after, args=(coordinator.sentinel,), daemon=True).start()


def _exit_after(sentinel: int) -> None:
    wait([sentinel])
    end_now(1)
