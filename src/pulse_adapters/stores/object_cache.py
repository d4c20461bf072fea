"""ObjectCache: objects of a bucket on the disk of this machine, each with its ETag; processes share it without locks.

A file is one object: a line of JSON (its name, ETag and SHA-256), then its bytes. It appears whole, and counts only if
name and SHA-256 fit, so that a killed writer or a damaged disk costs one fetch and no more. A full or read-only disk
turns the cache off for this process, with one warning.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

import attrs

_TEMPORARY: Final = ".tmp-"
_ABANDONED_AFTER: Final = 3_600.0
_LARGEST_SHARE: Final = 8
_SHARES: Final = 64
"""A process adds at most this share of the limit before it checks the size of the cache."""

_log = logging.getLogger(__name__)


@attrs.define
class _State:
    """A cache in this process: the bytes added since the last check of its size, and whether it is off."""

    unchecked: int | None = None
    off: bool = False


_states: Final[dict[tuple[int, Path], _State]] = {}
_lock: Final = Lock()


@attrs.frozen
class ObjectCache:
    """A cache in `folder` of at most `limit` bytes, to which each process adds a 64th of them before it makes room."""

    folder: Path = attrs.field(converter=Path)
    limit: int

    def get(self, name: str, etag: str) -> bytes | None:
        """Return the bytes of the object `name` while its ETag was `etag`, or None."""
        path = self._path(name)

        def read() -> bytes | None:
            try:
                content = path.read_bytes()
                os.utime(path)  # the file used last is removed last
            except FileNotFoundError:
                return None
            header, _, body = content.partition(b"\n")
            return body if _header(header) == [name, etag, _sha256(body)] else None

        return self._unless_off(read)

    def put(self, name: str, etag: str, content: bytes) -> None:
        """Store an object, replacing an older one of its name."""
        if len(content) > self.limit // _LARGEST_SHARE:
            return  # it would displace too many others

        def write() -> None:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = self.folder / f"{_TEMPORARY}{secrets.token_hex(8)}"
            try:
                temporary.write_bytes(json.dumps([name, etag, _sha256(content)]).encode() + b"\n" + content)
                temporary.replace(self._path(name))
            finally:
                temporary.unlink(missing_ok=True)
            self._make_room(len(content))

        self._unless_off(write)

    def _path(self, name: str) -> Path:
        return self.folder / hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()

    def _unless_off(self, act: Callable[[], bytes | None]) -> bytes | None:
        if self._state().off:
            return None
        try:
            return act()
        except OSError as error:
            with _lock:
                first, self._state().off = not self._state().off, True
            if first:
                _log.warning("%s: no cache of objects for this process: %s", self.folder, error.strerror or error)
            return None

    def _state(self) -> _State:
        return _states.setdefault((os.getpid(), self.folder), _State())

    def _make_room(self, added: int) -> None:
        """Remove the files that were used least recently, until several processes can add without a check."""
        state = self._state()
        with _lock:
            state.unchecked = None if state.unchecked is None else state.unchecked + added
            if state.unchecked is not None and state.unchecked <= self.limit // _SHARES:
                return
            state.unchecked = 0
        files = sorted(self._files())
        surplus = sum(size for _, size, _ in files) - self.limit * 7 // _LARGEST_SHARE
        for modified, size, path in files:
            abandoned = path.name.startswith(_TEMPORARY) and modified < time.time() - _ABANDONED_AFTER
            if surplus > 0 or abandoned:
                path.unlink(missing_ok=True)
                surplus -= size

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # another process was quicker
                    status = entry.stat(follow_symlinks=False)
                    yield status.st_mtime, status.st_size, Path(entry.path)


def _header(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
