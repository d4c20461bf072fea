"""A folder of this machine, or of a network file system, as a place for results."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import attrs

from pulse_adapters.storage import files
from pulse_adapters.storage.disk import disk_faults
from pulse_adapters.storage.port import DAMAGED, Entry, Read


def _absolute(path: str | Path) -> Path:
    return Path(path).absolute()


@attrs.frozen
class Folder:
    """A Place in the folder `root`, made where it is missing.

    The path is made absolute, so that a copy means the same place in a worker with another working directory.
    """

    root: Path = attrs.field(converter=_absolute)

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("read a file", path):
            try:
                with path.open("rb", buffering=0) as file:  # to be read at one go: a buffer takes longer than that
                    return file.readall()
            except FileNotFoundError:
                return None

    def reading(self, names: Sequence[str]) -> AbstractContextManager[Read]:
        """Open for reading these files: there is nothing to wait for."""
        del names
        return nullcontext(self.read)

    def create(self, name: str, content: bytes) -> bool:
        """Store a file unless there is one of that name; return whether there was none. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("write a file", path):
            return files.create(path, content)

    def replace(self, name: str, content: bytes) -> None:
        """Store a file, or what it links to, in the place of any other. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("write a file", path):
            files.replace(path, content)

    def copy(self, source: str, name: str) -> bool:
        """Let a file stand under another name too, unless there is one. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("write a file", path):
            return files.copy(self.root / source, path)

    def draft(self, name: str) -> _Draft:
        """Begin a file that replaces any other once it is finished. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("write a file", path):
            return _Draft(files.draft(path))

    def folders(self) -> Iterator[str]:
        """Yield the names of the folders in this one, sorted. Raises SinkUnavailable."""
        with disk_faults("list a folder", self.root):
            try:
                with os.scandir(self.root) as entries:
                    names = sorted(entry.name for entry in entries if entry.is_dir())
            except FileNotFoundError:
                return
        yield from names

    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield every whole file in a folder and below it. Raises SinkUnavailable."""
        with disk_faults("list a folder", self.root / folder):
            for path in _below(self.root / folder):
                if files.is_temporary(path.name):
                    continue
                with suppress(FileNotFoundError):  # removed meanwhile
                    status = path.stat()
                    modified = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield Entry(path.relative_to(self.root).as_posix(), status.st_size, modified)

    def beginning(self, start: str) -> Iterator[str]:
        """Yield the names of the whole files of a folder that begin so. Raises SinkUnavailable."""
        folder, _, first = start.rpartition("/")
        with disk_faults("list a folder", self.root / folder):
            try:
                with os.scandir(self.root / folder) as entries:
                    names = [entry.name for entry in entries if entry.name.startswith(first) and entry.is_file()]
            except FileNotFoundError:
                return
        yield from (f"{folder}/{name}" if folder else name for name in names if not files.is_temporary(name))

    def remove(self, name: str) -> None:
        """Remove a file if it is there. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("remove a file", path):
            path.unlink(missing_ok=True)

    def remove_folder(self, folder: str) -> None:
        """Remove a folder and all that is in it, if it is there. Raises SinkUnavailable."""
        path = self.root / folder
        with disk_faults("remove a folder", path), suppress(FileNotFoundError):
            shutil.rmtree(path)

    def set_aside(self, name: str, damaged: bytes) -> str | None:
        """Rename a file that still holds these bytes to `<name>.damaged`. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("set a damaged file aside", path), suppress(FileNotFoundError):
            with path.open("rb") as file:
                content, identity = file.read(), os.fstat(file.fileno())
            if content == damaged and os.path.samestat(path.stat(), identity):
                aside = path.with_name(path.name + DAMAGED)
                path.replace(aside)
                return str(aside)
        return None

    def sweep(self, name: str) -> None:
        """Remove the temporary files of killed writers: of a file, or in a folder and below it."""
        path = self.root / name
        with disk_faults("tidy up", path):
            files.sweep(path.parent, path.name)
            files.sweep_below(path)

    def address(self, name: str) -> str:
        """Return the path of a file."""
        return str(self.root / name)


@attrs.frozen
class _Draft:
    """A file under way beside its destination."""

    _draft: files.Draft

    @property
    def file(self) -> IO[bytes]:
        return self._draft.file

    @property
    def address(self) -> str:
        return str(self._draft.path)

    def finish(self) -> None:
        with disk_faults("write a file", self.address):
            self._draft.finish()

    def discard(self) -> None:
        with disk_faults("remove a temporary file", self.address):
            self._draft.discard()


def _below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and below it; links to folders are not followed. Raises OSError."""
    for path, _, names in os.walk(folder, onerror=_raise_unless_missing):
        yield from (Path(path, name) for name in names)


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
