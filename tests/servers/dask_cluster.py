"""A Dask cluster as somebody starts it by hand: `dask scheduler` and `dask worker`, each a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs

DASK = Path(sys.executable).with_name("dask")
_START_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@attrs.define
class DaskProcesses:
    """Processes by hand; all that are left are killed in the end."""

    folder: Path
    environment: Mapping[str, str] = attrs.field(factory=dict)
    port: int = attrs.field(factory=free_port)
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = attrs.field(factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", self.port, "--no-dashboard")
        end = time.monotonic() + _START_SECONDS
        while not _answers(self.port):
            if self.scheduler.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the scheduler did not start; see {self.folder}")
            time.sleep(0.05)

    def start_worker(self, *options: str) -> subprocess.Popen[bytes]:
        fixed = (self.address, "--host", "127.0.0.1", "--nthreads", 1, "--no-dashboard", "--death-timeout", 30)
        self.workers.append(self._start("worker", *fixed, *options))
        return self.workers[-1]

    def start(self, workers: int = 2) -> None:
        self.start_scheduler()
        for _ in range(workers):
            self.start_worker()

    def kill_scheduler(self) -> None:
        assert self.scheduler is not None
        _kill(self.scheduler)

    def kill_worker(self) -> None:
        """Kill the first worker that lives, its nanny too."""
        _kill(next(worker for worker in self.workers if worker.poll() is None))

    def _start(self, *words: object) -> subprocess.Popen[bytes]:
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [str(DASK), *(str(word) for word in words)],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": _with_tests(os.environ.get("PYTHONPATH")), **self.environment},
            )

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                _kill(process)
        self.workers.clear()


@contextmanager
def dask_processes(folder: Path, workers: int = 2) -> Iterator[DaskProcesses]:
    """Start a scheduler and workers."""
    cluster = DaskProcesses(folder)
    try:
        cluster.start(workers)
        yield cluster
    finally:
        cluster.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all of its session."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _with_tests(path: str | None) -> str:
    """Return a search path on which workers find the tests' tasks too."""
    return os.pathsep.join(filter(None, (path, str(Path(__file__).parents[2]))))
