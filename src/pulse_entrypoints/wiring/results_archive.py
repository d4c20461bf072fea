"""The port `ResultsArchive`: the results as entry points use them, in any storage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from pulse_adapters.sinks.archive import RecordFacts, RunFacts
from pulse_adapters.storage.port import Storage
from pulse_core.errors import SinkUnavailable
from pulse_core.ports import ResultSink
from pulse_core.spec import RunSpec


class ResultsArchive(ResultSink, Protocol):
    """A sink whose runs and records can also be read, listed and removed.

    Every method raises SettingsError for an invalid run id or file name, and SinkUnavailable.
    """

    @property
    def storage(self) -> Storage:
        """The storage of the results, for those who check its files."""

    def check_run_id(self, run_id: str, spec: RunSpec) -> None:
        """Raise RunIdTaken where the run id holds the result of another spec, or a file that is no result."""

    def attach(self, run_id: str, name: str, content: bytes) -> str:
        """Store a further file of a run; return its address."""

    def mark(self, run_id: str, mark: str) -> None:
        """Mark a unit of a run as finished, for processes that wait for it; marking twice is harmless."""

    def marks(self, run_id: str) -> frozenset[str]:
        """Return the marks of a run."""

    def remove_marks(self, run_id: str) -> None:
        """Remove the marks of a run."""

    def probe(self) -> Iterator[tuple[str, SinkUnavailable | None]]:
        """Yield the address of the results and of each output, with the error of writing there, or None."""

    def run_ids(self) -> Iterator[str]:
        """Yield the id of every run with a file, published or not, sorted."""

    def run_facts(self, run_id: str) -> RunFacts:
        """Return the number and size of a run's files, and the time of the last writing. Raises RunNotFound."""

    def is_under_way(self, run_id: str) -> bool:
        """Whether a process is at work under the run id, as far as its claim tells."""

    def read(self, run_id: str, name: str) -> bytes:
        """Return a run's file: `result.json`, `run.log`, or one that `parts` names.

        Raises RunNotFound where there is no such run or file: a run that is under way, failed or was interrupted has no
        `result.json`.
        """

    def address(self, run_id: str, name: str) -> str:
        """Return the full name of a run's file: a path, or `s3://bucket/key`."""

    def parts(self, run_id: str, table: str) -> Mapping[str, int]:
        """Return the names, for `read`, of the Parquet files of a run's table, with their sizes in bytes.

        The tables are `scores`, `batches` and `hindcasts`.
        """

    def records(self) -> Iterator[RecordFacts]:
        """Yield name, size and time of every file of records, set aside or not, in no order."""

    def remove_records(self, records: Iterable[RecordFacts], written_before: datetime) -> list[RecordFacts]:
        """Remove files of records that are old still, and that no run under way uses; return those."""

    def remove_record(self, key: str) -> None:
        """Remove a record and the damaged one of its key, if they exist."""

    def remove_run(self, run_id: str, written_before: datetime | None = None) -> bool:
        """Remove a run with all its files; its records stay. Return whether it was removed. Raises RunNotFound.

        A run that is under way stays, and one of which anything was written at that time or later.
        """
