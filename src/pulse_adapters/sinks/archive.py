"""What was written: runs and their files to read, records and runs to look through and to remove."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from difflib import get_close_matches

import attrs

from pulse_adapters.published.table_writer import SUFFIX, TABLES
from pulse_adapters.sinks.layout import (
    PROGRESS,
    RESULT,
    UNITS,
    file_name,
    is_run_id,
    key_of,
    part_of,
    record_name,
    run_folder,
)
from pulse_adapters.storage.port import DAMAGED, Place
from pulse_core.errors import RunNotFound


@attrs.frozen
class RecordFacts:
    """A record of the ledger: its key, its bytes, when it was written (UTC), and whether it was set aside."""

    key: str
    size: int
    modified: datetime
    damaged: bool = False


@attrs.frozen
class RunFacts:
    """A run's files: how many, their bytes, and when one was last written (UTC)."""

    run_id: str
    files: int
    size: int
    modified: datetime


@attrs.frozen
class Archive:
    """Reads and removes what a sink wrote to a place."""

    place: Place

    def run_ids(self) -> Iterator[str]:
        """Yield the id of every run that has a file here, published or not, sorted. Raises SinkUnavailable."""
        return (name for name in self.place.folders() if is_run_id(name))

    def run_facts(self, run_id: str) -> RunFacts:
        """Return what there is of a run, published or not. Raises RunNotFound, SettingsError, SinkUnavailable."""
        entries = list(self.place.entries(run_folder(run_id)))
        if not entries:
            raise self._not_found(run_id, RESULT)
        written = max(entry.modified for entry in entries)
        return RunFacts(run_id, len(entries), sum(entry.size for entry in entries), written)

    def read(self, run_id: str, name: str) -> bytes:
        """Return a run's file: `result.json`, `scores/part-….parquet`, `run.log`.

        Raises RunNotFound where the run is not here or has no such file (a run that was never published has no
        `result.json`), SettingsError where run id or name are none, SinkUnavailable.
        """
        content = self.place.read(file_name(run_id, name))
        if content is None:
            raise self._not_found(run_id, name)
        return content

    def parts(self, run_id: str, table: str) -> tuple[str, ...]:
        """Return the names, for `read`, of the files that make up a run's table, in order; none where it has none.

        The tables are `scores` and `hindcasts`. Raises SettingsError where the run id is none, SinkUnavailable.
        """
        if table not in TABLES:
            raise ValueError(f"'{table}' is no table: there are {', '.join(TABLES)}")
        names = (entry.name for entry in self.place.entries(f"{run_folder(run_id)}/{table}"))
        parts = (part_of(run_id, name) for name in names)
        return tuple(sorted(f"{part}{SUFFIX}" for part in parts if part is not None))

    def records(self) -> Iterator[RecordFacts]:
        """Yield every record of the ledger and every one set aside, in no order. Raises SinkUnavailable."""
        for entry in self.place.entries(UNITS):
            key = key_of(entry.name.removesuffix(DAMAGED))
            if key is not None:
                yield RecordFacts(key, entry.size, entry.modified, entry.name.endswith(DAMAGED))

    def marks(self, run_id: str) -> frozenset[str]:
        """Return what `mark` has noted of a run. Raises SettingsError where the run id is none, SinkUnavailable."""
        folder = f"{run_folder(run_id)}/{PROGRESS}"
        return frozenset(entry.name.rpartition("/")[2] for entry in self.place.entries(folder))

    def remove_marks(self, run_id: str) -> None:
        """Forget a run's marks: all is done. Raises SettingsError where the run id is none, SinkUnavailable."""
        self.place.remove_folder(f"{run_folder(run_id)}/{PROGRESS}")

    def remove_record(self, key: str) -> None:
        """Remove a record, and what was set aside under its key; harmless where there is none. Raises SinkUnavailable.

        A run that needs it computes it again.
        """
        name = record_name(key)
        self.place.remove(name)
        self.place.remove(name + DAMAGED)

    def remove_run(self, run_id: str) -> None:
        """Remove a run with all its files; its records stay in the ledger.

        The result goes first, so that nobody finds one whose parts are gone. Raises RunNotFound, SettingsError
        where the run id is none, SinkUnavailable.
        """
        folder = run_folder(run_id)
        if run_id not in self.run_ids():
            raise self._not_found(run_id, RESULT)
        self.place.remove(file_name(run_id, RESULT))
        self.place.remove_folder(folder)

    def _not_found(self, run_id: str, name: str) -> RunNotFound:
        ids = list(self.run_ids())
        if run_id in ids:
            missing = f"run '{run_id}' has no {name}"
            hint = "It was not published: run it again" if name == RESULT else "Run it again with what writes that file"
            return RunNotFound(missing, self.place.address(file_name(run_id, name)), hint)
        near = get_close_matches(run_id, ids) or ids[-10:]
        hint = f"There are: {', '.join(near)}" if near else "There are no runs yet"
        return RunNotFound(f"no run '{run_id}'", self.place.address(""), hint)
