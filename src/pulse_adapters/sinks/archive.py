"""The archive of results: reading, listing and removing of runs, their files, and records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from difflib import get_close_matches

import attrs

from pulse_adapters.published.document import RESULT
from pulse_adapters.published.table_writer import SUFFIX, TABLES
from pulse_adapters.sinks.layout import (
    PROGRESS,
    UNITS,
    file_name,
    is_run_id,
    key_of,
    part_of,
    record_name,
    run_folder,
)
from pulse_adapters.storage.port import DAMAGED, Storage
from pulse_core.errors import RunNotFound


@attrs.frozen
class RecordFacts:
    """A record: its key, its size in bytes, the time of writing (UTC), whether it was set aside."""

    key: str
    size: int
    modified: datetime
    damaged: bool = False


@attrs.frozen
class RunFacts:
    """The files of a run: their number, their size in bytes, and the time of the last writing (UTC)."""

    run_id: str
    files: int
    size: int
    modified: datetime


@attrs.frozen
class StorageArchive:
    """Reads, lists and removes the runs and records of a storage."""

    storage: Storage

    def run_ids(self) -> Iterator[str]:
        """Yield the id of every run with a file, published or not, sorted. Raises SinkUnavailable."""
        return (name for name in self.storage.folders() if is_run_id(name))

    def run_facts(self, run_id: str) -> RunFacts:
        """Return the facts of a run's files, published or not. Raises RunNotFound, SettingsError, SinkUnavailable."""
        entries = list(self.storage.entries(run_folder(run_id)))
        if not entries:
            raise self._not_found(run_id, RESULT)
        written = max(entry.modified for entry in entries)
        return RunFacts(run_id, len(entries), sum(entry.size for entry in entries), written)

    def read(self, run_id: str, name: str) -> bytes:
        """Return a run's file: `result.json`, `scores/part-….parquet`, `run.log`.

        Raises RunNotFound where there is no such run or file (a run that was never published has no `result.json`),
        SettingsError for an invalid run id or name, SinkUnavailable.
        """
        content = self.storage.read(file_name(run_id, name))
        if content is None:
            raise self._not_found(run_id, name)
        return content

    def address(self, run_id: str, name: str) -> str:
        """Return the full name of a run's file: a path, or `s3://bucket/key`. Raises as `read` for invalid names."""
        return self.storage.address(file_name(run_id, name))

    def parts(self, run_id: str, table: str) -> dict[str, int]:
        """Return the names, for `read`, of the files of a run's table, with their sizes in bytes.

        The tables are `scores`, `batches` and `hindcasts`. Raises SettingsError for an invalid run id, SinkUnavailable.
        """
        if table not in TABLES:
            raise ValueError(f"'{table}' is no table: there are {', '.join(TABLES)}")
        sizes = {entry.name: entry.size for entry in self.storage.entries(f"{run_folder(run_id)}/{table}")}
        parts = {part_of(run_id, name): size for name, size in sizes.items()}
        return {f"{part}{SUFFIX}": size for part, size in parts.items() if part is not None}

    def records(self) -> Iterator[RecordFacts]:
        """Yield every sound record and every one set aside, in no order. Raises SinkUnavailable."""
        for entry in self.storage.entries(UNITS):
            key = key_of(entry.name.removesuffix(DAMAGED))
            if key is not None:
                yield RecordFacts(key, entry.size, entry.modified, entry.name.endswith(DAMAGED))

    def marks(self, run_id: str) -> frozenset[str]:
        """Return the marks of a run. Raises SettingsError for an invalid run id, SinkUnavailable."""
        folder = f"{run_folder(run_id)}/{PROGRESS}"
        return frozenset(entry.name.rpartition("/")[2] for entry in self.storage.entries(folder))

    def remove_marks(self, run_id: str) -> None:
        """Remove the marks of a finished run. Raises SettingsError for an invalid run id, SinkUnavailable."""
        self.storage.remove_folder(f"{run_folder(run_id)}/{PROGRESS}")

    def remove_record(self, key: str) -> None:
        """Remove a record and the damaged one of its key, if they exist. Raises SinkUnavailable.

        A run that needs the record computes it again.
        """
        name = record_name(key)
        self.storage.remove(name)
        self.storage.remove(name + DAMAGED)

    def remove_run(self, run_id: str) -> None:
        """Remove a run with all its files; the records it used stay.

        The result goes first, so that no reader finds a result without its parts. Raises RunNotFound, SettingsError
        for an invalid run id, SinkUnavailable.
        """
        folder = run_folder(run_id)
        if run_id not in self.run_ids():
            raise self._not_found(run_id, RESULT)
        self.storage.remove(file_name(run_id, RESULT))
        self.storage.remove_folder(folder)

    def _not_found(self, run_id: str, name: str) -> RunNotFound:
        ids = list(self.run_ids())
        if run_id in ids:
            missing = f"run '{run_id}' has no {name}"
            hint = "It was not published: run it again" if name == RESULT else "Run it again with what writes that file"
            return RunNotFound(missing, self.storage.address(file_name(run_id, name)), hint)
        near = get_close_matches(run_id, ids) or ids[-10:]
        hint = f"There are: {', '.join(near)}" if near else "There are no runs yet"
        return RunNotFound(f"no run '{run_id}'", self.storage.address(""), hint)
