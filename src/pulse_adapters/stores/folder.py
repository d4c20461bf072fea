"""FolderStore: variables in files, one file each in a folder, all in one long file, or in a table in parts."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

import attrs

from pulse_adapters.location import Location
from pulse_adapters.stores.formats.memory import ALWAYS, available
from pulse_adapters.stores.formats.parts import Part, read_parts, version_of_parts, with_parts
from pulse_adapters.stores.formats.reading import AS_IT_IS, Reading, Readings
from pulse_adapters.stores.formats.registry import (
    SUFFIXES,
    is_plainly_one,
    named_variables,
    names_variables,
    not_found,
    of_file,
    of_long,
    owners,
    parse,
    suffix_of,
    the_only_file,
    variable_of,
    variables_in,
    version_of,
)
from pulse_adapters.stores.formats.table import Source, Table
from pulse_adapters.stores.part_files import is_key, kind_of_folder, part_files
from pulse_core.arrays import normal_form
from pulse_core.data.observations import Observations
from pulse_core.errors import DataError, MalformedData, StoreUnavailable

LOOKED_INTO: Final = 1_000
"""Files of a folder up to which it is looked into them for variables that their columns name."""

_HEAD: Final = 2**14
"""Bytes of a file in which its header is."""

_HINT = "Name a folder that holds one file a variable, or one long file with a column 'variable'"

_SPECIAL: Final = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

Stamp = tuple[int, ...]
"""Device, inode, time of change in ns, and size of a file or folder, or of all parts: they change when it does."""


@attrs.frozen
class FolderStore:
    """Reads `<location>/<variable>.csv`, `.parquet`, `.jsonl`, or a file `location`, of one variable or of several.

    A folder `<variable>.parquet` of parts is one file, and so is the location where its folders are named `name=value`.
    Each may be gzipped (`.csv.gz`). A file whose columns name several variables has these, not one of its own name; in
    a folder of more than LOOKED_INTO files each is one variable. `readings` are what the user says of the files. Only
    files in the listing of the folder are opened, so no variable's name leads out of it; the folder may hold links to
    other files. Hidden files, folders and files with other endings are ignored. Nothing is opened before the first use.
    """

    location: Path = attrs.field(converter=Path)
    readings: Readings = AS_IT_IS

    def names(self) -> Iterator[str]:
        """Yield the variables' names, sorted. Raises StoreUnavailable, and MalformedData for a long file."""
        status = _status(self.location)
        if _is_listed(self.location, status):
            files = _files(self.location, _stamp(status))
            yield from sorted(files if len(files) > LOOKED_INTO else self._owners(files))
        else:
            table, _ = self._only_table()
            yield from sorted(variables_in(table, self._file_name()))

    def read(self, variable: str) -> Observations:
        """Return a variable's rows. Raises VariableNotFound, MalformedData, StoreUnavailable.

        Two files for one variable are a DataError.
        """
        status = _status(self.location)
        if not _is_listed(self.location, status):
            table, version = self._only_table()
            with _rows_told_by_part(self.location):
                return of_long(table, variable, self._file_name(), str(self.location), version)
        path = self._path(variable, _stamp(status))
        reading = self.readings.of(path.name)
        if variable_of(path.name) != normal_form(variable) or path.is_dir():
            table, version = _long_table(path, reading)
            with _rows_told_by_part(path):
                return of_file(table, variable, path.name, str(path), version)
        content = _content(path)
        table = parse(content, path.name, str(path), reading=reading)
        return of_file(table, variable, path.name, str(path), version_of(content, path.name, reading))

    def version(self, variable: str) -> str:
        """Return a hash of the variable's file. Raises VariableNotFound, DataError, StoreUnavailable.

        The version of a long file is that of all its variables; whether it holds this one is not checked.
        """
        status = _status(self.location)
        if not _is_listed(self.location, status):
            return _long_version(self.location, _stamp_of(self.location), self.readings.of(self._file_name()))
        path = self._path(variable, _stamp(status))
        reading = self.readings.of(path.name)
        if variable_of(path.name) != normal_form(variable) or path.is_dir():
            return _long_version(path, _stamp_of(path), reading)
        return version_of(_content(path), path.name, reading)

    def sizes(self, variables: Sequence[str]) -> Mapping[str, int]:
        """Return the sizes in bytes, by name, of the files of these variables; no file is read.

        Raises VariableNotFound where a folder has no file for a variable, StoreUnavailable.
        """
        status = _status(self.location)
        if not _is_listed(self.location, status):
            return {self.location.name: _size(self.location)}
        paths = [self._path(variable, _stamp(status)) for variable in variables]
        return {path.name: _size(path) for path in paths}

    def names_need_rows(self) -> bool:
        """Whether listing the names reads all rows: those of a long file."""
        return self.location.exists() and not _is_listed(self.location, _status(self.location))

    def _path(self, variable: str, stamp: Stamp) -> Path:
        files = _files(self.location, stamp)
        name = normal_form(variable)
        inside = self._owners(files) if name not in files and len(files) <= LOOKED_INTO else {}
        if name not in files and name not in inside:
            # a file created within the clock's last tick leaves the folder's stamp unchanged
            _files.cache_clear()
            files = _files(self.location, stamp)
            inside = self._owners(files) if name not in files and len(files) <= LOOKED_INTO else {}
        if name in inside:
            return self.location / inside[name]
        if name not in files:
            self._refuse_what_is_no_file(name)
            raise not_found(variable, inside or files, str(self.location))
        return self.location / the_only_file(variable, files[name], str(self.location))

    def _owners(self, files: Mapping[str, list[str]]) -> dict[str, str]:
        """Return the file of each variable, by looking into them. Raises DataError where a variable is in two."""

        def variables_of(file: str) -> tuple[str, ...]:
            path = self.location / file
            return _variables_of(path, _stamp_of(path), self.readings.of(file))

        return owners(files, variables_of, str(self.location))

    def _only_table(self) -> tuple[Table, str]:
        """Return the table and the version of the file, or of the parts, that are all of the data."""
        return _long_table(self.location, self.readings.of(self._file_name()))

    def _file_name(self) -> str:
        """Return the name of the file that is all of the data; that of a folder of partitions gets an ending."""
        name = self.location.resolve().name if self.location.is_dir() else self.location.name
        return name if suffix_of(name) else f"{name}{SUFFIXES[0]}"

    def _refuse_what_is_no_file(self, name: str) -> None:
        """Raise StoreUnavailable where what should be the variable's file is a pipe or the like."""
        for suffix in SUFFIXES:
            path = self.location / f"{name}{suffix}"
            if variable_of(path.name) == name:
                with suppress(OSError, ValueError):
                    _refuse_special(path, path.stat())


