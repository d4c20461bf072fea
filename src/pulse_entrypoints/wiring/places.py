"""Where data come from and results go: the stores and places there are, by the scheme of their name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pulse_adapters.sample
from pulse_adapters.sinks.folder import output_file
from pulse_adapters.sinks.storage_sink import Output, StorageSink
from pulse_adapters.storage.port import Storage
from pulse_core.errors import SettingsError
from pulse_core.ports import DataStore
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.settings.locations import SAMPLE, DataSettings, ResultsSettings
from pulse_entrypoints.settings.s3 import S3Settings
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import entry_points
from pulse_entrypoints.wiring.adapters import Adapter
from pulse_entrypoints.wiring.entry_points import Plugin, plugins
from pulse_entrypoints.wiring.locations import (
    S3Location,
    aws_of,
    cache_of,
    data_in_s3,
    results_in_s3,
    s3_place,
    scheme_of,
)
from pulse_entrypoints.wiring.results_archive import ResultsArchive

STORES: Final[Mapping[str, Adapter]] = {
    "folder": Adapter("pulse_adapters.stores.folder:FolderStore"),
    "s3": Adapter("pulse_adapters.stores.s3:S3Store", "aws", needs="boto3"),
    "s3-long": Adapter("pulse_adapters.stores.s3_long:S3LongStore", "aws", needs="boto3"),
}
PLACES: Final[Mapping[str, Adapter]] = {
    "folder": Adapter("pulse_adapters.storage.folder:FolderStorage"),
    "s3": Adapter("pulse_adapters.storage.s3:S3Storage", "aws", needs="boto3"),
}
"""Stores and places of results go by the scheme of their name: `folder` without one."""

KEPT: Final = "results"
"""The local folder in which what cannot be uploaded is kept."""

_SAMPLE_FOLDER: Final = pulse_adapters.sample.FOLDER
_ANY_S3: Final = S3Settings()


def place_problems(layered: Layered[Any]) -> list[str]:
    """Say which places no adapter serves, or cannot be what they should be."""
    problems = unserved_places(layered)
    output = layered.settings.output_file
    if output is not None and output.is_dir():
        problems.append(f"{layered.source('output_file')}: {output} is a folder; name a file in it")
    return problems


def unserved_places(layered: Layered[Any]) -> list[str]:
    """Say which of a command's places no adapter serves."""
    settings = layered.settings
    problems: list[str] = []
    if isinstance(settings, DataSettings):
        name = "data" if settings.s3_data_bucket is None else "s3_data_bucket"
        problems += _unserved(layered, name, STORES, data_in_s3)
    if isinstance(settings, ResultsSettings):
        name = "results" if settings.s3_results_bucket is None else "s3_results_bucket"
        problems += _unserved(layered, name, PLACES, results_in_s3)
    return problems


def _unserved(
    layered: Layered[Any], name: str, table: Mapping[str, Adapter], in_s3: Callable[[Any], S3Location | None]
) -> Iterator[str]:
    place = getattr(layered.settings, name)
    told = f"{layered.source(name)}: {_without_secrets(place)}"
    if scheme_of(place) not in table:
        if table is not STORES or _plugged_store(place) is None:
            yield f"{told}: no adapter for {scheme_of(place)}://; name a local folder, or s3://bucket/folder"
        return
    try:
        table["folder" if in_s3(layered.settings) is None else "s3"].load()
    except ValueError as error:
        yield f"{told}: {error}"
    except SettingsError as error:
        yield from (f"{told}: {problem}" for problem in error.problems)


def sink_of(
    settings: ResultsSettings, outputs: Sequence[Path] = (), objects: Sequence[tuple[str, str]] = ()
) -> ResultsArchive:
    """Return the place of the results; `result.json` is also put at the outputs, and in S3 as the objects."""
    in_s3 = results_in_s3(settings)
    place = _folder(settings.results) if in_s3 is None else _bucket(in_s3, settings)
    local = [output_file(path) for path in outputs]
    remote = [Output(_bucket(S3Location(bucket, ""), settings), key) for bucket, key in objects]
    return StorageSink(place, (*local, *remote))


def sink_of_run(settings: TrainSettings) -> ResultsArchive:
    """Return the place of the results with all that a run puts its result into."""
    outputs = () if settings.output_file is None else (settings.output_file,)
    objects = () if settings.s3_output_file is None else (settings.s3_output_file,)
    return sink_of(settings, outputs, objects)


def place_of(place: str, settings: S3Settings = _ANY_S3) -> Storage:
    """Return a place for files. Raises SettingsError where no adapter serves it."""
    scheme = scheme_of(place)
    if scheme not in PLACES:
        message = f"no adapter for {scheme}://; name a folder, or s3://bucket/folder"
        raise SettingsError([f"{_without_secrets(place)}: {message}"])
    if scheme == "folder":
        return _folder(place)
    try:
        return _bucket(s3_place(place), settings)
    except ValueError as error:
        raise SettingsError([f"{_without_secrets(place)}: {error}"]) from error


def store_of(settings: DataSettings) -> DataStore:
    """Return where the data are read from."""
    in_s3 = data_in_s3(settings)
    if in_s3 is None:
        return _local_store(settings.data)
    aws, cache = aws_of(settings), cache_of(settings)
    kind = STORES["s3-long" if in_s3.is_long_file else "s3"]
    store: DataStore = kind.load()(in_s3.bucket, in_s3.prefix, aws, cache, settings.cache_expiration_hours * 3_600)
    return store


def sample_store() -> DataStore:
    """Return the series that come with Pulse."""
    return _local_store(SAMPLE)


def _local_store(place: str) -> DataStore:
    folder = _SAMPLE_FOLDER if place == SAMPLE else Path(place).expanduser()
    plugin = _plugged_store(place)
    store: DataStore = plugin.load()(place) if plugin else STORES["folder"].load()(folder)
    return store


def _plugged_store(place: str) -> Plugin | None:
    """Return the store that another package brings for a scheme; a built-in one goes first."""
    scheme = scheme_of(place)
    return None if scheme in STORES else plugins(entry_points.STORES).get(scheme)


def _folder(place: str) -> Storage:
    folder: Storage = PLACES["folder"].load()(Path(place).expanduser())
    return folder


def _bucket(place: S3Location, settings: S3Settings) -> Storage:
    bucket: Storage = PLACES["s3"].load()(place.bucket, place.prefix, aws_of(settings), Path(KEPT))
    return bucket


def _without_secrets(place: str) -> str:
    """Return a place without the user and password that an address may hold."""
    scheme, separator, rest = place.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else place
