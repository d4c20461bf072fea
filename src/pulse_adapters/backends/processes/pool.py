"""The coordinator's side of worker processes: start one, send it units, receive from it, end it.

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
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any, Final

import attrs

from pulse_adapters.backends.host.deaths import MemoryKills, cause_of_death
from pulse_adapters.backends.host.resource_tracker import start_resource_tracker
from pulse_adapters.backends.processes.worker import serve
from pulse_adapters.backends.retry_queue import Bundle
from pulse_core.errors import BackendUnavailable

ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
PRELOADED: Final = ("__main__", "pulse_adapters.backends.processes.worker", "pulse_core.runs.units")
"""Loaded once, in the fork server. `__main__` is Python's own default."""

PRELOADED_IF_USED: Final = ("pyarrow.csv", "pyarrow.parquet", "boto3", "botocore.config", "botocore.client")
"""Loaded there too, with the adapters, where this process has loaded them: the workers are about to need them."""

START_HINT: Final = (
    "Use --backend serial; a script that starts a run must do so under `if __name__ == '__main__':`, "
    "because worker processes import it"
)
KILLED_HINT: Final = (
    "Something outside of this program ends them: look for limits on memory or processes, and for whoever sends "
    "signals, or use --backend serial"
)
END_SECONDS: Final = 0.5
"""What an idle process may take to end by itself, once its pipe is closed."""

_environment_lock = threading.Lock()
_MAIN_ATTRIBUTES: Final = ("__file__", "__spec__")
_main_lock = threading.Lock()
_live_workers: Final[weakref.WeakSet[Worker]] = weakref.WeakSet()


@attrs.define(eq=False)
class Worker:
    """One process and the pipe to it. `ready` once a message has come from it; `bundle` is the unit that it does.

    `sent` is when it got that (time.monotonic).
    """

    process: ForkServerProcess
    connection: Connection[Any, Any]
    bundle: Bundle | None = None
    ready: bool = False
    memory_kills: MemoryKills | None = None
    sent: float = 0.0

    @classmethod
    def start(cls, task: bytes) -> Worker:
        """Start a process that does the pickled task. Raises BackendUnavailable."""
        context = multiprocessing.get_context("forkserver")
        near_end, far_end = context.Pipe()
        # daemonic: whatever happens to this object, the process does not outlive the program
        environment = {**os.environ, **ONE_THREAD}  # the fork server's own may be long out of date
        process = context.Process(target=serve, args=(far_end, task, environment), daemon=True)
        try:
            process.start()
        except (OSError, EOFError) as error:
            near_end.close()
            message = f"no worker process can be started, for the fork server has ended: {type(error).__name__} {error}"
            raise BackendUnavailable(message.rstrip(), "processes", KILLED_HINT) from error
        except (RuntimeError, AssertionError) as error:
            near_end.close()
            message = f"no worker process can be started: {error}"
            raise BackendUnavailable(message, "processes", START_HINT) from error
        finally:
            far_end.close()
        worker = cls(process, near_end, memory_kills=MemoryKills.near(process.pid or "self"))
        _live_workers.add(worker)
        return worker

    def send(self, bundle: Bundle, *, first: bool) -> None:
        """Let the process do the one unit of a bundle, which is tried for the first time or not."""
        self.bundle = bundle
        self.sent = time.monotonic()
        self.memory_kills = self._current_memory_kills()
        with suppress(OSError):  # the process has just died, and `receive` will tell
            (unit,) = bundle.units
            self.connection.send(attrs.evolve(unit, first=first))

    def receive(self) -> bytes | None:
        """Wait for the process's message; None where it has died."""
        try:
            return self.connection.recv_bytes()
        except (EOFError, OSError):
            return None

    def release(self) -> None:
        """Let the process end: by itself where it is idle, at once where it is starting or at work."""
        self.connection.close()
        if self.bundle is not None or not self.ready:
            self.process.kill()

    def end(self) -> str:
        """Wait until the process has ended; return what ended it, in words."""
        self.connection.close()
        self.process.join(END_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        code = self.process.exitcode
        self.process.close()
        _live_workers.discard(self)
        return cause_of_death(code, self.memory_kills, self._current_memory_kills())

    def _current_memory_kills(self) -> MemoryKills | None:
        return None if self.memory_kills is None else self.memory_kills.now()


def end_workers(workers: Sequence[Worker]) -> None:
    """End all of them: those at work at once, whatever their units do."""
    for worker in workers:
        worker.release()
    for worker in workers:
        worker.end()


def prepare_fork_server() -> None:
    """Start the fork server, one thread to each numeric library, unless it runs. Raises BackendUnavailable."""
    atexit.unregister(_kill_live_workers)
    atexit.register(_kill_live_workers)
    multiprocessing.get_context("forkserver").set_forkserver_preload(_preloaded())
    with _changed_environment(ONE_THREAD):
        try:
            start_resource_tracker()
            forkserver.ensure_running()
        except OSError as error:
            raise BackendUnavailable(f"the fork server cannot be started: {error}", "processes", KILLED_HINT) from error


@contextmanager
def main_module(*, imported: bool) -> Iterator[None]:
    """Let the processes started meanwhile import this one's main module, or not: then a script needs no guard.

    multiprocessing has them import it wherever it is a file, whether they need it or not; it looks at these attributes.
    """
    main: dict[str, Any] = vars(sys.modules["__main__"])
    with _main_lock:
        hidden: dict[str, Any] = {name: main[name] for name in _MAIN_ATTRIBUTES if name in main and not imported}
        main.update(dict.fromkeys(hidden))
        try:
            yield
        finally:
            main.update(hidden)


def _preloaded() -> list[str]:
    adapters = (name for name in sys.modules if name.startswith("pulse_adapters."))
    return [*PRELOADED, *adapters, *(name for name in PRELOADED_IF_USED if name in sys.modules)]


def _kill_live_workers() -> None:
    """Kill the workers of generators that nobody closed: multiprocessing would send SIGTERM, which they ignore."""
    for worker in list(_live_workers):
        worker.process.kill()


@contextmanager
def _changed_environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Change variables for the processes started meanwhile; libraries read them when they are loaded."""
    with _environment_lock:
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
