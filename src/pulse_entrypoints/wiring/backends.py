"""The engine that the settings name: what is wrong with it, and what its adapter is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs

from pulse_adapters.backends.dask.cluster import LocalWorkers, Scheduler, Tls
from pulse_adapters.backends.stopping import Stop
from pulse_core.errors import SettingsError
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.settings.dask import CLUSTER_OF_OTHERS, CLUSTER_OF_OURS
from pulse_entrypoints.settings.train import TrainSettings

DASK: Final = "dask"
Announce = Callable[[str, str], object]
"""Takes the addresses of a cluster's scheduler and of its dashboard."""


def say_nothing(scheduler: str, dashboard: str) -> None:
    """Take them and tell nobody."""
    del scheduler, dashboard


def engine_of(settings: TrainSettings) -> str:
    """Return the name of the backend."""
    return DASK if settings.use_dask else settings.backend


def engine_problems(layered: Layered[TrainSettings]) -> list[str]:
    """Say what does not fit together.

    Options of Dask count where they were typed: a file or the environment may hold them for all runs.
    """
    settings = layered.settings
    problems = []
    if settings.use_dask and "backend" in layered.sources and settings.backend != DASK:
        problems.append(f"{layered.source('backend')}: {settings.backend} and --use-dask exclude each other; name one")
    if engine_of(settings) != DASK:
        typed = [name for name in (*CLUSTER_OF_OTHERS, *CLUSTER_OF_OURS, "dask_local") if _typed(layered, name)]
        return problems + [f"{layered.source(name)}: means nothing without Dask; add --use-dask" for name in typed]
    problems += _misplaced(layered)
    try:
        _scheduler(settings)
    except SettingsError as error:
        problems += [f"{layered.source('dask_scheduler_address')}: {problem}" for problem in error.problems]
    if settings.dask_adaptive is not None and settings.dask_adaptive[0] > settings.dask_adaptive[1]:
        problems.append(f"{layered.source('dask_adaptive')}: the least is more than the most")
    if settings.dask_adaptive is not None and settings.dask_workers is not None:
        problems.append(f"{layered.source('dask_adaptive')}: excludes {layered.source('dask_workers')}; name one")
    return problems


def engine_parts(settings: TrainSettings, stop: Stop, announce: Announce) -> dict[str, Any]:
    """Return what the backend's adapter is made of."""
    parts: dict[str, Any] = {"stop": stop}
    if engine_of(settings) == "processes":
        parts |= {"max_workers": settings.max_workers, "unit_retries": settings.unit_retries}
    elif engine_of(settings) == DASK:
        cluster = _local_workers(settings) if settings.dask_local else _scheduler(settings)
        parts |= {"cluster": cluster, "announce": announce}
    return parts


def _misplaced(layered: Layered[TrainSettings]) -> list[str]:
    """Say which options of one kind of cluster were typed for the other."""
    if layered.settings.dask_local:
        names, hint = CLUSTER_OF_OTHERS, "is for a scheduler that runs already; leave out it or --dask-local"
    else:
        names, hint = CLUSTER_OF_OURS, "is for a cluster of our own; add --dask-local, or leave it out"
    return [f"{layered.source(name)}: {hint}" for name in names if _typed(layered, name)]


def _typed(layered: Layered[TrainSettings], name: str) -> bool:
    """Whether another value than the default stands on the command line."""
    default = getattr(attrs.fields(TrainSettings), name).default
    typed = layered.sources.get(name) == f"--{name.replace('_', '-')}"
    return typed and getattr(layered.settings, name) != default


def tls_of(settings: TrainSettings) -> Tls | None:
    """Return the certificates that are named, if any. Raises SettingsError."""
    ca, cert, key = settings.dask_tls_ca, settings.dask_tls_cert, settings.dask_tls_key
    given = [path for path in (ca, cert, key) if path is not None]
    if ca is None or cert is None or key is None:
        if given:
            raise SettingsError(["tls needs all three: --dask-tls-ca, --dask-tls-cert and --dask-tls-key"])
        return None
    missing = [str(path) for path in given if not path.is_file()]
    if missing:
        raise SettingsError([f"there is no file {path}" for path in missing])
    return Tls(ca, cert, key)


def _scheduler(settings: TrainSettings) -> Scheduler:
    """Return the cluster of others. Raises SettingsError."""
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
