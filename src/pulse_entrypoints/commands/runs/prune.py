"""`pulse runs prune`: remove old runs and records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs

from pulse_adapters.sinks.archive import RecordFacts
from pulse_core.errors import RunNotFound
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
        return sum(run.bytes or 0 for run in self.runs) + sum(record.size for record in self.records)


def prune_runs(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Prune as the settings say and return the exit status."""
    return run_command(command_line, environment, RunsPruneSettings, _prune)


def find_old(archive: ResultsArchive, settings: RunsPruneSettings, before: datetime) -> OldResults:
    """Return what was last written before that time, and what was set aside as damaged. The newest runs stay."""
    runs: list[RunLine] = []
    if settings.what != RECORDS:
        runs = [line for line in lines_of(archive)[settings.keep :] if line.written and line.written < before]
    records: list[RecordFacts] = []
    if settings.what != RUNS:
        records = [record for record in archive.records() if record.is_outdated(before)]
    return OldResults(tuple(runs), tuple(records))


def remove(archive: ResultsArchive, old: OldResults, before: datetime) -> OldResults:
    """Remove old results, and return what was removed: what a run has written or uses meanwhile stays.

    An interrupted removal can be run again.
    """
    runs = tuple(run for run in old.runs if _removed(archive, run, before))
    return OldResults(runs, tuple(archive.remove_records(old.records, before)))


def _removed(archive: ResultsArchive, run: RunLine, before: datetime) -> bool:
    try:
        return archive.remove_run(run.run, before)
    except RunNotFound:  # somebody else has removed it
        return False


def _prune(layered: Layered[RunsPruneSettings]) -> Ending:
    settings, archive = layered.settings, open_archive(layered)
    before = utc_now() - timedelta(days=settings.older_than)
    old = find_old(archive, settings, before)
    if not settings.dry_run:
        old = remove(archive, old, before)
    if settings.format == TABLE:
        from pulse_entrypoints.commands.runs.table import pruned

        show(*pruned(old, removed=not settings.dry_run))
    elif settings.format == CSV:
        rows = [{"kind": "run", "name": run.run, "bytes": run.bytes} for run in old.runs]
        rows += [{"kind": "record", "name": record.name, "bytes": record.size} for record in old.records]
        write_csv(("kind", "name", "bytes"), rows)
    else:
        write_json(
            {
                "removed": not settings.dry_run,
                "runs": [run.run for run in old.runs],
                "records": [record.name for record in old.records],
                "bytes": old.bytes,
            }
        )
    return Ending(Exit.DONE)
