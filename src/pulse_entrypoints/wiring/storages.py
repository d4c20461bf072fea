"""Storages by scheme, and the sink of the results that the settings name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pulse_adapters.location import Location
from pulse_adapters.sinks.storage_sink import Output, StorageSink
from pulse_adapters.storage.port import Storage
from pulse_core.errors import SettingsError
from pulse_entrypoints.settings.locations import ResultsSettings
from pulse_entrypoints.settings.s3 import S3Settings
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import entry_points
from pulse_entrypoints.wiring.adapters import Adapter, Registry
from pulse_entrypoints.wiring.locations import output_locations, results_location
from pulse_entrypoints.wiring.results_archive import ResultsArchive

STORAGES: Final = Registry(
    entry_points.STORAGES,
    {
        "folder": Adapter("pulse_adapters.storage.folder:open_storage"),
        "s3": Adapter("pulse_adapters.storage.s3:open_storage", "aws", needs="boto3"),
    },
)
"""The storages by the scheme of --results, --output-file and the targets of `pulse data convert`."""

_DEFAULT_S3: Final = S3Settings()


def sink_of(settings: ResultsSettings, outputs: Iterable[Location] = ()) -> ResultsArchive:
    """Return the sink of the results; `result.json` is written to the files `outputs` too. Raises SettingsError."""
    storage: Storage = STORAGES.open(results_location(settings), settings)
    return StorageSink(storage, tuple(output_of(location, settings) for location in outputs))


def sink_of_run(settings: TrainSettings) -> ResultsArchive:
    """Return the sink of the results with all outputs of a run. Raises SettingsError."""
    return sink_of(settings, output_locations(settings))


def output_of(location: Location, settings: S3Settings) -> Output:
    """Return a file as an output of a run's result. Raises SettingsError."""
    folder, name = location.split()
    return Output(STORAGES.open(folder, settings), name)


def storage_of(text: str, settings: S3Settings = _DEFAULT_S3) -> Storage:
    """Return the storage of a location such as `s3://bucket/folder`. Raises SettingsError where none can open it."""
    location = Location.parse(text)
    try:
        storage: Storage = STORAGES.open(location, settings)
    except SettingsError as error:
        raise SettingsError([f"{location.public}: {problem}" for problem in error.problems]) from error
    return storage
