"""Variables in files: a folder with one file a variable, or one long file of many."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import attrs

from pulse_adapters.stores.formats.registry import (
    SUFFIXES,
    not_found,
    of_long,
    parse,
    suffix_of,
    the_only_file,
    variable_of,
    version_of,
)
from pulse_adapters.stores.formats.table import Table, observations
from pulse_core.data.observations import Observations
from pulse_core.errors import MalformedData, StoreUnavailable

_MEND = "Name a folder that holds one file a variable, or one long file with a column 'variable'"

Stamp = tuple[int, int, int, int]
"""What changes when a file or folder does: device, inode, time of change in ns, size."""


@attrs.frozen
class FolderStore:
    """Reads `<location>/<variable>.csv`, `.parquet`, `.jsonl`, or a file `location` with a column `variable`.

    Each may be gzipped (`.csv.gz`). Only files that the folder itself lists are opened, so no variable's name
    leads out of it; whoever owns the folder may link files into it. Hidden files, folders and other files are
    passed over. Nothing is opened before the first use.
    """

    location: Path = attrs.field(converter=Path)

    def names(self) -> Iterator[str]:
        """Yield the variables' names, sorted. Raises StoreUnavailable, and MalformedData for a long file."""
        status = _status(self.location)
        if _is_folder(status):
            yield from sorted(_files(self.location, _stamp(status)))
        else:
            yield from sorted(_long_table(self.location, status)[0].groups or ())

    def read(self, variable: str) -> Observations:
        """Return a variable's rows. Raises VariableNotFound, MalformedData, StoreUnavailable.

        Two files for one variable are a DataError.
        """
        status = _status(self.location)
        if not _is_folder(status):
            table, version = _long_table(self.location, status)
            return of_long(table, variable, str(self.location), version)
        path = self._path(variable, _stamp(status))
        content = _content(path)
        table = parse(content, path.name, str(path))
        return observations(table, variable, str(path), version_of(content, path.name))

    def version(self, variable: str) -> str:
        """Return a hash of what is in the variable's file. Raises VariableNotFound, DataError, StoreUnavailable.

        Of a long file it is that of the whole, which need not hold the variable.
        """
        status = _status(self.location)
        if not _is_folder(status):
            return _long_version(self.location, _stamp(status))
        path = self._path(variable, _stamp(status))
        return version_of(_content(path), path.name)

    def sizes(self, variables: Sequence[str]) -> Mapping[str, int]:
        """Return the bytes of the files that reading these variables reads, by name; nothing is read.

        Raises VariableNotFound for one that a folder has no file for, StoreUnavailable.
        """
        status = _status(self.location)
        if not _is_folder(status):
            return {self.location.name: status.st_size}
        paths = [self._path(variable, _stamp(status)) for variable in variables]
        return {path.name: _status(path).st_size for path in paths}

    def _path(self, variable: str, stamp: Stamp) -> Path:
        files = _files(self.location, stamp)
        if variable not in files:
            # a file made within the clock's last tick leaves the folder's stamp as it was
            _files.cache_clear()
            files = _files(self.location, stamp)
        if variable not in files:
            raise not_found(variable, files.keys(), str(self.location))
        return self.location / the_only_file(variable, files[variable], str(self.location))


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except FileNotFoundError as error:
        raise StoreUnavailable("there is no such file or folder", str(path), _MEND) from error
    except OSError as error:
        raise _unavailable(path, error) from error
    except ValueError as error:
        raise StoreUnavailable(f"is no path: {error}", repr(str(path)), _MEND) from error


def _is_folder(status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


@lru_cache(maxsize=8)
def _files(folder: Path, stamp: Stamp) -> Mapping[str, list[str]]:  # noqa: ARG001  # the cache's key
    """Return the names of each variable's files; `stamp` is that of the folder."""
    files: dict[str, list[str]] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                variable = variable_of(entry.name)
                if variable is not None and _is_file(entry):
                    files.setdefault(variable, []).append(entry.name)
    except OSError as error:
        raise _unavailable(folder, error) from error
    return {variable: sorted(names) for variable, names in files.items()}


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads in circles
        return False


def _long_table(path: Path, status: os.stat_result) -> tuple[Table, str]:
    """Return what is in a long file, and which version of it that is."""
    if suffix_of(path.name) is None:
        raise StoreUnavailable(f"is no data file; those end in {', '.join(SUFFIXES)}", str(path), _MEND)
    parsed = _parsed_long(path, _stamp(status))
    if isinstance(parsed, MalformedData):
        raise MalformedData(parsed.message, parsed.context, parsed.hint)
    return parsed


@lru_cache(maxsize=2)
def _parsed_long(path: Path, stamp: Stamp) -> tuple[Table, str] | MalformedData:  # noqa: ARG001  # the cache's key
    """Read a long file once for all of its variables; what makes it unreadable is remembered as well."""
    try:
        content = _content(path)
        return parse(content, path.name, str(path), by_variable=True), version_of(content, path.name)
    except MalformedData as error:
        return error


@lru_cache(maxsize=2)
def _long_version(path: Path, stamp: Stamp) -> str:  # noqa: ARG001  # the cache's key
    """Return the version of a long file, hashed once for all of its variables."""
    return version_of(_content(path), path.name)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb", buffering=0) as file:  # to be read at one go: a buffer takes longer than that
            return file.readall()
    except OSError as error:
        raise _unavailable(path, error) from error


def _unavailable(path: Path, error: OSError) -> StoreUnavailable:
    message = f"cannot be read: {error.strerror or error}"
    return StoreUnavailable(message, str(path), "Check that it is there and that you may read it")
