"""The port `Storage`: files by name, in a folder, a bucket, or whatever else can hold them.

A name is relative, its parts joined by `/`. A folder is the part of a name before a slash; nobody creates it. A storage
translates every error of its technology into SinkUnavailable.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import IO, Final, Protocol

import attrs

from pulse_core.errors import SinkUnavailable

DAMAGED: Final = ".damaged"
"""The ending of a damaged file's new name."""


Read = Callable[[str], bytes | None]
"""Return a file's content, or None where there is none. Raises SinkUnavailable."""


def stands_in_the_way(error: SinkUnavailable) -> bool:
    """Whether one file cannot be read because of what stands there, or of whose it is; the others can be."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in {errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.EACCES}


@attrs.frozen
class Entry:
    """A file of a storage: its name, its size in bytes, and the time of its last writing (UTC)."""

    name: str
    size: int
    modified: datetime


class Draft(Protocol):
    """A file that is being written, too large for the memory. No reader sees it before it is finished."""

    @property
    def file(self) -> IO[bytes]:
        """The file to write to; writing raises OSError."""

    @property
    def address(self) -> str:
        """The path that an error of writing names."""

    def finish(self, name: str | None = None) -> None:
        """Give the file its name, or another one in the same folder, replacing an older one. Raises SinkUnavailable."""

    def discard(self) -> None:
        """Remove the file unless it is finished. Raises SinkUnavailable."""


class Storage(Protocol):
    """Files by name. It survives pickling, and the copy reaches the same files from any process."""

    @property
    def requests_at_once(self) -> int:
        """How many requests of a process go side by side; 1 where they would not take less time."""

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none. Raises SinkUnavailable."""

    def read_range(self, name: str, start: int, length: int) -> bytes | None:
        """Return so many bytes of a file from `start` on, fewer at its end, or None where there is no such file.

        Raises SinkUnavailable.
        """

    def reading(self, names: Sequence[str]) -> AbstractContextManager[Read]:
        """Open for reading these files one after another; a storage behind a network fetches the next ones meanwhile.

        Other files can be read as well. The memory in use does not grow with the number of names.
        """

    def create(self, name: str, content: bytes) -> bool:
        """Store a file unless the name is taken; return whether it was free.

        Of several writers at the same time one wins. Raises SinkUnavailable.
        """

    def replace(self, name: str, content: bytes) -> None:
        """Store a file, replacing an older one of its name. Raises SinkUnavailable."""

    def exchange(self, name: str, before: bytes | None, after: bytes | None) -> bool:
        """Store `after` where the file of this name holds `before`; None stands for no file.

        Return whether it held that. Of several who exchange the same content at the same time one succeeds.
        Raises SinkUnavailable.
        """

    def rescue(self, name: str, content: bytes, error: SinkUnavailable) -> SinkUnavailable:
        """Keep a content elsewhere that could not be stored for this error; return the error that says where.

        A storage that has nowhere else returns the error as it is. Raises SinkUnavailable.
        """

    def fits(self, name: str, size: int, sha256: str) -> bool:
        """Whether a file exists with this size and this SHA-256, in hexadecimal digits. Raises SinkUnavailable."""

    def durable(self) -> None:
        """Return once all files that this machine has stored so far outlast a loss of power. Raises SinkUnavailable."""

    def draft(self, name: str) -> Draft:
        """Open a file that takes its name once it is finished; discard it afterwards. Raises SinkUnavailable.

        It outlasts a loss of power once `durable` has returned.
        """

    def folders(self) -> Iterator[str]:
        """Yield the names of the topmost folders, sorted. Raises SinkUnavailable."""

    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield every file in and below a folder ('' for all files), in no order. Raises SinkUnavailable."""

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names with this prefix, in no order, without those of deeper folders. Raises SinkUnavailable."""

    def remove(self, name: str) -> None:
        """Remove a file if it exists. Raises SinkUnavailable."""

    def remove_all(self, names: Iterable[str]) -> None:
        """Remove files that exist, one after another as `names` yields them. Raises SinkUnavailable."""

    def remove_folder(self, folder: str) -> None:
        """Remove a folder and all files in it, if it exists. Raises SinkUnavailable."""

    def set_aside(self, name: str, damaged: bytes) -> str | None:
        """Rename a file that holds these bytes to `<name>.damaged`; return its new address.

        Return None where the file holds other bytes or is gone: another worker was quicker. Raises SinkUnavailable.
        """

    def clear(self, name: str) -> str | None:
        """Rename what stands in the place of a file and is none, such as a folder or a pipe, to `<name>.damaged`.

        Return its new address; None where a file stands there, or nothing. Raises SinkUnavailable.
        """

    def sweep(self, *names: str) -> None:
        """Remove the temporary files of killed writers: of files, or in and below folders. Raises SinkUnavailable."""

    def abandoned(self, folder: str) -> Iterator[str]:
        """Yield the addresses of the temporary files that `sweep` would remove in and below a folder ('' for all).

        Raises SinkUnavailable.
        """

    def address(self, name: str) -> str:
        """Return the full name of a file: a path, or `s3://bucket/key`."""
