"""Checks of the locations in the settings, before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pulse_adapters.location import Location
from pulse_core.errors import SettingsError
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.settings.locations import DataSettings, OutputSettings, ResultsSettings
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring.adapters import Registry
from pulse_entrypoints.wiring.locations import data_location, output_locations, results_location
from pulse_entrypoints.wiring.storages import STORAGES
from pulse_entrypoints.wiring.stores import STORES

_AWS = "aws"


def location_problems(layered: Layered[Any]) -> list[str]:
    """Return the problems of all locations of a run: of data, results and outputs."""
    return [*unserved_locations(layered), *_output_problems(layered)]


def unserved_locations(layered: Layered[Any]) -> list[str]:
    """Return the problems of the locations of data and results that no adapter can open."""
    settings = layered.settings
    problems: list[str] = []
    if isinstance(settings, DataSettings):
        name = "data" if settings.s3_data_bucket is None else "s3_data_bucket"
        problems += _problems(layered, name, STORES, data_location(settings))
    if isinstance(settings, ResultsSettings):
        name = "results" if settings.s3_results_bucket is None else "s3_results_bucket"
        problems += _problems(layered, name, STORAGES, results_location(settings))
    return problems


def refuse_unserved_locations(layered: Layered[Any]) -> None:
    """Raise SettingsError where no adapter can open a location of data or results."""
    problems = unserved_locations(layered)
    if problems:
        raise SettingsError(problems)


def uses_aws(settings: TrainSettings) -> bool:
    """Whether data, results or an output need credentials for AWS."""
    results = (results_location(settings), *output_locations(settings))
    return STORES.needs(data_location(settings), _AWS) or any(STORAGES.needs(location, _AWS) for location in results)


def _output_problems(layered: Layered[OutputSettings]) -> Iterator[str]:
    output = layered.settings.output_file
    if output is None:
        return
    if Path(output).expanduser().is_dir():
        yield f"{layered.source('output_file')}: {output} is a folder; name a file in it"
        return
    yield from _problems(layered, "output_file", STORAGES, Location.parse(output).split()[0])


def _problems(layered: Layered[Any], name: str, registry: Registry, location: Location) -> Iterator[str]:
    try:
        registry.open(location, layered.settings)
    except SettingsError as error:
        yield from (f"{layered.source(name)}: {location.public}: {problem}" for problem in error.problems)
