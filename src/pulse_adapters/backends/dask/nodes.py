"""A Dask cluster over several machines: the scheduler on one of them, worker processes on each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import attrs

from pulse_adapters.backends.dask.cluster import SETTINGS, Scheduler, Tls
from pulse_core.errors import BackendUnavailable

NAME: Final = "node-{index}"
_NODE_NAME: Final = re.compile(r"node-\d+")
POLL_SECONDS: Final = 0.2
END_SECONDS: Final = 4.0
NO_DASHBOARD: Final = ("--no-dashboard", "--dashboard-address", "127.0.0.1:0")
"""Both: without the address a server would listen on all interfaces, dashboard or not."""


@attrs.frozen
class Machine:
    """One machine of the cluster: its number, the address where it listens, its number of workers, its certificates."""

    index: int
    address: str
    workers: int
    tls: Tls | None = None

    @contextmanager
    def scheduler(self, port: int) -> Iterator[Scheduler]:
        """Run the scheduler here; end it at the end. Raises BackendUnavailable where it ends before it answers."""
        scheme = "tls" if self.tls else "tcp"
        address = ("--host", f"{scheme}://{self.address}", "--port", str(port))
        with _running("distributed.cli.dask_scheduler", (*address, *NO_DASHBOARD, *self._certificates())) as process:
            yield _answering(Scheduler(f"{scheme}://{self.address}:{port}", self.tls), process)

    @contextmanager
    def worker_pool(self, scheduler: str, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
        """Run the workers here; end them at the end.

        They end by themselves with the scheduler, and when they have had no connection to it for `seconds`.
        """
        workers = ("--nworkers", str(self.workers), "--nthreads", "1", "--name", NAME.format(index=self.index))
        connection = ("--host", self.address, "--death-timeout", str(max(1.0, seconds)))
        arguments = (scheduler, *workers, *connection, *NO_DASHBOARD, *self._certificates())
        with _running("distributed.cli.dask_worker", arguments) as process:
            yield process

    def _certificates(self) -> tuple[str, ...]:
        if self.tls is None:
            return ()
        files = {"--tls-ca-file": self.tls.ca, "--tls-cert": self.tls.cert, "--tls-key": self.tls.key}
        return tuple(text for option, path in files.items() for text in (option, str(path)))


def wait_for_machines(scheduler: Scheduler, count: int, seconds: float) -> int:
    """Wait until workers of `count` machines have connected, at most `seconds`; return how many machines have."""
    end = time.monotonic() + seconds
    with scheduler.client() as client:
        while True:
            workers = client.scheduler_info(n_workers=-1)["workers"].values()
            # Dask names several workers of a machine node-1-0, node-1-1
            names = (_NODE_NAME.match(str(worker["name"])) for worker in workers)
            machines = {name[0] for name in names if name}
            if len(machines) >= count or time.monotonic() > end:
                return len(machines)
            time.sleep(POLL_SECONDS)


def machine_address() -> str:
    """Return the address by which other machines of its network reach this one."""
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
                raise BackendUnavailable(message, scheduler.address, "See its messages on stderr") from error


@contextmanager
def _running(module: str, arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of Dask beside this one; at the end terminate it, and kill it where that is not enough."""
    environment = os.environ | _variables({"logging.distributed": "warning", **SETTINGS})
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603  # our own arguments
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _variables(settings: Mapping[str, object]) -> dict[str, str]:
    """Return Dask's settings as environment variables: `a.b` is read from DASK_A__B."""
    return {f"DASK_{name.upper().replace('.', '__')}": str(value) for name, value in settings.items()}
