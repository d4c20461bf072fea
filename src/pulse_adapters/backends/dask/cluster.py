"""Dask clusters: one that somebody else runs, or one of our own that lives as long as the run."""

from __future__ import annotations

import os
import signal
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import attrs

from pulse_adapters.backends.host.cores import usable_cores
from pulse_adapters.backends.host.resource_tracker import start_resource_tracker
from pulse_core.errors import BackendUnavailable, SettingsError

LOOPBACK: Final = "127.0.0.1"
DEFAULT_ADDRESS: Final = f"{LOOPBACK}:8786"
SCHEMES: Final = ("tcp", "tls")
CONNECT_SECONDS: Final = 15.0
CLOSE_SECONDS: Final = 2.0

SETTINGS: Final = {"distributed.worker.profile.enabled": False}
"""Dask's settings on clusters of our own. By default its workers sample their threads' stacks for the dashboard."""

SCHEDULER_HINT: Final = (
    "Start one there with `dask scheduler`, name another with --dask-scheduler-address, or let Pulse start a cluster "
    "on this machine with --dask-local"
)
TLS_HINT: Final = "See that --dask-tls-ca, --dask-tls-cert and --dask-tls-key fit those of the scheduler"


def scheduler_address(text: str) -> str:
    """Return an address with its scheme: `tcp://` where none is named. Raises SettingsError."""
    scheme, separator, authority = text.rpartition("://")
    host, colon, port = authority.rpartition(":")
    complete = host and colon and port.isdecimal() and 0 < int(port) < 1 << 16
    if not complete or (scheme if separator else "tcp") not in SCHEMES:
        raise SettingsError(
            [f"'{text}' is no scheduler's address: expected one such as {DEFAULT_ADDRESS} or tls://host:8786"]
        )
    return f"{scheme or 'tcp'}://{authority}"


class _NeedsPhrase(Exception):
    """A key is encrypted."""


def _no_phrase() -> str:
    raise _NeedsPhrase


@attrs.frozen
class Tls:
    """Certificates, as PEM files: that of the authority, that of this client, and this client's key."""

    ca: Path
    cert: Path
    key: Path

    def problem(self) -> str:
        """Return why these files cannot be used; "" where they can. OpenSSL asks nobody for a phrase meanwhile."""
        context = ssl.create_default_context()
        try:
            context.load_verify_locations(self.ca)
        except OSError as error:
            return f"--dask-tls-ca: {self.ca} holds no certificate: {error.strerror or error}"
        try:
            context.load_cert_chain(self.cert, self.key, password=_no_phrase)
        except _NeedsPhrase:
            return f"--dask-tls-key: {self.key} is encrypted; give one that is not: openssl pkey -in KEY -out PLAIN_KEY"
        except OSError as error:
            return f"--dask-tls-key: {self.key} does not fit {self.cert}, or one of them is damaged: {error}"
        return ""


@attrs.frozen
class Scheduler:
    """A cluster that somebody else runs, by its scheduler's address: `tcp://host:port`, or `tls://` with certificates.

    Whoever can reach a scheduler without TLS can run code on its workers. Its settings, such as the sampling profiler
    of its workers, are those of whoever started it.
    """

    address: str = attrs.field(default=DEFAULT_ADDRESS, converter=scheduler_address)
    tls: Tls | None = None

    def __attrs_post_init__(self) -> None:
        if self.address.startswith("tls://") != (self.tls is not None):
            raise SettingsError([f"{self.address}: certificates and tls:// go together; give both or neither"])

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Connect; close the connection at the end. Raises BackendUnavailable."""
        with _client(self.address, self.address, self._security()) as client:
            yield client

    def _security(self) -> Any:
        from distributed import Security

        if self.tls is None:
            return None
        return Security(
            tls_ca_file=str(self.tls.ca),
            tls_client_cert=str(self.tls.cert),
            tls_client_key=str(self.tls.key),
            require_encryption=True,
        )


@attrs.frozen
class LocalWorkers:
    """A cluster of our own on this machine, on loopback addresses only.

    `workers` None stands for so many that with `threads` each they use all usable cores; `adaptive` (least, most) lets
    Dask choose their number. `memory_limit` is that of each worker, as `2GiB`. With `processes` False the workers are
    threads of this process. Dask's sampling profiler is off.
    """

    workers: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    adaptive: tuple[int, int] | None = None
    threads: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    memory_limit: str | None = None
    dashboard_port: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    deaths_allowed: int = attrs.field(default=2, validator=attrs.validators.ge(0))
    processes: bool = True

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Start the cluster and connect; close both at the end. Raises BackendUnavailable."""
        with self._cluster() as cluster, _client(cluster, "the cluster of our own") as client:
            yield client

    @contextmanager
    def _cluster(self) -> Iterator[Any]:
        import dask
        from distributed import LocalCluster

        count = self.adaptive[0] if self.adaptive else self.workers or max(1, usable_cores() // self.threads)
        start_resource_tracker()
        try:
            with dask.config.set({**SETTINGS, "distributed.scheduler.allowed-failures": self.deaths_allowed}):
                cluster = LocalCluster(
                    n_workers=count,
                    threads_per_worker=self.threads,
                    memory_limit=self.memory_limit or "auto",
                    processes=self.processes,
                    host=LOOPBACK if self.processes else None,
                    dashboard_address=f"{LOOPBACK}:{self.dashboard_port}",
                )
        except (OSError, RuntimeError, ValueError) as error:
            message = f"no Dask cluster can be started: {error}"
            hint = "Something may have ended its workers: look for limits on memory, or use --backend processes"
            raise BackendUnavailable(message, "--dask-local", hint) from error
        with cluster:
            if self.adaptive:
                cluster.adapt(minimum=self.adaptive[0], maximum=self.adaptive[1])
            try:
                yield cluster
            except BaseException:
                _kill_workers(cluster)  # in the middle of a unit they would not end when Dask asks them to
                raise


def _kill_workers(cluster: Any) -> None:
    for nanny in cluster.workers.values():
        pid = getattr(nanny, "pid", None)  # None where the workers are threads, or one is just being started
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def _client(target: Any, name: str, security: Any = None) -> Iterator[Any]:
    from distributed import Client

    try:
        client = Client(target, timeout=CONNECT_SECONDS, security=security, set_as_default=False, name="pulse")
    except (OSError, ValueError) as error:
        hint = TLS_HINT if security is not None else SCHEDULER_HINT
        raise BackendUnavailable(f"no Dask scheduler answers: {error}", name, hint) from error
    try:
        yield client
    finally:
        client.close(CLOSE_SECONDS)
