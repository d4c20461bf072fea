"""The composition root: the training and its forecasters, wired from settings by the tables of this package."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import numpy as np

from pulse_adapters.forecasters.imported import imported, is_import_name
from pulse_adapters.forecasters.libraries import is_library_name, library_forecaster
from pulse_adapters.forecasters.plugins import plugin_forecaster
from pulse_core import __version__
from pulse_core.data.observations import Observations
from pulse_core.errors import InvalidSpec, SettingsError
from pulse_core.events import Observer
from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.registry import resolve
from pulse_core.plan import Slice
from pulse_core.ports import DataStore
from pulse_core.runs.training import RetrodictionTraining
from pulse_core.spec import AUTO, CUSTOM_QUANTILES, RunSpec
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.signals import current
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import entry_points
from pulse_entrypoints.wiring.adapters import Adapter
from pulse_entrypoints.wiring.backends import BACKENDS, Announce, announce_nothing, backend_of
from pulse_entrypoints.wiring.defaults import DataDefaults
from pulse_entrypoints.wiring.entry_points import plugins
from pulse_entrypoints.wiring.location_checks import location_problems, refuse_unserved_locations, unserved_locations
from pulse_entrypoints.wiring.results_archive import ResultsArchive
from pulse_entrypoints.wiring.specification import SampleFacts
from pulse_entrypoints.wiring.storages import STORAGES, sink_of, sink_of_run, storage_of
from pulse_entrypoints.wiring.stores import STORES, sample_store, store_of

__all__ = [
    "BACKENDS",
    "STORAGES",
    "STORES",
    "Adapter",
    "custom_forecasters",
    "data_defaults",
    "location_problems",
    "refuse_unserved_locations",
    "sample_facts",
    "sink_of",
    "sink_of_run",
    "software",
    "storage_of",
    "store_of",
    "training",
    "unserved_locations",
    "utc_now",
]

_ANOTHER: Final = "naive"


def custom_forecasters(
    layered: Layered[TrainSettings], given: Sequence[Forecaster] = ()
) -> tuple[tuple[Forecaster, ...], list[str]]:
    """Return the user's and libraries' forecasters, and the problems of those that cannot be loaded.

    Those that are `given` need not be found by their names.
    """
    forecasters: list[Forecaster] = list(given)
    problems: list[str] = []
    known = {name for forecaster in given for name in (forecaster.name, f"{forecaster.name}{CUSTOM_QUANTILES}")}
    for option, names in _forecaster_names(layered).items():
        for name in (name for name in names if name not in known):
            try:
                forecasters.extend(_custom_forecaster(name, layered.settings))
            except InvalidSpec as error:
                problems.extend(f"{layered.source(option)}: {_without_option(problem)}" for problem in error.problems)
            except SettingsError as error:
                problems.extend(f"{layered.source(option)}: {problem}" for problem in error.problems)
    return tuple(forecasters), problems


def forecasters_of(spec: RunSpec) -> tuple[Forecaster, ...]:
    """Return a run's forecasters beside the core's. Raises SettingsError with all that cannot be loaded here."""
    return forecasters_named(spec.forecasters, spec)


def forecasters_named(names: Sequence[str], spec: RunSpec) -> tuple[Forecaster, ...]:
    """Return those of a run's forecasters with these names that are not the core's. Raises as `forecasters_of`."""
    forecasters: list[Forecaster] = []
    problems: list[SettingsError] = []
    for name in names:
        try:
            forecasters.extend(_custom_forecaster(name, spec))
        except SettingsError as error:
            problems.append(error)
    if problems:
        kind = InvalidSpec if all(isinstance(error, InvalidSpec) for error in problems) else SettingsError
        raise kind([problem for error in problems for problem in error.problems])
    return tuple(forecasters)


def _custom_forecaster(name: str, settings: TrainSettings | RunSpec) -> tuple[Forecaster, ...]:
    """Return the forecaster behind a name, nothing for one of the core's. Raises SettingsError."""
    if name.endswith(CUSTOM_QUANTILES):
        return ()  # the quantiles of the forecaster that is named before it
    if is_library_name(name):
        return (library_forecaster(name, refit_every=settings.refit_every),)
    if is_import_name(name):
        return (imported(name, Path.cwd(), settings.refit_every),)
    try:
        resolve([_ANOTHER, name])  # a combination needs another forecaster beside it
    except InvalidSpec:
        plugin = plugins(entry_points.FORECASTERS).get(name)
        if plugin is None:
            raise
        return (plugin_forecaster(name, plugin.target, plugin.folder, plugin.package, settings.refit_every),)
    return ()


def data_defaults(settings: TrainSettings, store: DataStore | None, *, is_sound: bool) -> DataDefaults:
    """Return what the data say of variables and period; of settings that are not sound no store is opened."""
    if not is_sound:
        return DataDefaults(None)
    return DataDefaults(lambda: store_of(settings) if store is None else store, settings.min_history)


def sample_facts() -> SampleFacts:
    """Return the sample's variables and the last day that any of them has."""
    store = sample_store()
    names = tuple(store.names())
    return SampleFacts(names, max(_last_day(store.read(name)) for name in names))


def training(
    settings: TrainSettings,
    sink: ResultsArchive,
    forecasters: Sequence[Forecaster],
    observer: Observer,
    clock: Callable[[], datetime],
    announce: Announce = announce_nothing,
    store: DataStore | None = None,
) -> RetrodictionTraining:
    """Wire the adapters that the settings name; `announce` receives the addresses of a cluster.

    The `store` of a caller in Python takes the place of the one that the settings name.
    """
    return RetrodictionTraining(
        store=store_of(settings) if store is None else store,
        backend=backend_of(settings, current().stop, announce),
        sink=sink,
        forecasters=tuple(forecasters),
        unit_size=settings.unit_size,
        slice=None if settings.slice is None else Slice(*settings.slice),
        run_id=settings.run_id,
        hindcasts=settings.hindcasts or settings.report,
        keep_going=settings.keep_going,
        fresh=settings.fresh,
        observer=observer,
        clock=clock,
        software=software(),
    )


def software() -> dict[str, str]:
    """Return the versions that a result names."""
    return {
        "pulse": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
    }


def utc_now() -> datetime:
    """Return the present time: the clock of every entry point."""
    return datetime.now(UTC)


def _forecaster_names(layered: Layered[TrainSettings]) -> dict[str, tuple[str, ...]]:
    forecasters = layered.settings.forecasters or ()
    benchmark = layered.settings.benchmark
    return {"forecasters": forecasters, "benchmark": () if benchmark in (AUTO, *forecasters) else (benchmark,)}


def _without_option(problem: str) -> str:
    return problem.removeprefix("forecasters: ")


def _last_day(observations: Observations) -> date:
    last: date = observations.timestamps.max().astype("datetime64[D]").item()
    return last
