"""`pulse data convert` and `sample`: files into a storage, each whole; no file is replaced unasked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import Final

from pulse_adapters.storage.port import Storage
from pulse_adapters.stores.formats.parquet_bytes import parquet_bytes
from pulse_adapters.stores.formats.registry import variable_of
from pulse_core.errors import DataError, SettingsError
from pulse_core.ports import DataStore, reading
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit, ending_of
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import run_command
from pulse_entrypoints.cli.printing import write_stderr
from pulse_entrypoints.commands.data.inspect import for_each_variable, open_store, selected
from pulse_entrypoints.settings.data_tools import ConvertSettings, SampleSettings
from pulse_entrypoints.settings.s3 import S3Settings
from pulse_entrypoints.wiring import composition

_ANY_S3: Final = S3Settings()
_NAMED: Final = 5
"""Variables that are named where many have been read alike."""
_SUFFIX: Final = ".parquet"
_OTHER_ROWS: Final = "Choose another location, or replace it with --overwrite"


def convert_data(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Write variables as Parquet into another location and return the exit status."""
    return run_command(command_line, environment, ConvertSettings, _convert)


def copy_sample(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Copy the sample data and return the exit status."""
    return run_command(command_line, environment, SampleSettings, _copy_sample)


def _convert(layered: Layered[ConvertSettings]) -> Ending:
    settings = layered.settings
    store = open_store(layered)
    storage = _storage(settings.to, layered.source("to"), settings)
    existing = {entry.name for entry in storage.entries("") if "/" not in entry.name}
    names = selected(store, settings.of)
    understood: dict[str, list[str]] = {}

    def convert(ready: DataStore, variable: str) -> bool:
        name = f"{variable}{_SUFFIX}"
        _refuse_name(variable, name, existing, storage)
        observations = ready.read(variable)
        understood.setdefault(observations.understood, []).append(variable)
        return _write(storage, name, parquet_bytes(observations), overwrite=settings.overwrite)

    with reading(store, names) as ready:
        changes, failures = for_each_variable(names, partial(convert, ready))
    write_stderr("\n".join([*_readings(understood), _report(list(changes.values()), settings.to)]))
    return ending_of(failures, keep_going=False, hint="")


def _readings(understood: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield what the columns of files were taken for, with the variables of which that holds."""
    for reading_of, variables in understood.items():
        if reading_of:
            surplus = f" and {len(variables) - _NAMED} more" if len(variables) > _NAMED else ""
            yield f"pulse: {', '.join(variables[:_NAMED])}{surplus}: {reading_of}"


def _refuse_name(variable: str, name: str, existing: set[str], storage: Storage) -> None:
    """Refuse a variable that cannot be a file's name, or that has a file of another format. Raises DataError."""
    if variable_of(name) != variable:
        raise DataError(f"no file can be named after variable '{variable}'", storage.address(""), "Rename the variable")
    duplicates = sorted(other for other in existing if variable_of(other) == variable and other != name)
    if duplicates:
        hint = "Two files for one variable are no data: choose another location, or move that file away"
        raise DataError(f"variable '{variable}' exists already as {', '.join(duplicates)}", storage.address(""), hint)


def _write(storage: Storage, name: str, content: bytes, *, overwrite: bool = False) -> bool:
    """Write a file; return whether that changed anything. Raises DataError where the file has other content."""
    if storage.create(name, content):
        return True
    if storage.read(name) == content:
        return False
    if not overwrite:
        raise DataError("holds other rows than the data", storage.address(name), _OTHER_ROWS)
    storage.replace(name, content)
    return True


def _copy_sample(layered: Layered[SampleSettings]) -> Ending:
    storage = _storage(layered.settings.folder, layered.source("folder"))
    contents = {
        file.name: file.read_bytes()
        for file in sorted(files("pulse_adapters.sample").iterdir(), key=lambda file: file.name)
        if file.name.endswith((".csv", ".md"))
    }
    changes, failures = for_each_variable(list(contents), lambda name: _write(storage, name, contents[name]))
    write_stderr(_report(list(changes.values()), layered.settings.folder))
    return ending_of(failures, keep_going=False, hint="")


def _report(changes: list[bool], location: str) -> str:
    if not changes:
        return ""
    same = f"; {changes.count(False)} existed already" if False in changes else ""
    count = changes.count(True)
    return f"pulse: {count} {'file' if count == 1 else 'files'} written to {location}{same}"


def _storage(location: str, source: str, settings: S3Settings = _ANY_S3) -> Storage:
    try:
        return composition.storage_of(location, settings)
    except SettingsError as error:
        raise SettingsError([f"{source}: {problem}" for problem in error.problems]) from error
