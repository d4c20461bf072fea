"""The one place that knows adapters by name: tables name -> dotted path and install hint; loaded on use."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

import pulse_adapters.sample
from pulse_adapters.forecasters.imported import imported, is_import_name
from pulse_adapters.forecasters.libraries import is_library_name, library_forecaster
from pulse_adapters.forecasters.plugged import plugged_in
from pulse_adapters.sinks.places import Place
from pulse_core import __version__
from pulse_core.errors import InvalidSpec, SettingsError
from pulse_core.events import Observer
from pulse_core.forecasters import resolve
from pulse_core.forecasters.base import Forecaster
from pulse_core.plan import Slice
from pulse_core.ports import ComputeBackend, DataStore
from pulse_core.series import Observations
from pulse_core.spec import RunSpec
from pulse_core.training import RetrodictionTraining
from pulse_entrypoints import entry_points
from pulse_entrypoints.engines import Announce, engine_of, engine_parts, say_nothing
from pulse_entrypoints.entry_points import Plugin, plugins
from pulse_entrypoints.layers import Layered
from pulse_entrypoints.results_place import ResultsPlace
from pulse_entrypoints.settings import TrainSettings
from pulse_entrypoints.settings.places import SAMPLE, DataSettings, ResultsSettings
from pulse_entrypoints.signals import current
from pulse_entrypoints.specification import SampleFacts


@attrs.frozen
class Adapter:
    """Where an adapter's class is, and the extra of `pulse-retrodiction` that brings the library it `needs`.

    What it needs is named where its module imports it later.
    """

    path: str
    extra: str = ""
    needs: str = ""

    def load(self) -> Any:
        """Import the class. Raises SettingsError with the install hint where a library is missing."""
        module, name = self.path.split(":")
        try:
            if self.needs:
                importlib.import_module(self.needs)
            return getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            if not self.extra or (error.name or "").startswith("pulse_"):
                raise
            hint = f"pip install 'pulse-retrodiction[{self.extra}]'"
            raise SettingsError([f"'{error.name}' is not installed; {hint}"]) from error


STORES: Final[Mapping[str, Adapter]] = {
    "folder": Adapter("pulse_adapters.stores.filesystem:FilesystemStore"),
}
BACKENDS: Final[Mapping[str, Adapter]] = {
    "serial": Adapter("pulse_adapters.backends.serial:SerialBackend"),
    "processes": Adapter("pulse_adapters.backends.processes:ProcessesBackend"),
    "dask": Adapter("pulse_adapters.backends.dask:DaskBackend", "dask", needs="distributed"),
}
SINKS: Final[Mapping[str, Adapter]] = {
    "folder": Adapter("pulse_adapters.sinks.filesystem:FilesystemSink"),
}
PLACES: Final[Mapping[str, Adapter]] = {
    "folder": Adapter("pulse_adapters.sinks.folder:Folder"),
}
"""Stores, sinks and places go by the scheme of their place: `folder` without one."""

_ALWAYS_THERE: Final = "naive"
_SAMPLE_FOLDER: Final = Path(pulse_adapters.sample.__file__).parent


def place_problems(layered: Layered[TrainSettings]) -> list[str]:
    """Say which places no adapter serves, or cannot be what they should be."""
    problems = unserved_places(layered)
    output = layered.settings.output_file
    if output is not None and output.is_dir():
        problems.append(f"{layered.source('output_file')}: {output} is a folder; name a file in it")
    return problems


def unserved_places(layered: Layered[Any]) -> list[str]:
    """Say which of a command's places no adapter serves."""
    problems: list[str] = []
    for name, table in {"data": STORES, "results": SINKS}.items():
        place = getattr(layered.settings, name, None)
        if place is not None and _scheme(place) not in table and not (name == "data" and _plugged_store(place)):
            what = f"no adapter for {_scheme(place)}:// in this version; name a local folder"
            problems.append(f"{layered.source(name)}: {_without_secrets(place)}: {what}")
    return problems


def own_forecasters(layered: Layered[TrainSettings]) -> tuple[tuple[Forecaster, ...], list[str]]:
    """Return the user's and libraries' forecasters, and what is wrong with those that cannot be had or are unknown."""
    found: list[Forecaster] = []
    problems: list[str] = []
    for option, names in _forecaster_names(layered).items():
        for name in names:
            try:
                found.extend(_own_forecaster(name, layered.settings))
            except InvalidSpec as error:
                problems.extend(f"{layered.source(option)}: {_rest(problem)}" for problem in error.problems)
            except SettingsError as error:
                problems.extend(f"{layered.source(option)}: {problem}" for problem in error.problems)
    return tuple(found), problems


