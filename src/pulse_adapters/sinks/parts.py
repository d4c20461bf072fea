"""Parts of a run's tables in a storage: written whole, named by their bytes, checked before they are used again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import attrs

from pulse_adapters.published.table_writer import ParquetPart
from pulse_adapters.sinks.layout import part_name
from pulse_adapters.storage.disk import disk_faults
from pulse_adapters.storage.port import Draft, Storage
from pulse_adapters.storage.uploads import AT_ONCE, Uploads
from pulse_core.tables import Columns, PartFacts, full_part_name, name_range


@attrs.frozen
class StorageParts:
    """The parts of runs' tables in a storage."""

    storage: Storage
    uploads: Uploads = AT_ONCE

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[_Part]:
        """Open a part for rows; without any, there will be no file. Its upload may outlast the context.

        Raises SettingsError for an invalid run id, ValueError for an invalid name, SinkUnavailable.
        """
        part_name(run_id, name)
        part = _Part(self.storage, run_id, name)
        try:
            yield part
            part.finish()
        except BaseException:
            part.discard()
            raise
        self.uploads.add(part.store, part.discard)

    def has_part(self, run_id: str, part: PartFacts) -> bool:
        """Whether a part stands there with its size and SHA-256. Raises SinkUnavailable."""
        return self.storage.fits(part_name(run_id, part.name), part.bytes, part.sha256)


class _Part:
    """A part that is being written: a PartWriter. The first rows open its file."""

    def __init__(self, storage: Storage, run_id: str, name: str) -> None:
        self._storage, self._run_id, self._name = storage, run_id, name
        self._draft: Draft | None = None
        self._file: _HashedFile | None = None
        self._parquet: ParquetPart | None = None
        self._rows = 0
        self._range = ("", "")
        self.facts: PartFacts | None = None
        """Those of a finished part, known before it is stored."""

    def write(self, columns: Columns) -> None:
        """Add rows as a row group. Raises ValueError where their columns differ from the first, SinkUnavailable."""
        if self._draft is None or self._parquet is None:
            self._draft = self._storage.draft(part_name(self._run_id, self._name))
            self._file = _HashedFile(self._draft.file)
            self._parquet = ParquetPart(self._file)
        with disk_faults("write a part", self._draft.address):
            self._parquet.write(columns)
        first, last = name_range([columns])
        self._range = min(self._range[0] or first, first), max(self._range[1], last)
        self._rows += len(next(iter(columns.values())))

    def finish(self) -> None:
        """Write the end of the file. Raises SinkUnavailable."""
        if self._draft is None or self._parquet is None or self._file is None:
            return
        with disk_faults("write a part", self._draft.address):
            self._parquet.finish()
        sha256 = self._file.digest.hexdigest()
        name = full_part_name(self._name, sha256)
        self.facts = PartFacts(name, "", self._rows, self._file.size, sha256, *self._range)

    def store(self) -> None:
        """Give a finished part its full name, and let go of the file. Raises SinkUnavailable."""
        try:
            if self._draft is not None and self.facts is not None:
                self._draft.finish(part_name(self._run_id, self.facts.name))
        finally:
            self.discard()

    def discard(self) -> None:
        """Let go of the rows, and of the file unless it is finished. Raises SinkUnavailable."""
        if self._parquet is not None:
            self._parquet.abandon()
        if self._draft is not None:
            self._draft.discard()


class _HashedFile:
    """A file for writing from start to end, with the SHA-256 and the number of the bytes written so far."""

    closed = False
    mode = "wb"

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, content: Any) -> int:
        """Write bytes. Raises OSError."""
        written = self._file.write(content)
        self.digest.update(content)
        self.size += written
        return written

    def flush(self) -> None:
        """Write what is buffered. Raises OSError."""
        self._file.flush()

    def tell(self) -> int:
        """Return the number of bytes written so far."""
        return self.size

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def readable(self) -> bool:
        """Say that it cannot be read."""
        return False

    def seekable(self) -> bool:
        """Say that it goes forward only: a byte that changed afterwards would not be in the hash."""
        return False

    def close(self) -> None:
        """Leave it open: the draft closes it."""
