"""`pulse report`: the results of a run as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pulse_core.errors import SettingsError, SinkUnavailable
from pulse_core.extras import missing
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import run_command
from pulse_entrypoints.cli.printing import write_text
from pulse_entrypoints.cli.progress import each_with_bar
from pulse_entrypoints.settings.report import ReportSettings
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.results_archive import ResultsArchive

REPORT: Final = "report.html"
_LIBRARY: Final = "bokeh"


def report(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Write the report of a run, print its address, and return the exit status."""
    return run_command(command_line, environment, ReportSettings, _report)


def report_problems(source: str) -> list[str]:
    """Return why a report cannot be written here; nothing where it can."""
    if find_spec(_LIBRARY) is None:
        return [f"{source}: {missing(_LIBRARY, 'report')}"]
    return []


def attach_report(sink: ResultsArchive, run_id: str) -> str:
    """Write the report of a published run beside its result; return its address."""
    return sink.attach(run_id, REPORT, _rendered(sink, run_id, ()))


def write_report(sink: ResultsArchive, run_id: str, path: Path, detail: Sequence[str] = ()) -> Path:
    """Write the report of a published run to a file; return its path. Raises SettingsError, SinkUnavailable."""
    problems = report_problems("report")
    if path.is_dir():
        problems.append(f"report: {path} is a folder; name a file in it")
    if problems:
        raise SettingsError(problems)
    return Path(_write(path, _rendered(sink, run_id, detail)))


def _report(layered: Layered[ReportSettings]) -> Ending:
    settings = layered.settings
    problems = [*report_problems("pulse report"), *composition.unserved_locations(layered)]
    if settings.output is not None and settings.output.is_dir():
        problems.append(f"{layered.source('output')}: {settings.output} is a folder; name a file in it")
    if problems:
        raise SettingsError(problems)
    sink = composition.sink_of(settings)
    content = _rendered(sink, settings.run, settings.detail or ())
    if settings.output is None:
        address = sink.attach(settings.run, REPORT, content)
    else:
        address = _write(settings.output, content)
    write_text(address)
    return Ending(Exit.DONE)


def _rendered(sink: ResultsArchive, run_id: str, detail: Sequence[str]) -> bytes:
    from pulse_adapters.report.assembly import assemble_report  # the libraries of tables and plots
    from pulse_adapters.report.rendering import render

    return render(assemble_report(sink, run_id, detail), partial(each_with_bar, "Writing the report"))


def _write(path: Path, content: bytes) -> str:
    from pulse_adapters.storage import files

    try:
        files.replace(path, content)
    except OSError as error:
        hint = "Make the folder writable, or name another --output"
        raise SinkUnavailable(f"cannot write the report: {error.strerror or error}", str(path), hint) from error
    return str(path)
