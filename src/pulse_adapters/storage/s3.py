"""S3Storage: files as objects in a bucket of S3, or of a server with its interface."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import IO, Any, Final

import attrs

from pulse_adapters.aws.ahead import ahead
from pulse_adapters.aws.bucket import Bucket
from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.aws.location import S3Options, aws_settings, s3_folder
from pulse_adapters.location import Location
from pulse_adapters.storage import files
from pulse_adapters.storage.disk import disk_faults
from pulse_adapters.storage.port import DAMAGED, Entry, Read
from pulse_core.errors import SinkUnavailable

ABANDONED: Final = timedelta(days=1)
"""The age from which an unfinished upload in parts counts as abandoned by its writer."""

_NO_ETAG: Final = '"00000000000000000000000000000000"'

_conditional: Final[dict[tuple[int, str | None, str], bool]] = {}
_conditional_lock: Final = Lock()


@attrs.frozen
class S3Storage:
    """A Storage in the bucket `name`; `prefix` starts every key, and ends in a slash where it is a folder.

    A result that cannot be uploaded is stored in `local_folder` instead, and the error names that path. A record that
    cannot be uploaded is computed again.
    """

    name: str
    prefix: str
    aws: AwsSettings
    local_folder: Path = attrs.field(converter=files.absolute, default=Path("results"))
    conditional: bool | None = attrs.field(default=None, eq=False)
    """Whether the server knows conditional writes; None where it has not been asked yet."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes a copy, which need not ask the server again."""
        return type(self), (self.name, self.prefix, self.aws, self.local_folder, self._known_conditional())

    @property
    def bucket(self) -> Bucket:
        """The bucket."""
        return Bucket(self.name, self.aws, SinkUnavailable)

    @property
    def requests_at_once(self) -> int:
        """As many as the settings allow."""
        return self.aws.max_workers

    def read(self, name: str) -> bytes | None:
        """Return an object's content, or None where there is none. Raises SinkUnavailable."""
        fetched = self.bucket.get(self.prefix + name)
        return None if fetched is None else fetched.content

    def read_range(self, name: str, start: int, length: int) -> bytes | None:
        """Return so many bytes of an object from `start` on, or None where there is none. Raises SinkUnavailable."""
        return self.bucket.get_range(self.prefix + name, start, length)

    @contextmanager
    def reading(self, names: Sequence[str]) -> Iterator[Read]:
        """Open for reading these objects; as many threads as workers fetch the next ones, in order."""
        with ahead(self.read, names, self.aws.max_workers) as fetched:
            yield fetched.get

    def create(self, name: str, content: bytes) -> bool:
        """Store an object unless the name is taken; return whether it was free. Raises SinkUnavailable.

        On a server without conditional writes, several writers at the same time may all get True; all read the same.
        """
        key = self.prefix + name
        if self._is_conditional():
            return self.bucket.create(key, content)
        if self.bucket.get(key) is not None:
            return False
        self.bucket.put(key, content)
        return self.read(name) == content

    def replace(self, name: str, content: bytes) -> None:
        """Store an object, replacing an older one. Raises SinkUnavailable."""
        try:
            self.bucket.put(self.prefix + name, content, hashlib.sha256(content).hexdigest())
        except SinkUnavailable as error:
            raise self.rescue(name, content, error) from error

    def exchange(self, name: str, before: bytes | None, after: bytes | None) -> bool:
        """Store an object where the one of this name holds `before`. Raises SinkUnavailable.

        On a server without conditional writes, several writers at the same time may all get True; the last one wins.
        """
        key = self.prefix + name
        if before is None:
            return self.read(name) is None if after is None else self.create(name, after)
        etag = self._etag_of(key, before)
        if etag is None:
            return False
        conditional = self._is_conditional()
        if after is not None:
            return self.bucket.exchange(key, after, etag if conditional else "")
        if conditional:
            return self.bucket.delete_exact(key, etag)
        self.bucket.delete(key)
        return True

    def _etag_of(self, key: str, content: bytes) -> str | None:
        """Return the ETag of an object with this content; None without one. What has a checksum is not fetched."""
        head = self.bucket.head(key)
        if head is None or head.size != len(content):
            return None
        if head.sha256:
            return head.etag if head.sha256 == hashlib.sha256(content).hexdigest() else None
        stored = self.bucket.get(key)
        return stored.etag if stored is not None and stored.content == content else None

    def rescue(self, name: str, content: bytes, error: SinkUnavailable) -> SinkUnavailable:
        """Store a content in `local_folder`; return the error that names that file. Raises SinkUnavailable."""
        path = self.local_folder / name
        with disk_faults("store a local copy", path):
            files.replace(path, content)
        return _stored_locally(error, path)

    def fits(self, name: str, size: int, sha256: str) -> bool:
        """Whether an object exists with this size and SHA-256. Raises SinkUnavailable.

        S3 tells the checksum that it checked when the object was stored, or that was noted with it: whoever stores
        other content there replaces that as well. An object without one is fetched.
        """
        head = self.bucket.head(self.prefix + name)
        if head is None or head.size != size:
            return False
        if head.sha256:
            return head.sha256 == sha256
        content = self.read(name)
        return content is not None and len(content) == size and hashlib.sha256(content).hexdigest() == sha256

    def durable(self) -> None:
        """Return at once: what S3 has confirmed is durable."""

    def draft(self, name: str) -> _Draft:
        """Open a file on this disk that is uploaded once it is finished. Raises SinkUnavailable."""
        with disk_faults("write a temporary file", tempfile.gettempdir()):
            return _Draft(self, name, tempfile.TemporaryFile())  # without a name: it ends with its writer

    def folders(self) -> Iterator[str]:
        """Yield the names of the topmost folders, sorted. Raises SinkUnavailable."""
        prefixes = self.bucket.folders(self.prefix)
        yield from sorted(prefix.removeprefix(self.prefix).removesuffix("/") for prefix in prefixes)

    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield every object in and below a folder. Raises SinkUnavailable."""
        for listed in self.bucket.list(f"{self.prefix}{folder}/" if folder else self.prefix):
            yield Entry(listed.key.removeprefix(self.prefix), listed.size, listed.modified)

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names with this prefix, without those of deeper folders. Raises SinkUnavailable."""
        for listed in self.bucket.list(self.prefix + prefix, below=False):
            yield listed.key.removeprefix(self.prefix)

    def remove(self, name: str) -> None:
        """Remove an object if it exists. Raises SinkUnavailable."""
        self.bucket.delete(self.prefix + name)

    def remove_all(self, names: Iterable[str]) -> None:
        """Remove objects that exist, up to 1,000 in a request. Raises SinkUnavailable."""
        self.bucket.delete_all(self.prefix + name for name in names)

    def remove_folder(self, folder: str) -> None:
        """Remove all objects in and below a folder. Raises SinkUnavailable."""
        self.bucket.delete_all(listed.key for listed in self.bucket.list(f"{self.prefix}{folder}/"))

    def set_aside(self, name: str, damaged: bytes) -> str | None:
        """Move an object that still holds these bytes to `<name>.damaged`. Raises SinkUnavailable."""
        if self.read(name) != damaged:
            return None
        self.bucket.put(self.prefix + name + DAMAGED, damaged)
        return self.address(name + DAMAGED) if self.exchange(name, damaged, None) else None

    def clear(self, name: str) -> str | None:
        """Return None: in a bucket there is nothing but objects."""
        del name
        return None  # the port's other storages return an address

    def sweep(self, *names: str) -> None:
        """Abort uploads in parts that began a day ago or earlier. Raises SinkUnavailable."""
        self.bucket.abort_uploads([self.prefix + name for name in names], datetime.now(UTC) - ABANDONED)

    def abandoned(self, folder: str) -> Iterator[str]:
        """Yield the addresses of uploads in parts that began a day ago or earlier. Raises SinkUnavailable."""
        uploads = self.bucket.uploads(self.prefix + folder, datetime.now(UTC) - ABANDONED)
        yield from (self.bucket.address(upload["Key"]) for upload in uploads)

    def address(self, name: str) -> str:
        """Return an object's full name."""
        return self.bucket.address(self.prefix + name)

    def _is_conditional(self) -> bool:
        """Whether the server refuses to create an object twice, and to replace or remove one that has another ETag.

        AWS does; others are probed, once a process.
        """
        if self.conditional is not None:
            return self.conditional
        if self.bucket.is_aws:
            return True
        with _conditional_lock:
            if self._server not in _conditional:
                _conditional[self._server] = self._probe()
            return _conditional[self._server]

    def _known_conditional(self) -> bool | None:
        return _conditional.get(self._server, self.conditional)

    @property
    def _server(self) -> tuple[int, str | None, str]:
        return os.getpid(), self.aws.endpoint_url, self.name

    def _probe(self) -> bool:
        key = f"{self.prefix}.probe-{secrets.token_hex(8)}"
        self.bucket.create(key, b"first")
        try:
            created = self.bucket.create(key, b"second")
            replaced = self.bucket.exchange(key, b"third", _NO_ETAG)
            return not (created or replaced or self.bucket.delete_exact(key, _NO_ETAG))
        finally:
            self.bucket.delete(key)


