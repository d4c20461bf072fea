"""The worker's side of ProcessesBackend: what runs in each process, at its end of a pipe."""

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
from pulse_adapters.backends.host.oom_score import die_first
from pulse_adapters.backends.processes.messages import packed
from pulse_core.plan import WorkUnit
from pulse_core.ports import Task
from pulse_core.results import UnitResult

READY: Final = b""


def serve(connection: Connection[Any, Any], task: bytes, environment: Mapping[str, str]) -> None:
    """Say READY, then answer each unit received with its pickled outcome, until the connection closes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave_to_coordinator)
    os.environ.clear()
    os.environ.update(environment)
    die_first()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # the coordinator is done, or gone
        connection.send_bytes(READY)
        while True:
            connection.send_bytes(_perform(task, connection.recv()))


def _perform(task: bytes, unit: WorkUnit) -> bytes:
    def load_and_do(unit: WorkUnit) -> UnitResult:
        return _unpickled(task)(unit)

    return packed(attempt(load_and_do, unit))  # a task that cannot be loaded here fails the unit, not the worker


@lru_cache(maxsize=1)
def _unpickled(task: bytes) -> Task:
    loaded: Task = pickle.loads(task)  # noqa: S301  # our own coordinator's, over a private pipe
    return loaded


def _leave_to_coordinator(number: int, frame: FrameType | None) -> None:
    """Ctrl-C, and a service's stop, reach all processes of a group; it is the coordinator that acts on them.

    Ignoring the signals instead would be inherited by programs that a forecaster starts.
    """


def _end_with_parent() -> None:
    """End this process when the coordinator's has ended, even in the middle of a unit."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