def open_store(location: Location, settings: object) -> FolderStore:
    """Return the store of a folder or long file; `~` is the user's home."""
    return FolderStore(Path(location.path).expanduser(), getattr(settings, "readings", AS_IT_IS))


def _status(path: Path) -> os.stat_result:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise StoreUnavailable("there is no such file or folder", str(path), _HINT) from error
    except OSError as error:
        raise _unavailable(path, error) from error
    except ValueError as error:
        raise StoreUnavailable(f"is no path: {error}", repr(str(path)), _HINT) from error
    _refuse_special(path, status)
    return status


def _refuse_special(path: Path, status: os.stat_result) -> None:
    """Raise StoreUnavailable for what is neither file nor folder: reading it could wait for ever."""
    kind = _SPECIAL.get(stat.S_IFMT(status.st_mode))
    if kind is not None:
        raise StoreUnavailable(f"is {kind}, not a file", str(path), "Write its content to a file, and name that")


def _is_listed(path: Path, status: os.stat_result) -> bool:
    """Whether a location is a folder of files, not one file or the parts of one."""
    return stat.S_ISDIR(status.st_mode) and not (kind_of_folder(path.name) or _has_partitions(path, _stamp(status)))


@lru_cache(maxsize=8)
def _has_partitions(folder: Path, stamp: Stamp) -> bool:
    """Whether a folder is a table in folders named `name=value`. Raises DataError where files are beside these."""
    try:
        with os.scandir(folder) as entries:
            keys = [entry.name for entry in entries if is_key(entry.name) and entry.is_dir()]
    except OSError as error:
        raise _unavailable(folder, error) from error
    if not keys or not part_files(folder):
        return False
    files = [name for names in _files(folder, stamp).values() for name in names]
    if files:
        message = f"holds files ({files[0]}) beside folders of partitions ({min(keys)})"
        raise DataError(message, str(folder), "Name a folder that holds either")
    return True


@contextmanager
def _rows_told_by_part(path: Path) -> Iterator[None]:
    """Tell rows of a table in parts by their part."""
    try:
        yield
    except MalformedData as error:
        if not path.is_dir():
            raise
        raise with_parts(error, [part.name for part in part_files(path)]) from error


def _stamp_of(path: Path) -> Stamp:
    """Return the stamp of a file, or of all parts of a folder."""
    status = _status(path)
    if not stat.S_ISDIR(status.st_mode):
        return _stamp(status)
    return tuple(number for part in part_files(path) for number in (hash(part.name), *part.stamp))


