"""A bucket of S3, or of what speaks as it does, as a place for results."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import IO, Final

import attrs

from pulse_adapters.aws.ahead import ahead
from pulse_adapters.aws.bucket import Bucket
from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.storage import files
from pulse_adapters.storage.disk import disk_faults
from pulse_adapters.storage.port import DAMAGED, Entry, Read
from pulse_core.errors import SinkUnavailable

ABANDONED: Final = timedelta(days=1)
"""An upload in parts that was begun so long ago has no writer any more."""

_heeds: Final[dict[tuple[int, str, str], bool]] = {}
_heeds_lock: Final = Lock()


def _absolute(path: str | Path) -> Path:
    return Path(path).absolute()


@attrs.frozen
class BucketPlace:
    """A Place in the bucket `name`, under a prefix that is empty or ends in a slash.

    What cannot be uploaded is kept in the local folder `kept`, under its name, and the error says so. Records are
    not: they are computed again.
    """

    name: str
    prefix: str
    aws: AwsSettings
    kept: Path = attrs.field(converter=_absolute, default=Path("results"))

    @property
    def bucket(self) -> Bucket:
        """The bucket."""
        return Bucket(self.name, self.aws, SinkUnavailable)

    def read(self, name: str) -> bytes | None:
        """Return an object's content, or None where there is none. Raises SinkUnavailable."""
        fetched = self.bucket.get(self.prefix + name)
        return None if fetched is None else fetched.content

    @contextmanager
    def reading(self, names: Sequence[str]) -> Iterator[Read]:
        """Open for reading these objects, in order, by so many threads as there are workers."""
        with ahead(self.read, names, self.aws.max_workers) as fetched:
            yield fetched.get

    def create(self, name: str, content: bytes) -> bool:
        """Store an object unless there is one of that name; return whether there was none. Raises SinkUnavailable.

        Where the server heeds no conditions, writers at once may all be told that they won; all read the same.
        """
        key = self.prefix + name
        if self._heeds_conditions():
            return self.bucket.create(key, content)
        if self.bucket.get(key) is not None:
            return False
        self.bucket.put(key, content)
        return self.read(name) == content

    def replace(self, name: str, content: bytes) -> None:
        """Store an object in the place of any other. Raises SinkUnavailable."""
        try:
            self.bucket.put(self.prefix + name, content)
        except SinkUnavailable as error:
            with disk_faults("keep a local copy", self.kept / name):
                files.replace(self.kept / name, content)
            raise _kept(error, self.kept / name) from error

    def copy(self, source: str, name: str) -> bool:
        """Let the server copy an object. Raises SinkUnavailable."""
        return self.bucket.copy(self.prefix + source, self.prefix + name)

    def draft(self, name: str) -> _Draft:
        """Begin a file that is uploaded once it is finished; until then it is on this disk. Raises SinkUnavailable."""
        with disk_faults("write a temporary file", tempfile.gettempdir()):
            return _Draft(self, name, tempfile.TemporaryFile())  # without a name: nothing is left of a killed writer

    def folders(self) -> Iterator[str]:
        """Yield the names of the topmost folders, sorted. Raises SinkUnavailable."""
        found = self.bucket.folders(self.prefix)
        yield from sorted(prefix.removeprefix(self.prefix).removesuffix("/") for prefix in found)

    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield every object in a folder and below it. Raises SinkUnavailable."""
        for each in self.bucket.list(f"{self.prefix}{folder}/" if folder else self.prefix):
            yield Entry(each.key.removeprefix(self.prefix), each.size, each.modified)

    def beginning(self, start: str) -> Iterator[str]:
        """Yield the names of the objects of a folder that begin so. Raises SinkUnavailable."""
        for each in self.bucket.list(self.prefix + start, below=False):
            yield each.key.removeprefix(self.prefix)

    def remove(self, name: str) -> None:
        """Remove an object if it is there. Raises SinkUnavailable."""
        self.bucket.delete(self.prefix + name)

    def remove_folder(self, folder: str) -> None:
        """Remove all that is in a folder. Raises SinkUnavailable."""
        self.bucket.delete_all(each.key for each in self.bucket.list(f"{self.prefix}{folder}/"))

    def set_aside(self, name: str, damaged: bytes) -> str | None:
        """Move an object that still holds these bytes to `<name>.damaged`. Raises SinkUnavailable."""
        key = self.prefix + name
        there = self.bucket.get(key)
        if there is None or there.content != damaged:
            return None
        self.bucket.put(key + DAMAGED, damaged)
        return self.address(name + DAMAGED) if self.bucket.delete(key, only=there.etag) else None

    def sweep(self, name: str) -> None:
        """Abort what killed writers left half uploaded a day ago or earlier. Raises SinkUnavailable."""
        self.bucket.abort_uploads(self.prefix + name, datetime.now(UTC) - ABANDONED)

    def address(self, name: str) -> str:
        """Return an object's full name."""
        return self.bucket.address(self.prefix + name)

    def _heeds_conditions(self) -> bool:
        """Whether the server refuses to create what is there: AWS does; others are tried, once a process."""
        if self.bucket.is_aws:
            return True
        server = (os.getpid(), self.bucket.client.meta.endpoint_url, self.name)
        with _heeds_lock:
            if server not in _heeds:
                _heeds[server] = self._probe()
            return _heeds[server]

    def _probe(self) -> bool:
        key = f"{self.prefix}.probe-{secrets.token_hex(8)}"
        self.bucket.create(key, b"first")
        try:
            return not self.bucket.create(key, b"second")
        finally:
            self.bucket.delete(key)


@attrs.frozen
class _Draft:
    """A file without a name on this disk, on its way to the bucket."""

    _place: BucketPlace
    _name: str
    file: IO[bytes]

    @property
    def address(self) -> str:
        return tempfile.gettempdir()

    def finish(self) -> None:
        with disk_faults("write a temporary file", self.address):
            self.file.flush()
        try:
            self._place.bucket.upload(self._place.prefix + self._name, self.file)
        except SinkUnavailable as error:
            path = self._place.kept / self._name
            self._keep(path)
            raise _kept(error, path) from error

    def discard(self) -> None:
        self.file.close()

    def _keep(self, path: Path) -> None:
        with disk_faults("keep a local copy", path):
            draft = files.draft(path)
            try:
                self.file.seek(0)
                _copy(self.file, draft.file)
                draft.finish()
            finally:
                draft.discard()


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while step := source.read(2**20):
        target.write(step)


def _kept(error: SinkUnavailable, path: Path) -> SinkUnavailable:
    hint = f"{error.hint}. It is kept in {path}"
    return SinkUnavailable(f"cannot be stored: {error.message}", error.context, hint)
