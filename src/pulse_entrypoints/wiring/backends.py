"""The backends by name, and the options of each: their problems, and the arguments that they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from pulse_adapters.backends.dask.cluster import LocalWorkers, Scheduler, Tls
from pulse_adapters.backends.host.cores import usable_cores
from pulse_adapters.backends.stopping import Stop
from pulse_core.errors import SettingsError
from pulse_core.ports import ComputeBackend
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.settings.dask import EXTERNAL_CLUSTER, LOCAL_CLUSTER
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import entry_points
from pulse_entrypoints.wiring.adapters import Adapter
from pulse_entrypoints.wiring.entry_points import plugins

DASK: Final = "dask"
Announce = Callable[[str, str], object]
"""Takes the addresses of a cluster's scheduler and of its dashboard."""


def announce_nothing(scheduler: str, dashboard: str) -> None:
    """Take the addresses and announce nothing."""
    del scheduler, dashboard


def _one_worker(settings: TrainSettings) -> int:
    del settings
    return 1


def _many_workers(settings: TrainSettings) -> int:
    return settings.max_workers or usable_cores()


def _serial_arguments(settings: TrainSettings, announce: Announce) -> dict[str, Any]:
    del settings, announce
    return {}


def _processes_arguments(settings: TrainSettings, announce: Announce) -> dict[str, Any]:
    del announce
    return {
        "max_workers": settings.max_workers,
        "unit_retries": settings.unit_retries,
        "unit_timeout": settings.unit_timeout or None,
    }


def _one_process_arguments(settings: TrainSettings, announce: Announce) -> dict[str, Any]:
    return {**_processes_arguments(settings, announce), "max_workers": 1}


def _dask_arguments(settings: TrainSettings, announce: Announce) -> dict[str, Any]:
    cluster = _local_workers(settings) if settings.dask_local else _scheduler(settings)
    return {"cluster": cluster, "announce": announce, "unit_timeout": settings.unit_timeout or None}


@attrs.frozen
class Backend:
    """A built-in backend: its adapter, the adapter's arguments beside `stop`, and the number of its workers."""

    adapter: Adapter
    arguments: Callable[[TrainSettings, Announce], dict[str, Any]] = _serial_arguments
    workers: Callable[[TrainSettings], int] = _many_workers


_PROCESSES: Final = Adapter("pulse_adapters.backends.processes.backend:ProcessesBackend")

BACKENDS: Final[Mapping[str, Backend]] = {
    "serial": Backend(Adapter("pulse_adapters.backends.serial:SerialBackend"), workers=_one_worker),
    "processes": Backend(_PROCESSES, _processes_arguments),
    DASK: Backend(
        Adapter("pulse_adapters.backends.dask.backend:DaskBackend", "dask", needs="distributed"), _dask_arguments
    ),
}


_ONE_PROCESS: Final = Backend(_PROCESSES, _one_process_arguments, _one_worker)
"""Serial with a time limit: nothing ends a unit that swallows every exception but the end of its process."""


def backend_name(settings: TrainSettings) -> str:
    """Return the name of the backend."""
    return DASK if settings.use_dask else settings.backend


def backend_of(settings: TrainSettings, stop: Stop, announce: Announce) -> ComputeBackend:
    """Return the backend, built in or another package's. Raises SettingsError where it cannot be loaded."""
    built_in = _built_in(settings)
    backend: ComputeBackend
    if built_in is None:
        backend = plugins(entry_points.BACKENDS)[backend_name(settings)].load()(settings.max_workers)
    else:
        backend = built_in.adapter.load()(stop=stop, **built_in.arguments(settings, announce))
    return backend


def worker_count(settings: TrainSettings) -> int:
    """Return the number of workers that a run has at most."""
    built_in = _built_in(settings)
    return (_many_workers if built_in is None else built_in.workers)(settings)


def _built_in(settings: TrainSettings) -> Backend | None:
    """Return the built-in backend that serves the settings; None for another package's."""
    name = backend_name(settings)
    return _ONE_PROCESS if name == "serial" and settings.unit_timeout else BACKENDS.get(name)


def backend_problems(layered: Layered[TrainSettings]) -> list[str]:
    """Return the options that contradict each other.

    Options of Dask count where they stand on the command line: a file or the environment may hold them for all runs.
    """
    settings = layered.settings
    problems = []
    if settings.use_dask and "backend" in layered.sources and settings.backend != DASK:
        problems.append(f"{layered.source('backend')}: {settings.backend} and --use-dask exclude each other; name one")
    if backend_name(settings) != DASK:
        names = [name for name in (*EXTERNAL_CLUSTER, *LOCAL_CLUSTER, "dask_local") if _on_command_line(layered, name)]
        return problems + [f"{layered.source(name)}: means nothing without Dask; add --use-dask" for name in names]
    return problems + _cluster_problems(layered)


def _cluster_problems(layered: Layered[TrainSettings]) -> list[str]:
    settings = layered.settings
    problems = _options_of_the_other_cluster(layered)
    try:
        _scheduler(settings)
    except SettingsError as error:
        problems += [f"{layered.source('dask_scheduler_address')}: {problem}" for problem in error.problems]
    if settings.dask_adaptive is not None and settings.dask_adaptive[0] > settings.dask_adaptive[1]:
        problems.append(f"{layered.source('dask_adaptive')}: the least is more than the most")
    if settings.dask_adaptive is not None and settings.dask_workers is not None:
        problems.append(f"{layered.source('dask_adaptive')}: excludes {layered.source('dask_workers')}; name one")
    return problems


def _options_of_the_other_cluster(layered: Layered[TrainSettings]) -> list[str]:
    """Return a problem for each option on the command line that is for the other kind of cluster."""
    if layered.settings.dask_local:
        names, hint = EXTERNAL_CLUSTER, "is for a scheduler that runs already; leave out it or --dask-local"
    else:
        names, hint = LOCAL_CLUSTER, "is for a cluster of our own; add --dask-local, or leave it out"
    return [f"{layered.source(name)}: {hint}" for name in names if _on_command_line(layered, name)]


def _on_command_line(layered: Layered[TrainSettings], name: str) -> bool:
    """Whether another value than the default stands on the command line."""
    default = getattr(attrs.fields(TrainSettings), name).default
    present = layered.sources.get(name) == f"--{name.replace('_', '-')}"
    return present and getattr(layered.settings, name) != default


def tls_of(settings: TrainSettings) -> Tls | None:
    """Return the certificates that the settings name, if any. Raises SettingsError."""
    ca, cert, key = settings.dask_tls_ca, settings.dask_tls_cert, settings.dask_tls_key
    paths = [path for path in (ca, cert, key) if path is not None]
    if ca is None or cert is None or key is None:
        if paths:
            raise SettingsError(["tls needs all three: --dask-tls-ca, --dask-tls-cert and --dask-tls-key"])
        return None
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise SettingsError([f"there is no file {path}" for path in missing])
    tls = Tls(ca, cert, key)
    if problem := tls.problem():
        raise SettingsError([problem])
    return tls


def _scheduler(settings: TrainSettings) -> Scheduler:
    """Return the external cluster. Raises SettingsError."""
    return Scheduler(settings.dask_scheduler_address, tls_of(settings))


def _local_workers(settings: TrainSettings) -> LocalWorkers:
    return LocalWorkers(
        workers=settings.dask_workers,
        adaptive=settings.dask_adaptive,
        threads=settings.dask_threads_per_worker,
        memory_limit=settings.dask_memory_limit,
        dashboard_port=settings.dask_dashboard_port,
        deaths_allowed=settings.unit_retries,
    )
