"""`pulse data convert` and `sample`: files into a place, whole or not at all, over nothing that is there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.resources import files
from typing import Final

from pulse_adapters.storage.port import Storage
from pulse_adapters.stores.formats.parquet_bytes import parquet_bytes
from pulse_adapters.stores.formats.registry import variable_of
from pulse_core.errors import DataError, SettingsError
from pulse_core.ports import DataStore, reading
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit, answered
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import answer, tell
from pulse_entrypoints.commands.data.inspect import chosen, each_of, opened
from pulse_entrypoints.settings.data_tools import ConvertSettings, SampleSettings
from pulse_entrypoints.settings.s3 import S3Settings
from pulse_entrypoints.wiring import composition

_ANY_S3: Final = S3Settings()
_SUFFIX: Final = ".parquet"
_OTHER_ROWS: Final = "Choose another place, or replace it with --overwrite"


def convert_data(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Write a place's variables as Parquet into another and return the exit status."""
    return answer(command_line, environment, ConvertSettings, _convert)


def copy_sample(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Copy the sample data into a place and return the exit status."""
    return answer(command_line, environment, SampleSettings, _copy_sample)


def _convert(read: Layered[ConvertSettings]) -> Ending:
    settings = read.settings
    store, place = opened(read), _place(settings.to, read.source("to"), settings)
    there = {entry.name for entry in place.entries("") if "/" not in entry.name}
    names = chosen(store, settings.of)

    def convert(ready: DataStore, variable: str) -> bool:
        name = f"{variable}{_SUFFIX}"
        _refuse_name(variable, name, there, place)
        return _put(place, name, parquet_bytes(ready.read(variable)), overwrite=settings.overwrite)

    with reading(store, names) as ready:
        made, failures = each_of(names, partial(convert, ready))
    tell(_written(list(made.values()), settings.to))
    return answered(failures, keep_going=False, hint="")


def _refuse_name(variable: str, name: str, there: set[str], place: Storage) -> None:
    """Refuse a variable that no file can be named after, or that has a file of another kind there. Raises DataError."""
    if variable_of(name) != variable:
        raise DataError(f"no file can be named after variable '{variable}'", place.address(""), "Rename the variable")
    others = sorted(each for each in there if variable_of(each) == variable and each != name)
    if others:
        hint = "Two files for one variable are no data: choose another place, or move that file away"
        raise DataError(f"variable '{variable}' is there already as {', '.join(others)}", place.address(""), hint)


def _put(place: Storage, name: str, content: bytes, *, overwrite: bool = False) -> bool:
    """Write a file; return whether that changed anything. Raises DataError where other content is there."""
    if place.create(name, content):
        return True
    if place.read(name) == content:
        return False
    if not overwrite:
        raise DataError("holds other rows than the data", place.address(name), _OTHER_ROWS)
    place.replace(name, content)
    return True


def _copy_sample(read: Layered[SampleSettings]) -> Ending:
    place = _place(read.settings.folder, read.source("folder"))
    contents = {
        each.name: each.read_bytes()
        for each in sorted(files("pulse_adapters.sample").iterdir(), key=lambda each: each.name)
        if each.name.endswith((".csv", ".md"))
    }
    made, failures = each_of(list(contents), lambda name: _put(place, name, contents[name]))
    tell(_written(list(made.values()), read.settings.folder))
    return answered(failures, keep_going=False, hint="")


def _written(changed: list[bool], place: str) -> str:
    if not changed:
        return ""
    same = f"; {changed.count(False)} were there already" if False in changed else ""
    count = changed.count(True)
    return f"pulse: {count} {'file' if count == 1 else 'files'} written to {place}{same}"


def _place(place: str, source: str, settings: S3Settings = _ANY_S3) -> Storage:
    try:
        return composition.storage_of(place, settings)
    except SettingsError as error:
        raise SettingsError([f"{source}: {problem}" for problem in error.problems]) from error
