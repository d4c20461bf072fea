"""Files of a table that is divided into parts: a folder `x.parquet` of them, or folders named `name=value`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import attrs

from pulse_adapters.stores.formats.parts import KINDS, Keys
from pulse_adapters.stores.formats.registry import suffix_of
from pulse_core.errors import DataError, StoreUnavailable

_KEY: Final = re.compile(r"([^=]+)=(.*)")
_ABSENT: Final = "__HIVE_DEFAULT_PARTITION__"
_LOGS: Final = {"_delta_log": "Delta Lake", ".hoodie": "Hudi"}
"""Folders of tables whose log says which of their files count: those of old versions are there too."""
_PART: Final = ".part"


@attrs.frozen
class PartFile:
    """A file that is a part: its path within the folder, what its folders say, the ending of its format, its stamp."""

    name: str
    keys: Keys
    suffix: str
    stamp: tuple[int, int, int, int]


def kind_of_folder(name: str) -> str:
    """Return the ending by which a folder's name says that it is one file in parts, '' where it does not."""
    suffix = str(suffix_of(name) or "").lower()
    return suffix if suffix in KINDS else ""


def is_key(name: str) -> bool:
    """Whether a folder's name is one of a partition."""
    return "=" in name and not name.startswith((".", "_")) and _KEY.fullmatch(name) is not None


def part_files(folder: Path) -> tuple[PartFile, ...]:
    """Return the parts below a folder, by their paths; none where it holds no table in parts.

    Names that begin with a dot or `_` are left out. Raises DataError where not all that is there is a part.
    """
    whole = kind_of_folder(folder.name)
    try:
        entries = list(_walk(folder, folder, (), whole))
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise StoreUnavailable(message, str(folder), "Check that it exists and that you may read it") from error
    files = sorted((file for file in entries if isinstance(file, PartFile)), key=lambda file: file.name)
    problems = [problem for problem in entries if isinstance(problem, DataError)]
    if files and problems:
        raise problems[0]
    return tuple(files)


def _walk(top: Path, folder: Path, keys: Keys, whole: str) -> Iterator[PartFile | DataError]:
    """Yield the parts below a folder, and the errors of what is there beside them."""
    with os.scandir(folder) as scan:
        entries = sorted(scan, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name in _LOGS and entry.is_dir():
            message = f"is a table of {_LOGS[entry.name]}: not all of its files count"
            yield DataError(message, str(top), "Export it as Parquet, and name that")
        is_inside = bool(whole or keys)
        if is_key(entry.name) and entry.is_dir():
            yield from _walk(top, folder / entry.name, (*keys, _key(entry.name, keys, top)), whole)
        elif is_inside and not entry.name.startswith((".", "_")):
            yield _part(top, entry, keys, whole)


def _key(name: str, keys: Keys, top: Path) -> tuple[str, str | None]:
    key, _, value = name.partition("=")
    if key in dict(keys):
        raise DataError(f"a folder {name!r} is within one of the same name", str(top), "Name each once on a path")
    return unquote(key), None if value == _ABSENT else unquote(value)


def _part(top: Path, entry: os.DirEntry[str], keys: Keys, whole: str) -> PartFile | DataError:
    suffix = str(suffix_of(entry.name) or "").lower()
    if entry.name.endswith(_PART):
        suffix = whole
    name = os.path.relpath(entry.path, top)
    if not entry.is_file() or suffix.removesuffix(".gz") not in KINDS:
        kind = "a folder that is not named name=value" if entry.is_dir() else "no file of data"
        hint = "Take it out, or let its name begin with a dot"
        return DataError(f"is a table in parts, and {name!r} among them is {kind}", str(top), hint)
    status = entry.stat()
    return PartFile(name, keys, suffix, (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size))
