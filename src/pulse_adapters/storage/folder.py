"""FolderStorage: files in a folder of this machine or of a network file system."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import attrs

from pulse_adapters.location import Location
from pulse_adapters.storage import files
from pulse_adapters.storage.disk import disk_faults
from pulse_adapters.storage.port import DAMAGED, Entry, Read
from pulse_core.errors import SinkUnavailable


@attrs.frozen
class FolderStorage:
    """A Storage in the folder `root`, which is created where it is missing.

    The path becomes absolute, so that a copy reaches the same folder from a worker with another working directory.
    """

    root: Path = attrs.field(converter=files.absolute)

    @property
    def requests_at_once(self) -> int:
        """One: a disk does not keep its writer waiting for an answer from afar."""
        return 1

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("read a file", path):
            return files.content_of(path)

    def read_range(self, name: str, start: int, length: int) -> bytes | None:
        """Return so many bytes of a file from `start` on, or None where there is none. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("read a file", path):
            try:
                with files.opened(path) as file:
                    file.seek(start)
                    return file.read(length)
            except FileNotFoundError:
                return None

    def reading(self, names: Sequence[str]) -> AbstractContextManager[Read]:
        """Open for reading these files, each when it is read: a disk does not keep its reader waiting."""
        del names
        return nullcontext(self.read)

    def create(self, name: str, content: bytes) -> bool:
        """Store a file unless the name is taken; return whether it was free. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("write a file", path):
            return files.create(path, content)

    def replace(self, name: str, content: bytes) -> None:
        """Store a file, replacing an older one, also behind a link. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("write a file", path):
            files.replace(path, content)

    def exchange(self, name: str, before: bytes | None, after: bytes | None) -> bool:
        """Store a file where the one of this name holds `before`. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("write a file" if after is not None else "remove a file", path):
            exchanged = files.exchange(path, before, after)
            if exchanged and after is None:
                files.remove_empty(path.parent, self.root)
            return exchanged

    def rescue(self, name: str, content: bytes, error: SinkUnavailable) -> SinkUnavailable:
        """Return the error: what a disk does not take has no other place here."""
        del name, content
        return error

    def fits(self, name: str, size: int, sha256: str) -> bool:
        """Whether a file exists with this size and SHA-256. Raises SinkUnavailable."""
        content = self.read(name)
        return content is not None and len(content) == size and hashlib.sha256(content).hexdigest() == sha256

    def durable(self) -> None:
        """Flush the disk of this folder. Raises SinkUnavailable."""
        with disk_faults("flush the disk", self.root):
            files.flush_disk(self.root)

    def draft(self, name: str) -> _Draft:
        """Open a file that takes its name once it is finished. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("write a file", path):
            return _Draft(self.root, files.draft(path))

    def folders(self) -> Iterator[str]:
        """Yield the names of the folders in this one, sorted. Raises SinkUnavailable."""
        with disk_faults("list a folder", self.root):
            try:
                with os.scandir(self.root) as entries:
                    names = sorted(entry.name for entry in entries if files.is_folder(entry))
            except FileNotFoundError:
                return
        yield from names

    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield every file in and below a folder, without temporary ones. Raises SinkUnavailable."""
        with disk_faults("list a folder", self.root / folder):
            for path in _below(self.root / folder):
                if files.is_temporary(path.name):
                    continue
                with suppress(FileNotFoundError):  # removed meanwhile
                    status = files.status_of(path)
                    modified = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield Entry(path.relative_to(self.root).as_posix(), status.st_size, modified)

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names with this prefix, without those of deeper folders. Raises SinkUnavailable."""
        folder, _, start = prefix.rpartition("/")
        with disk_faults("list a folder", self.root / folder):
            try:
                with os.scandir(self.root / folder) as entries:
                    names = [entry.name for entry in entries if entry.name.startswith(start) and files.is_file(entry)]
            except FileNotFoundError:
                return
        yield from (f"{folder}/{name}" if folder else name for name in names if not files.is_temporary(name))

    def remove(self, name: str) -> None:
        """Remove a file if it exists. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("remove a file", path):
            path.unlink(missing_ok=True)

    def remove_all(self, names: Iterable[str]) -> None:
        """Remove files that exist, and folders that this empties. Raises SinkUnavailable."""
        with disk_faults("remove a file", self.root):
            files.remove_all((self.root / name for name in names), self.root)

    def remove_folder(self, folder: str) -> None:
        """Remove a folder and all files in it, if it exists. Raises SinkUnavailable."""
        path = self.root / folder
        with disk_faults("remove a folder", path), suppress(FileNotFoundError):
            shutil.rmtree(path)

    def set_aside(self, name: str, damaged: bytes) -> str | None:
        """Rename a file that still holds these bytes to `<name>.damaged`. Raises SinkUnavailable."""
        path = self.root / name
        with disk_faults("set a damaged file aside", path), suppress(FileNotFoundError):
            if _holds(path, damaged):
                aside = path.with_name(path.name + DAMAGED)
                path.replace(aside)
                return str(aside)
        return None

    def clear(self, name: str) -> str | None:
        """Rename what stands in the place of a file and is none, such as a folder, a pipe or a link to itself."""
        path = self.root / name
        with disk_faults("set aside what is no file", path):
            if not os.path.lexists(path) or path.is_file():
                return None
            aside = path.with_name(path.name + DAMAGED)
            if os.path.lexists(aside):
                aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}{DAMAGED}")
            path.rename(aside)
            return str(aside)

    def sweep(self, *names: str) -> None:
        """Remove the temporary files of killed writers: of files, or in and below folders."""
        for path in (self.root / name for name in names):
            with disk_faults("tidy up", path):
                files.sweep(path.parent, path.name)
                files.sweep_below(path)

    def abandoned(self, folder: str) -> Iterator[str]:
        """Yield the paths of the temporary files of killed writers in and below a folder. Raises SinkUnavailable."""
        with disk_faults("list a folder", self.root / folder):
            yield from map(str, files.abandoned_below(self.root / folder))

    def address(self, name: str) -> str:
        """Return the path of a file."""
        return str(self.root / name)


def open_storage(location: Location, settings: object) -> FolderStorage:
    """Return the storage of a folder; `~` is the user's home."""
    del settings
    return FolderStorage(Path(location.path).expanduser())


@attrs.frozen
class _Draft:
    """A file under way beside its destination."""

    _root: Path
    _draft: files.Draft

    @property
    def file(self) -> IO[bytes]:
        return self._draft.file

    @property
    def address(self) -> str:
        return str(self._draft.path)

    def finish(self, name: str | None = None) -> None:
        with disk_faults("write a file", self.address):
            self._draft.finish(None if name is None else self._root / name)

    def discard(self) -> None:
        with disk_faults("remove a temporary file", self.address):
            self._draft.discard()


def _holds(path: Path, content: bytes) -> bool:
    """Whether a file holds these bytes and was not replaced during the reading. Raises OSError."""
    with files.opened(path) as file:
        stored, identity = file.readall(), os.fstat(file.fileno())
    return stored == content and os.path.samestat(path.stat(), identity)


def _below(folder: Path) -> Iterator[Path]:
    """Yield the files in and below a folder, without following links to folders. Raises OSError."""
    for path, _, names in os.walk(folder, onerror=_raise_unless_missing):
        yield from (Path(path, name) for name in names)


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
