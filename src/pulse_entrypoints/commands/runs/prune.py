"""`pulse runs prune`: remove old runs and records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs

from pulse_adapters.sinks.archive import RecordFacts
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import run_command, show, write_csv, write_json
from pulse_entrypoints.commands.runs.command import RunLine, lines_of, open_archive
from pulse_entrypoints.settings.output import CSV, TABLE
from pulse_entrypoints.settings.runs import RECORDS, RUNS, RunsPruneSettings
from pulse_entrypoints.wiring.composition import utc_now
from pulse_entrypoints.wiring.results_archive import ResultsArchive


@attrs.frozen
class OldResults:
    """Runs and records to remove, damaged records among them."""

    runs: tuple[RunLine, ...]
    records: tuple[RecordFacts, ...]

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(run.bytes for run in self.runs) + sum(record.size for record in self.records)


def prune_runs(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Prune as the settings say and return the exit status."""
    return run_command(command_line, environment, RunsPruneSettings, _prune)


def find_old(archive: ResultsArchive, settings: RunsPruneSettings, now: datetime) -> OldResults:
    """Return what was last written too long ago. The newest runs stay, and records while one of their key is recent."""
    before = now - timedelta(days=settings.older_than)
    runs: list[RunLine] = []
    if settings.what != RECORDS:
        runs = [line for line in lines_of(archive)[settings.keep :] if line.written < before]
    records: list[RecordFacts] = []
    if settings.what != RUNS:
        recorded = list(archive.records())
        recent = {record.key for record in recorded if not record.damaged and record.modified >= before}
        records = [record for record in recorded if record.key not in recent]
    return OldResults(tuple(runs), tuple(records))


def remove(archive: ResultsArchive, old: OldResults) -> None:
    """Remove old results. An interrupted removal can be run again."""
    for run in old.runs:
        archive.remove_run(run.run)
    for key in dict.fromkeys(record.key for record in old.records):
        archive.remove_record(key)


def _prune(layered: Layered[RunsPruneSettings]) -> Ending:
    settings, archive = layered.settings, open_archive(layered)
    old = find_old(archive, settings, utc_now())
    if not settings.dry_run:
        remove(archive, old)
    if settings.format == TABLE:
        from pulse_entrypoints.commands.runs.table import pruned

        show(*pruned(old, removed=not settings.dry_run))
    elif settings.format == CSV:
        rows = [{"kind": "run", "name": run.run, "bytes": run.bytes} for run in old.runs]
        rows += [{"kind": "record", "name": record.key, "bytes": record.size} for record in old.records]
        write_csv(("kind", "name", "bytes"), rows)
    else:
        write_json(
            {
                "removed": not settings.dry_run,
                "runs": [run.run for run in old.runs],
                "records": [record.key for record in old.records],
                "bytes": old.bytes,
            }
        )
    return Ending(Exit.DONE)
