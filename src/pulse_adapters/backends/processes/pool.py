"""The coordinator's side of one worker process: started, handed units, heard, ended.

Why not `concurrent.futures`: one dead worker breaks its pool and loses what all the others were doing, and it
does not say which unit the dead one had, nor how it died. With a pipe a worker the loss is one unit, and both
are known.

Why a fork server: measured with numpy and the core, until all workers are ready: 2 workers 0.22 s (spawn 0.45
s), 8 workers 0.3 s (spawn 1.4 s); a dead one is replaced in 10 ms (spawn 0.2 to 0.4 s). Plain fork is unsafe
where threads run.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any, Final

import attrs

from pulse_adapters.backends.host.deaths import MemoryKills, cause_of_death
from pulse_adapters.backends.processes.worker import serve
from pulse_core.errors import BackendUnavailable
from pulse_core.plan import WorkUnit

ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
PRELOADED: Final = ["__main__", "pulse_adapters.backends.processes.worker", "pulse_core.runs.units"]
"""Loaded once, in the fork server. `__main__` is Python's own default."""

MEND_START: Final = (
    "Use --backend serial; a script that starts a run must do so under `if __name__ == '__main__':`, "
    "because worker processes import it"
)
GRACE_SECONDS: Final = 2.0
"""What an idle process may take to end by itself."""

_environment = threading.Lock()
_living: Final[weakref.WeakSet[Worker]] = weakref.WeakSet()


@attrs.define(eq=False)
class Worker:
    """One process and the pipe to it. `ready` once it has been heard; `unit` is what it is doing."""

    process: ForkServerProcess
    connection: Connection[Any, Any]
    unit: WorkUnit | None = None
    ready: bool = False
    memory_kills: MemoryKills | None = None

    @classmethod
    def start(cls, task: bytes) -> Worker:
        """Start a process that does the pickled task. Raises BackendUnavailable."""
        context = multiprocessing.get_context("forkserver")
        ours, theirs = context.Pipe()
        # daemonic: whatever happens to this object, the process does not outlive the program
        environment = {**os.environ, **ONE_THREAD}  # the fork server's own may be long out of date
        process = context.Process(target=serve, args=(theirs, task, environment), daemon=True)
        try:
            process.start()
        except (OSError, EOFError, RuntimeError, AssertionError) as error:
            ours.close()
            message = f"no worker process can be started: {error}"
            raise BackendUnavailable(message, "processes", MEND_START) from error
        finally:
            theirs.close()
        worker = cls(process, ours, memory_kills=MemoryKills.near(process.pid or "self"))
        _living.add(worker)
        return worker

    def hand(self, unit: WorkUnit) -> None:
        """Let it do a unit."""
        self.unit = unit
        self.memory_kills = self._memory_kills_now()
        with suppress(OSError):  # it has just died, and that is what will be heard of it
            self.connection.send(unit)

    def hear(self) -> bytes | None:
        """Wait for its message; None where it has died."""
        try:
            return self.connection.recv_bytes()
        except (EOFError, OSError):
            return None

    def release(self) -> None:
        """Let it end: by itself where it is idle, at once where it is at work."""
        self.connection.close()
        if self.unit is not None:
            self.process.kill()

    def end(self) -> str:
        """Wait until it has ended; return what ended it, in words."""
        self.connection.close()
        self.process.join(GRACE_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        code = self.process.exitcode
        self.process.close()
        _living.discard(self)
        return cause_of_death(code, self.memory_kills, self._memory_kills_now())

    def _memory_kills_now(self) -> MemoryKills | None:
        return None if self.memory_kills is None else self.memory_kills.now()


def prepare_fork_server() -> None:
    """Start the fork server, one thread to each numeric library, unless it runs."""
    atexit.unregister(_kill_living)
    atexit.register(_kill_living)
    multiprocessing.get_context("forkserver").set_forkserver_preload(PRELOADED)
    with _changed_environment(ONE_THREAD):
        forkserver.ensure_running()


def _kill_living() -> None:
    """End the workers of generators that nobody closed: multiprocessing would ask them to end, and they do not heed."""
    for worker in list(_living):
        worker.process.kill()


@contextmanager
def _changed_environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Change variables for the processes started meanwhile; libraries read them when they are loaded."""
    with _environment:
        before = {name: os.environ.get(name) for name in changes}
        os.environ.update(changes)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
