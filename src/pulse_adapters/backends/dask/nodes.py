"""A Dask cluster over several machines: the scheduler on one of them, worker processes on each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import attrs

from pulse_adapters.backends.dask.cluster import Scheduler, Tls
from pulse_core.errors import BackendUnavailable

NAME: Final = "node-{index}"
_NAMED: Final = re.compile(r"node-\d+")
LOOK_SECONDS: Final = 0.2
END_SECONDS: Final = 4.0
NO_DASHBOARD: Final = ("--no-dashboard", "--dashboard-address", "127.0.0.1:0")
"""Without the address it would listen to everybody even so."""


@attrs.frozen
class Machine:
    """One machine of the cluster: its number, the address where it listens, how many workers it may run, its TLS."""

    index: int
    address: str
    workers: int
    tls: Tls | None = None

    @contextmanager
    def scheduler(self, port: int) -> Iterator[Scheduler]:
        """Run the scheduler here, and end it. Raises BackendUnavailable where it ends by itself before it answers."""
        scheme = "tls" if self.tls else "tcp"
        context = ("--host", f"{scheme}://{self.address}", "--port", str(port))
        with _running("distributed.cli.dask_scheduler", (*context, *NO_DASHBOARD, *self._certificates())) as process:
            yield _answering(Scheduler(f"{scheme}://{self.address}:{port}", self.tls), process)

    @contextmanager
    def at_work(self, scheduler: str, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
        """Run the workers here, and end them; they end by themselves with the scheduler, or without one for so long."""
        how = ("--nworkers", str(self.workers), "--nthreads", "1", "--name", NAME.format(index=self.index))
        limit = ("--host", self.address, "--death-timeout", str(max(1.0, seconds)))
        words = (scheduler, *how, *limit, *NO_DASHBOARD, *self._certificates())
        with _running("distributed.cli.dask_worker", words) as process:
            yield process

    def _certificates(self) -> tuple[str, ...]:
        if self.tls is None:
            return ()
        files = {"--tls-ca-file": self.tls.ca, "--tls-cert": self.tls.cert, "--tls-key": self.tls.key}
        return tuple(word for option, path in files.items() for word in (option, str(path)))


def gathered(scheduler: Scheduler, count: int, seconds: float) -> int:
    """Wait until workers of `count` machines are there, or for so long; return how many machines there are."""
    end = time.monotonic() + seconds
    with scheduler.client() as client:
        while True:
            workers = client.scheduler_info(n_workers=-1)["workers"].values()
            # of several workers Dask makes node-1-0, node-1-1 of their machine's name
            machines = {found[0] for worker in workers if (found := _NAMED.match(str(worker["name"])))}
            if len(machines) >= count or time.monotonic() > end:
                return len(machines)
            time.sleep(LOOK_SECONDS)


def own_address() -> str:
    """Return the address by which others in this machine's network reach it."""
    from distributed.utils import get_ip

    return str(get_ip())


def _answering(scheduler: Scheduler, process: subprocess.Popen[bytes]) -> Scheduler:
    while True:
        try:
            with scheduler.client():
                return scheduler
        except BackendUnavailable as error:
            if process.poll() is not None:
                message = f"the scheduler ended with {process.returncode}"
                raise BackendUnavailable(message, scheduler.address, "See what it said on stderr") from error


@contextmanager
def _running(module: str, words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of Dask's beside this one; in the end it is asked to end, and made to."""
    quiet = os.environ | {"DASK_LOGGING__DISTRIBUTED": "warning"}
    command = [sys.executable, "-m", module, *words]
    process = subprocess.Popen(command, env=quiet, stdout=subprocess.DEVNULL)  # noqa: S603  # our own words
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
