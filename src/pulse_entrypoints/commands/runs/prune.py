"""`pulse runs prune`: remove what is old."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs

from pulse_adapters.sinks.archive import RecordFacts
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import answer, show, write_csv, write_json
from pulse_entrypoints.commands.runs.command import RunLine, lines_of, place_of
from pulse_entrypoints.settings.answers import CSV, TABLE
from pulse_entrypoints.settings.runs import RECORDS, RUNS, RunsPruneSettings
from pulse_entrypoints.wiring.composition import utc_now
from pulse_entrypoints.wiring.results_archive import ResultsArchive


@attrs.frozen
class Old:
    """What is to be removed: runs, records, and keys of which only something damaged is there."""

    runs: tuple[RunLine, ...]
    records: tuple[RecordFacts, ...]

    @property
    def bytes(self) -> int:
        """How much it takes up."""
        return sum(run.bytes for run in self.runs) + sum(record.size for record in self.records)


def prune_runs(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Prune as the settings say and return the exit status."""
    return answer(command_line, environment, RunsPruneSettings, _prune)


def old(place: ResultsArchive, settings: RunsPruneSettings, now: datetime) -> Old:
    """Find what was last written too long ago. The newest runs stay, and records while one of their key is young."""
    before = now - timedelta(days=settings.older_than)
    runs: list[RunLine] = []
    if settings.message != RECORDS:
        runs = [line for line in lines_of(place)[settings.keep :] if line.written < before]
    records: list[RecordFacts] = []
    if settings.message != RUNS:
        every = list(place.records())
        young = {record.key for record in every if not record.damaged and record.modified >= before}
        records = [record for record in every if record.key not in young]
    return Old(tuple(runs), tuple(records))


def remove(place: ResultsArchive, found: Old) -> None:
    """Remove it. Whatever is interrupted between two removals can be run again."""
    for run in found.runs:
        place.remove_run(run.run)
    for key in dict.fromkeys(record.key for record in found.records):
        place.remove_record(key)


def _prune(read: Layered[RunsPruneSettings]) -> Ending:
    settings, place = read.settings, place_of(read)
    found = old(place, settings, utc_now())
    if not settings.dry_run:
        remove(place, found)
    if settings.format == TABLE:
        from pulse_entrypoints.commands.runs.table import pruned

        show(*pruned(found, done=not settings.dry_run))
    elif settings.format == CSV:
        rows = [{"kind": "run", "name": run.run, "bytes": run.bytes} for run in found.runs]
        rows += [{"kind": "record", "name": record.key, "bytes": record.size} for record in found.records]
        write_csv(("kind", "name", "bytes"), rows)
    else:
        write_json(
            {
                "removed": not settings.dry_run,
                "runs": [run.run for run in found.runs],
                "records": [record.key for record in found.records],
                "bytes": found.bytes,
            }
        )
    return Ending(Exit.DONE)
