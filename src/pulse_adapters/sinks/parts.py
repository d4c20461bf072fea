"""Parts of a run's tables in a storage: written whole, named by their bytes, checked before they are used again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import attrs

from pulse_adapters.published.table_writer import ParquetPart
from pulse_adapters.sinks.layout import part_name
from pulse_adapters.storage.port import Storage
from pulse_core.tables import Columns, PartFacts, full_part_name


@attrs.frozen
class StorageParts:
    """The parts of runs' tables in a storage."""

    storage: Storage

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[_Part]:
        """Open a part for rows; without any, there will be no file.

        Raises SettingsError for an invalid run id, ValueError for an invalid name, SinkUnavailable.
        """
        part_name(run_id, name)
        part = _Part(self.storage, run_id, name)
        try:
            yield part
            part.finish()
        finally:
            part.discard()

    def has_part(self, run_id: str, part: PartFacts) -> bool:
        """Whether a part stands there with its size and SHA-256. Raises SinkUnavailable."""
        return self.storage.fits(part_name(run_id, part.name), part.bytes, part.sha256)


class _Part:
    """A part that is being written: a PartWriter. The first rows open its file."""

    def __init__(self, storage: Storage, run_id: str, name: str) -> None:
        self._storage, self._run_id, self._name = storage, run_id, name
        self._file = BytesIO()
        self._parquet: ParquetPart | None = None
        self._rows = 0
        self.facts: PartFacts | None = None

    def write(self, columns: Columns) -> None:
        """Add rows as a row group. Raises ValueError where their columns differ from the first."""
        if self._parquet is None:
            self._parquet = ParquetPart(self._file)
        self._parquet.write(columns)
        self._rows += len(next(iter(columns.values())))

    def finish(self) -> None:
        """Store the part under its full name. Raises SinkUnavailable."""
        if self._parquet is None:
            return
        self._parquet.finish()
        content = self._file.getvalue()
        sha256 = hashlib.sha256(content).hexdigest()
        name = full_part_name(self._name, sha256)
        self._storage.replace(part_name(self._run_id, name), content)
        self.facts = PartFacts(name, "", self._rows, len(content), sha256)

    def discard(self) -> None:
        """Let go of the rows."""
        if self._parquet is not None:
            self._parquet.abandon()
