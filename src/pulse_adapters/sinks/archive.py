"""The archive of results: reading, listing and removing of runs, their files, and records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches
from operator import attrgetter

import attrs

from pulse_adapters.published.document import RESULT
from pulse_adapters.published.table_writer import SUFFIX, TABLES
from pulse_adapters.sinks.layout import (
    PROGRESS,
    RECORDS,
    UNITS,
    claim_name,
    file_name,
    group_of,
    is_of_run,
    is_run_id,
    key_of,
    part_of,
    record_name,
    result_name,
    run_folder,
)
from pulse_adapters.sinks.leases import PRUNE, Claim, Lease, claimed, decoded, groups_in_use, is_seen_alive, while_held
from pulse_adapters.storage.port import DAMAGED, Storage
from pulse_core.errors import RunInterrupted, RunNotFound, SinkUnavailable

_UNPUBLISHED_HINT = (
    "It was not published: it is under way, or was interrupted. The same command that began it resumes it"
)


@attrs.frozen
class RecordFacts:
    """A file of records: its name, its size in bytes, the time of writing (UTC), whether it was set aside.

    It holds a single record, the packed ones of a unit, or an index of those.
    """

    name: str
    size: int
    modified: datetime
    damaged: bool = False

    def is_outdated(self, written_before: datetime) -> bool:
        """Whether it was written before that time, or is of no use to anybody."""
        return self.damaged or self.modified < written_before


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
        """Yield the name of every folder that may be a run, published or not, sorted. Raises SinkUnavailable."""
        return (name for name in self.storage.folders() if is_run_id(name))

    def run_facts(self, run_id: str) -> RunFacts:
        """Return the facts of a run's files, published or not. Raises RunNotFound, SettingsError, SinkUnavailable.

        A folder without any file of a run is none: results may lie beside other folders.
        """
        entries = [entry for entry in self.storage.entries(run_folder(run_id)) if is_of_run(run_id, entry.name)]
        if not entries:
            raise self._not_found(run_id, RESULT)
        written = max(entry.modified for entry in entries)
        return RunFacts(run_id, len(entries), sum(entry.size for entry in entries), written)

    def is_under_way(self, run_id: str) -> bool:
        """Whether a process is at work under the run id, as far as its claim tells.

        That of a machine that is gone stays until another run takes it over. Raises SettingsError, SinkUnavailable.
        """
        content = self.storage.read(claim_name(run_id))
        held = None if content is None else decoded(content)
        return held is not None and not held.is_over

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
        """Yield every file of records, those set aside included, in no order. Raises SinkUnavailable."""
        return self._records((UNITS, RECORDS))

    def _records(self, folders: Iterable[str]) -> Iterator[RecordFacts]:
        for folder in folders:
            for entry in self.storage.entries(folder):
                name = entry.name.removesuffix(DAMAGED)
                if key_of(name) is not None or group_of(name) is not None:
                    yield RecordFacts(entry.name, entry.size, entry.modified, entry.name.endswith(DAMAGED))

    def remove_records(self, records: Iterable[RecordFacts], written_before: datetime) -> list[RecordFacts]:
        """Remove files of records, and return those that were removed; a run that needs one computes it again.

        What was written at `written_before` or later stays, and so do packed records that a run under way uses: that is
        decided anew, folder by folder. Of packed records the oldest go first, since newer ones hide them.
        Raises SinkUnavailable.
        """
        folders: dict[str, set[str]] = {}
        for record in records:
            folders.setdefault(record.name.rpartition("/")[0], set()).add(record.name)
        used = groups_in_use(self.storage, (claim_name(run_id) for run_id in self.run_ids()))
        removed: list[RecordFacts] = []
        for folder, names in folders.items():
            stored = [facts for facts in self._records((folder,)) if facts.name in names]
            outdated = [facts for facts in stored if facts.is_outdated(written_before)]
            outdated = [facts for facts in outdated if facts.damaged or group_of(facts.name) not in used]
            outdated.sort(key=attrgetter("modified"))
            self.storage.remove_all(facts.name for facts in outdated)
            removed += outdated
        return removed

    def marks(self, run_id: str) -> frozenset[str]:
        """Return the marks of a run. Raises SettingsError for an invalid run id, SinkUnavailable."""
        folder = f"{run_folder(run_id)}/{PROGRESS}"
        return frozenset(entry.name.rpartition("/")[2] for entry in self.storage.entries(folder))

    def remove_marks(self, run_id: str) -> None:
        """Remove the marks of a finished run. Raises SettingsError for an invalid run id, SinkUnavailable."""
        self.storage.remove_folder(f"{run_folder(run_id)}/{PROGRESS}")

    def remove_record(self, key: str) -> None:
        """Remove a single record and the damaged one of its key, if they exist. Raises SinkUnavailable.

        A run that needs the record computes it again.
        """
        name = record_name(key)
        self.storage.remove(name)
        self.storage.remove(name + DAMAGED)

    def remove_run(self, run_id: str, written_before: datetime | None = None) -> bool:
        """Remove a run with all its files, the records it used excepted; return whether it was removed.

        Files that Pulse does not write stay, and so do the folders that hold them, or that are somebody else's.
        A run that is under way stays, and so does one of which anything was written at `written_before` or later: that
        is decided under the run id's claim, so that no run begins to write meanwhile. The result goes first, so that no
        reader finds one without its parts. Raises RunNotFound, SettingsError for an invalid run id, SinkUnavailable.
        """
        folder, claim = run_folder(run_id), claim_name(run_id)
        if written_before is not None:
            self._drop_old_claim(claim, written_before)
        try:
            with claimed(self.storage, claim, Claim.of(run_id, PRUNE), _give_up) as lease:
                entries = [entry for entry in self.storage.entries(folder) if entry.name != claim]
                own = {entry.name for entry in entries if is_of_run(run_id, entry.name)}
                _require_files(own)
                if written_before is not None and any(entry.modified >= written_before for entry in entries):
                    return False
                self._remove_files(own, result_name(run_id), lease)
                with suppress(SinkUnavailable):  # the run is removed, temporary files of killed writers or not
                    self.storage.sweep(folder)
        except (_UnderWay, RunInterrupted):
            return False
        except _NoFiles:  # said once the claim is gone, which is a file of the run's folder as well
            raise self._not_found(run_id, RESULT) from None
        return True

    def _drop_old_claim(self, name: str, written_before: datetime) -> None:
        """Remove a claim that was last renewed so long ago that nobody holds it."""
        content = self.storage.read(name)  # read first: what is found to be old next was so when it was read
        renewed = [entry.modified for entry in self.storage.entries(name.rpartition("/")[0]) if entry.name == name]
        old = bool(renewed) and renewed[0] < written_before
        if content is not None and old and not is_seen_alive(content):
            self.storage.exchange(name, content, None)

    def _remove_files(self, names: set[str], result: str, lease: Lease) -> None:
        """Remove files while the lease holds, the result first."""
        lease.require()
        if result in names:
            content = self.storage.read(result)
            if content is not None and not self.storage.exchange(result, content, None):
                raise _UnderWay
        self.storage.remove_all(while_held(names - {result}, lease))

    def _not_found(self, run_id: str, name: str) -> RunNotFound:
        ids = list(self.run_ids())
        if run_id in ids:
            missing = f"run '{run_id}' has no {name}"
            hint = (
                "It was not published: it is under way, or was interrupted. The same command that began it resumes it"
                if name == RESULT
                else "Run it again with what writes that file"
            )
            return RunNotFound(missing, self.storage.address(file_name(run_id, name)), hint)
        near = get_close_matches(run_id, ids) or ids[-10:]
        hint = f"There are: {', '.join(near)}" if near else "There are no runs yet"
        return RunNotFound(f"no run '{run_id}'", self.storage.address(""), hint)


class _NoFiles(Exception):
    """A run has no files."""


def _require_files(names: Collection[str]) -> None:
    if not names:
        raise _NoFiles


class _UnderWay(Exception):
    """The run id is claimed by another."""


def _give_up(sentence: str) -> None:
    """Take the sentence of a claim that would be waited for."""
    raise _UnderWay(sentence)