def open_storage(location: Location, settings: S3Options) -> S3Storage:
    """Return the storage of `s3://bucket/folder`. Raises SettingsError for an invalid bucket."""
    folder = s3_folder(location)
    return S3Storage(folder.bucket, folder.key, aws_settings(settings))


@attrs.frozen
class _Draft:
    """A file without a name on this disk, on its way to the bucket."""

    _storage: S3Storage
    _name: str
    file: IO[bytes]

    @property
    def address(self) -> str:
        return tempfile.gettempdir()

    def finish(self, name: str | None = None) -> None:
        name = name or self._name
        with disk_faults("write a temporary file", self.address):
            self.file.flush()
            self.file.seek(0)
            sha256 = hashlib.file_digest(self.file, "sha256").hexdigest()  # type: ignore[arg-type]  # it can be read
        try:
            self._storage.bucket.upload(self._storage.prefix + name, self.file, sha256)
        except SinkUnavailable as error:
            path = self._storage.local_folder / name
            self._store_locally(path)
            raise _stored_locally(error, path) from error

    def discard(self) -> None:
        self.file.close()

    def _store_locally(self, path: Path) -> None:
        with disk_faults("store a local copy", path):
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


def _stored_locally(error: SinkUnavailable, path: Path) -> SinkUnavailable:
    hint = f"{error.hint}. It is kept in {path}"
    return SinkUnavailable(f"cannot be stored: {error.message}", error.context, hint)
