"""The settings of the Dask backend: an external cluster, or a local one that Pulse starts."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import attrs

from pulse_entrypoints.cli.kinds import FLAG, PATH, PORT, POSITIVE, RANGE, SIZE, TEXT
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import DASK

EXTERNAL_CLUSTER: Final[tuple[str, ...]] = ("dask_scheduler_address", "dask_tls_ca", "dask_tls_cert", "dask_tls_key")
LOCAL_CLUSTER: Final[tuple[str, ...]] = (
    "dask_workers",
    "dask_adaptive",
    "dask_threads_per_worker",
    "dask_memory_limit",
    "dask_dashboard_port",
)


@attrs.frozen(kw_only=True, slots=False)
class DaskSettings:
    """The options of the Dask backend."""

    use_dask: bool = option(FLAG, DASK, "The same as --backend dask.", default=False)
    dask_scheduler_address: str = option(
        attrs.evolve(TEXT, metavar="HOST:PORT"),
        DASK,
        "The scheduler, started by `dask scheduler`; with tls:// before it, encrypted. Its workers read the data and "
        "write the results by themselves, at the same locations.",
        "127.0.0.1:8786",
    )
    dask_local: bool = option(
        FLAG, DASK, "Start a cluster on this machine for the run, instead of using a scheduler.", default=False
    )
    dask_workers: int | None = option(
        POSITIVE,
        DASK,
        "Worker processes of the cluster that --dask-local starts.",
        default_text="as many as cores allow",
    )
    dask_adaptive: tuple[int, int] | None = option(
        RANGE,
        DASK,
        "Let --dask-local start and end workers by how much there is to do: MIN to MAX.",
        default_text="off",
    )
    dask_threads_per_worker: int = option(POSITIVE, DASK, "Threads of each worker that --dask-local starts.", 1)
    dask_memory_limit: str | None = option(
        SIZE,
        DASK,
        "Memory of each worker that --dask-local starts, such as 2GiB; one that needs more is ended.",
        default_text="an even share",
    )
    dask_dashboard_port: int = option(
        PORT, DASK, "Port of the dashboard of --dask-local, for browsers on this machine only; 0 for any.", 8787
    )
    dask_tls_ca: Path | None = option(PATH, DASK, "For tls://: the certificate of the authority, a PEM file.")
    dask_tls_cert: Path | None = option(PATH, DASK, "For tls://: the certificate of this client, a PEM file.")
    dask_tls_key: Path | None = option(PATH, DASK, "For tls://: the key of that certificate, a PEM file.")
