"""`pulse runs list` and `pulse runs show`: the runs in the results, and one of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from pulse_adapters.published.result_reader import read_head, read_result, with_results
from pulse_adapters.published.score_reader import best_forecasters
from pulse_adapters.storage.port import stands_in_the_way
from pulse_core.errors import MalformedData, RunNotFound, SinkUnavailable
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import run_command, show, write_csv, write_json
from pulse_entrypoints.cli.printing import write_text
from pulse_entrypoints.settings.locations import ResultsSettings
from pulse_entrypoints.settings.output import CSV, TABLE
from pulse_entrypoints.settings.runs import RunsListSettings, RunsShowSettings
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.results_archive import ResultsArchive

PUBLISHED: Final = "published"
UNPUBLISHED: Final = "not published"
UNDER_WAY: Final = "under way"
UNREADABLE: Final = "unreadable"


@attrs.frozen(kw_only=True)
class RunLine:
    """A run in the list; None where it is not published, or its result or its folder cannot be read."""

    run: str
    state: str
    written: datetime | None = None
    bytes: int | None = None
    start: str | None = None
    end: str | None = None
    planned: int | None = None
    recalled: int | None = None
    computed: int | None = None
    failed: int | None = None
    digest: str | None = None

    @property
    def row(self) -> dict[str, Any]:
        """The line as JSON and CSV have it."""
        written = None if self.written is None else self.written.isoformat(timespec="seconds")
        return {**attrs.asdict(self), "written": written}


@attrs.frozen
class RecordsSize:
    """The size of the files of records: sound ones, their bytes, and damaged ones that were set aside."""

    count: int
    bytes: int
    set_aside: int


def list_runs(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """List as the settings say and return the exit status."""
    return run_command(command_line, environment, RunsListSettings, _list)


def show_run(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Show as the settings say and return the exit status."""
    return run_command(command_line, environment, RunsShowSettings, _show)


def open_archive(layered: Layered[Any]) -> ResultsArchive:
    """Return the archive of the results. Raises SettingsError where no adapter serves their location."""
    composition.refuse_unserved_locations(layered)
    settings: ResultsSettings = layered.settings
    return composition.sink_of(settings)


def lines_of(archive: ResultsArchive) -> list[RunLine]:
    """Return a line a run, the last written first."""
    lines = (_line(archive, run_id) for run_id in archive.run_ids())
    return sorted((line for line in lines if line is not None), key=_newest_first, reverse=True)


def _newest_first(line: RunLine) -> tuple[datetime, str]:
    """Return what lines are sorted by; a folder that cannot be read comes last."""
    return line.written or datetime.min.replace(tzinfo=UTC), line.run


def size_of_records(archive: ResultsArchive) -> RecordsSize:
    """Return the size of all records."""
    found = list(archive.records())
    sound = [record for record in found if not record.damaged]
    return RecordsSize(len(sound), sum(record.size for record in sound), len(found) - len(sound))


def _list(layered: Layered[RunsListSettings]) -> Ending:
    archive = open_archive(layered)
    lines, records = lines_of(archive), size_of_records(archive)
    if layered.settings.format == TABLE:
        from pulse_entrypoints.commands.runs.table import listing

        show(*listing(lines, records, layered.settings.results))
    elif layered.settings.format == CSV:
        write_csv([field.name for field in attrs.fields(RunLine)], (line.row for line in lines))
    else:
        write_json({"runs": [line.row for line in lines], "records": attrs.asdict(records)})
    return Ending(Exit.DONE)


def _show(layered: Layered[RunsShowSettings]) -> Ending:
    archive = open_archive(layered)
    if layered.settings.format == TABLE:
        from pulse_entrypoints.commands.runs.table import details

        show(*details(read_result(archive, layered.settings.run)))
    elif layered.settings.format == CSV:
        rows = with_results(archive, (layered.settings.run,), lambda run: list(best_forecasters(archive, run)))
        names = ("variable", "horizon", "best")
        write_csv(names, (dict(zip(names, row, strict=True)) for row in rows))
    else:
        write_text(read_result(archive, layered.settings.run).content.decode().rstrip())
    return Ending(Exit.DONE)


def _line(archive: ResultsArchive, run_id: str) -> RunLine | None:
    """Return a run's line, or None where it was removed since it was listed."""
    try:
        facts = archive.run_facts(run_id)
        line = RunLine(run=run_id, state=UNPUBLISHED, written=facts.modified, bytes=facts.size)
        return _read_line(archive, line)
    except RunNotFound:
        return None
    except SinkUnavailable as error:
        if not stands_in_the_way(error):
            raise
        return RunLine(run=run_id, state=UNREADABLE)


def _read_line(archive: ResultsArchive, line: RunLine) -> RunLine:
    """Return a run's line with what its result says, where it is published."""
    try:
        head = read_head(archive, line.run)
    except RunNotFound:
        return attrs.evolve(line, state=UNDER_WAY) if archive.is_under_way(line.run) else line
    except MalformedData:
        return attrs.evolve(line, state=UNREADABLE)
    except SinkUnavailable as error:
        if not stands_in_the_way(error):
            raise
        return attrs.evolve(line, state=UNREADABLE)
    period, units = head.run.spec, head.run.units
    return attrs.evolve(
        line,
        state=PUBLISHED,
        start=str(period.start),
        end=str(period.end),
        planned=units.planned,
        recalled=units.recalled,
        computed=units.computed,
        failed=units.failed,
        digest=head.digest,
    )