def forecasters_of(spec: RunSpec) -> tuple[Forecaster, ...]:
    """Return a run's forecasters beside the core's. Raises SettingsError where one cannot be had here."""
    return tuple(found for name in spec.roster for found in _own_forecaster(name, spec))


def _own_forecaster(name: str, settings: TrainSettings | RunSpec) -> tuple[Forecaster, ...]:
    """Return the forecaster behind a name, nothing for one of the core's. Raises SettingsError."""
    if is_library_name(name):
        return (library_forecaster(name, settings.season, settings.refit_every),)
    if is_import_name(name):
        return (imported(name, Path.cwd(), settings.refit_every),)
    try:
        resolve([_ALWAYS_THERE, name])  # a combination needs another forecaster beside it
    except InvalidSpec:
        plugin = plugins(entry_points.FORECASTERS).get(name)
        if plugin is None:
            raise
        return (plugged_in(name, plugin.target, plugin.folder, plugin.package, settings.refit_every),)
    return ()


def sample_facts() -> SampleFacts:
    """Return the sample's variables and the last day that any of them has."""
    store = _store(SAMPLE)
    names = tuple(store.names())
    return SampleFacts(names, max(_last_day(store.read(name)) for name in names))


def sink_of(settings: ResultsSettings, outputs: Sequence[Path] = ()) -> ResultsPlace:
    """Return the place of the results; `result.json` is also put at the outputs."""
    sink: ResultsPlace = SINKS[_scheme(settings.results)].load()(Path(settings.results).expanduser(), outputs)
    return sink


def place_of(place: str) -> Place:
    """Return a place for files. Raises SettingsError where no adapter serves it."""
    scheme = _scheme(place)
    if scheme not in PLACES:
        raise SettingsError([f"{_without_secrets(place)}: no adapter for {scheme}:// in this version; name a folder"])
    made: Place = PLACES[scheme].load()(Path(place).expanduser())
    return made


def store_of(settings: DataSettings) -> DataStore:
    """Return where the data are read from."""
    return _store(settings.data)


def training(
    settings: TrainSettings,
    sink: ResultsPlace,
    forecasters: Sequence[Forecaster],
    observer: Observer,
    clock: Callable[[], datetime],
    announce: Announce = say_nothing,
) -> RetrodictionTraining:
    """Wire the adapters that the settings name; `announce` is told where a cluster is."""
    return RetrodictionTraining(
        store=store_of(settings),
        backend=_backend(settings, announce),
        sink=sink,
        forecasters=tuple(forecasters),
        unit_size=settings.unit_size,
        slice=None if settings.slice is None else Slice(*settings.slice),
        run_id=settings.run_id,
        hindcasts=settings.hindcasts,
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
        "scipy": version("scipy"),
        "machine": platform.machine(),
    }


def utc_now() -> datetime:
    """Return the time: the clock of every entry point."""
    return datetime.now(UTC)


def _store(place: str) -> DataStore:
    folder = _SAMPLE_FOLDER if place == SAMPLE else Path(place).expanduser()
    plugin = _plugged_store(place)
    store: DataStore = plugin.load()(place) if plugin else STORES[_scheme(place)].load()(folder)
    return store


def _backend(settings: TrainSettings, announce: Announce) -> ComputeBackend:
    engine = engine_of(settings)
    if engine not in BACKENDS:
        plugged: ComputeBackend = plugins(entry_points.BACKENDS)[engine].load()(settings.max_workers)
        return plugged
    backend: ComputeBackend = BACKENDS[engine].load()(**engine_parts(settings, current().stop, announce))
    return backend


def _plugged_store(place: str) -> Plugin | None:
    """Return the store that another package brings for a scheme; a built-in one goes first."""
    scheme = _scheme(place)
    return None if scheme in STORES else plugins(entry_points.STORES).get(scheme)


def _scheme(place: str) -> str:
    scheme, separator, _ = place.partition("://")
    return scheme.lower() if separator else "folder"


def _without_secrets(place: str) -> str:
    """Return a place without the user and password that an address may hold."""
    scheme, separator, rest = place.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else place


def _forecaster_names(layered: Layered[TrainSettings]) -> dict[str, tuple[str, ...]]:
    forecasters = layered.settings.forecasters or ()
    benchmark = layered.settings.benchmark
    return {"forecasters": forecasters, "benchmark": () if benchmark in forecasters else (benchmark,)}


def _rest(problem: str) -> str:
    return problem.removeprefix("forecasters: ")


def _last_day(observations: Observations) -> date:
    last: date = observations.timestamps.max().astype("datetime64[D]").item()
    return last
