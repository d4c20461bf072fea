"""What a sink asks of the place its files are kept in: a folder, a bucket, or anything else that holds files by name.

A name is relative, its parts joined by `/`; a folder is what stands before a slash, and needs no making. Every
technology's faults are SinkUnavailable by the time they leave a place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import IO, Final, Protocol

import attrs

DAMAGED: Final = ".damaged"
"""What is put behind the name of a file that is set aside."""


Read = Callable[[str], bytes | None]
"""Return a file's content, or None where there is none. Raises SinkUnavailable."""


@attrs.frozen
class Entry:
    """A file in a place: its name, its bytes, and when it was last written (UTC)."""

    name: str
    size: int
    modified: datetime


class Draft(Protocol):
    """A file under way, too large for the memory. Nobody sees it before it is finished."""

    @property
    def file(self) -> IO[bytes]:
        """What to write to; it raises OSError."""

    @property
    def address(self) -> str:
        """What to name where writing fails."""

    def finish(self) -> None:
        """Let it stand under its name, whole, in the place of any other. Raises SinkUnavailable."""

    def discard(self) -> None:
        """Leave nothing of it, unless it is finished. Raises SinkUnavailable."""


class Place(Protocol):
    """Files by name. Survives pickling, and means the same wherever the copy is used."""

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none. Raises SinkUnavailable."""

    def reading(self, names: Sequence[str]) -> AbstractContextManager[Read]:
        """Open for reading these files one after another, ahead of time where reading is mostly waiting.

        Others can be read as well. What is held does not grow with the number of names.
        """

    def create(self, name: str, content: bytes) -> bool:
        """Store a file, whole, unless there is one of that name; return whether there was none.

        Of writers at once one wins. Raises SinkUnavailable.
        """

    def replace(self, name: str, content: bytes) -> None:
        """Store a file, whole, in the place of any other. Raises SinkUnavailable."""

    def copy(self, source: str, name: str) -> bool:
        """Let a file stand under another name too, whole, and return whether there is one now: not without a source.

        For names that say what is in them: one that is there already may stay. Raises SinkUnavailable.
        """

    def draft(self, name: str) -> Draft:
        """Begin a file that replaces any other once it is finished; afterwards discard it. Raises SinkUnavailable."""

    def folders(self) -> Iterator[str]:
        """Yield the names of the topmost folders, sorted. Raises SinkUnavailable."""

    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield every whole file in and below a folder ('' for the place), in no order. Raises SinkUnavailable."""

    def beginning(self, start: str) -> Iterator[str]:
        """Yield the names of whole files that begin so, all in one folder, in no order. Raises SinkUnavailable."""

    def remove(self, name: str) -> None:
        """Remove a file if it is there. Raises SinkUnavailable."""

    def remove_folder(self, folder: str) -> None:
        """Remove a folder and all that is in it, if it is there. Raises SinkUnavailable."""

    def set_aside(self, name: str, damaged: bytes) -> str | None:
        """Rename a file that holds these bytes to `<name>.damaged`; return where it is now.

        None where it holds others by now, or is gone: another worker was quicker. Raises SinkUnavailable.
        """

    def sweep(self, name: str) -> None:
        """Remove what killed writers left of a file, or in a folder and below it. Raises SinkUnavailable."""

    def address(self, name: str) -> str:
        """Return the full name of a file, as people and their tools know it."""