def _size(path: Path) -> int:
    status = _status(path)
    return sum(part.stamp[-1] for part in part_files(path)) if stat.S_ISDIR(status.st_mode) else status.st_size


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
                if variable is not None and _is_file(entry, folder):
                    files.setdefault(variable, []).append(entry.name)
    except OSError as error:
        raise _unavailable(folder, error) from error
    return {variable: sorted(names) for variable, names in files.items()}


def _is_file(entry: os.DirEntry[str], folder: Path) -> bool:
    """Whether an entry is a file, or a folder of a file's parts."""
    try:
        if entry.is_file():
            return True
        return entry.is_dir() and bool(kind_of_folder(entry.name)) and bool(part_files(folder / entry.name))
    except OSError:  # a link that leads in circles
        return False


@lru_cache(maxsize=4 * LOOKED_INTO)
def _variables_of(path: Path, stamp: Stamp, reading: Reading) -> tuple[str, ...]:  # noqa: ARG001  # the cache's key
    """Return the variables that a file's columns name; none where it is one that has the file's name.

    What is wrong with a file is told where it is read.
    """
    if path.is_dir():
        return _variables_in_parts(path, reading)
    with open(path, "rb", buffering=0, opener=_open_at_once) as file:  # Path.open has no opener
        if is_plainly_one(file.read(_HEAD), path.name, reading):
            return ()
    return named_variables(_content(path), path.name, str(path), reading)


def _variables_in_parts(path: Path, reading: Reading) -> tuple[str, ...]:
    try:
        table, _ = _table_and_version(path, reading)
    except MalformedData:
        return ()
    return tuple(table.groups or ()) if names_variables(table) else ()


def _long_table(path: Path, reading: Reading) -> tuple[Table, str]:
    """Return the table and the version of a file, or of the parts of one."""
    if suffix_of(path.name) is None and not path.is_dir():
        raise StoreUnavailable(f"is no data file; those end in {', '.join(SUFFIXES)}", str(path), _HINT)
    parsed = _parsed_long(path, _stamp_of(path), reading)
    if isinstance(parsed, MalformedData):
        raise MalformedData(parsed.message, parsed.context, parsed.hint)
    return parsed


@lru_cache(maxsize=2)
def _parsed_long(
    path: Path,
    stamp: Stamp,  # noqa: ARG001  # the cache's key
    reading: Reading,
) -> tuple[Table, str] | MalformedData:
    """Read a file once for all of its variables; an error is cached as well."""
    try:
        return _table_and_version(path, reading)
    except MalformedData as error:
        return error


def _table_and_version(path: Path, reading: Reading) -> tuple[Table, str]:
    if path.is_dir():
        parts = _parts(path)
        return read_parts(parts, Source(str(path), reading=reading)), version_of_parts(parts, reading)
    content = _content(path)
    table = parse(content, path.name, str(path), by_variable=True, reading=reading)
    return table, version_of(content, path.name, reading)


def _parts(path: Path) -> list[Part]:
    """Return the parts of a folder with their bytes, which memory can hold together."""
    files = part_files(path)
    _refuse_above_memory(sum(file.stamp[-1] for file in files), path)
    if not files:
        raise StoreUnavailable("holds no parts of data", str(path), _HINT)
    return [Part(file.name, file.keys, file.suffix, _content(path / file.name)) for file in files]


@lru_cache(maxsize=2)
def _long_version(path: Path, stamp: Stamp, reading: Reading) -> str:  # noqa: ARG001  # the cache's key
    """Return the version of a file, hashed once for all of its variables."""
    if path.is_dir():
        return version_of_parts(_parts(path), reading)
    return version_of(_content(path), path.name, reading)


def _content(path: Path) -> bytes:
    """Return all bytes of a file that memory can hold. Raises StoreUnavailable."""
    try:
        # one read of all bytes: a buffer takes longer; without O_NONBLOCK a pipe, put there meanwhile, would wait
        with open(path, "rb", buffering=0, opener=_open_at_once) as file:  # Path.open has no opener
            status = os.fstat(file.fileno())
            _refuse_special(path, status)
            _refuse_above_memory(status.st_size, path)
            return file.readall()
    except OSError as error:
        raise _unavailable(path, error) from error


def _refuse_above_memory(size: int, path: Path) -> None:
    if size > ALWAYS and size > available():
        message, hint = f"has {size} bytes, more than there is memory", "Split it, or give it more"
        raise StoreUnavailable(message, str(path), hint)


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _unavailable(path: Path, error: OSError) -> StoreUnavailable:
    message = f"cannot be read: {error.strerror or error}"
    return StoreUnavailable(message, str(path), "Check that it exists and that you may read it")
