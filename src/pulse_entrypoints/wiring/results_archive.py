"""What entry points need of the place of the results, a folder or a bucket alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pulse_adapters.sinks.archive import RecordFacts, RunFacts
from pulse_core.errors import SinkUnavailable
from pulse_core.ports import ResultSink
from pulse_core.spec import RunSpec


class ResultsArchive(ResultSink, Protocol):
    """A sink whose runs and records can also be read, looked through and removed.

    Wherever a run id or a file's name is none that may be, SettingsError; where the place cannot be used,
    SinkUnavailable.
    """

    def claim(self, run_id: str, spec: RunSpec) -> None:
        """Raise RunIdTaken where the place holds the result of another spec under this id."""

    def attach(self, run_id: str, name: str, content: bytes) -> str:
        """Store a file beside the run's own, whole; return where it is."""

    def mark(self, run_id: str, mark: str) -> None:
        """Note that a part of a run is done, for whoever watches; harmless when repeated."""

    def marks(self, run_id: str) -> frozenset[str]:
        """Return what was noted so."""

    def remove_marks(self, run_id: str) -> None:
        """Forget what was noted so."""

    def probe(self) -> Iterator[tuple[str, SinkUnavailable | None]]:
        """Yield every place that a run's result goes to, and why nothing can be written there, or None."""

    def run_ids(self) -> Iterator[str]:
        """Yield the id of every run that has a file here, published or not, sorted."""

    def run_facts(self, run_id: str) -> RunFacts:
        """Return how many files a run has, their bytes, and when one was last written. Raises RunNotFound."""

    def read(self, run_id: str, name: str) -> bytes:
        """Return a run's file: `result.json`, `run.log`, or one that `parts` names.

        Raises RunNotFound where there is no such run, or it has no such file: one that was never published, because
        it is under way, failed or was interrupted, has no `result.json`.
        """

    def parts(self, run_id: str, table: str) -> tuple[str, ...]:
        """Return the names, for `read`, of the Parquet files that make up a run's table, in order; none without any.

        The tables are `scores` and `hindcasts`.
        """

    def records(self) -> Iterator[RecordFacts]:
        """Yield key, size and time of every record in the ledger, and of every one set aside, in no order."""

    def remove_record(self, key: str) -> None:
        """Remove a record and what was set aside under its key; harmless where there is none."""

    def remove_run(self, run_id: str) -> None:
        """Remove a run with all its files; its records stay. Raises RunNotFound."""
