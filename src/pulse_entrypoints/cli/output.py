"""Output of commands: results on stdout as a table, CSV or JSON; problems on stderr."""

from __future__ import annotations

import csv
import json
import math
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import attrs

from pulse_core.errors import PulseError, SettingsError
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit, failed
from pulse_entrypoints.cli.layers import Layered, read_settings
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.plain_text import plain_fields
from pulse_entrypoints.cli.printing import finish_output, write_stderr, write_text
from pulse_entrypoints.cli.signals import current

S = TypeVar("S", bound=attrs.AttrsInstance)

_WIDEST_REPORT: Final = 100
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a text starts that a spreadsheet would take for a formula."""


def run_command(
    command_line: CommandLine,
    environment: Mapping[str, str],
    settings: type[S],
    action: Callable[[Layered[S]], Ending],
) -> Exit:
    """Read the settings, run the action with them, report its ending, and return the exit status."""
    mask = Masker.of(environment)
    try:
        layered = read_settings(command_line, environment, settings)
        if layered.problems:
            raise SettingsError(layered.problems)
        ending = action(layered)
    except PulseError as error:
        ending = failed(error, command_line.command)
    return report_ending(ending, mask)


def report_ending(ending: Ending, mask: Masker) -> Exit:
    """Write the report of an ending to stderr, without secrets; return the exit status, which is decided now."""
    current().decide(ending.status)
    write_stderr(mask(ending.report(stderr_width())))
    return ending.status


def stderr_width() -> int | None:
    """Return the columns of the terminal, up to a width that people read well; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        return None
    return min(shutil.get_terminal_size().columns, _WIDEST_REPORT)


def write_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows to stdout as CSV; None is an empty cell, and a text is never a formula: see as_text.

    Raises OutputUnavailable.
    """
    to_people = sys.stdout.isatty()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        cells = plain_fields(row) if to_people else row
        writer.writerow([as_text(cells.get(name)) for name in names])
    finish_output()


def as_text(cell: Any) -> Any:
    """Return a cell that spreadsheets read as it is: a text that starts as a formula does gets an apostrophe before it.

    Numbers stay numbers. Source: OWASP, CSV injection.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def write_json(document: Any) -> None:
    """Write one JSON document to stdout; numbers that are not finite become null. Raises OutputUnavailable."""
    write_text(json.dumps(_without_non_finite(document), indent=2, allow_nan=False))


def _without_non_finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _without_non_finite(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_without_non_finite(member) for member in value]
    return value


def show(*parts: Any) -> None:
    """Print tables and texts of rich to stdout, with an empty line between two of them. Raises OutputUnavailable."""
    show_all(parts)


def show_all(parts: Iterable[Any]) -> None:
    """Print tables and texts of rich to stdout as they come, otherwise as `show` does."""
    from rich.console import Console  # 60 ms that only a table needs

    from pulse_entrypoints.cli.plain_console import Plain

    console = Console(file=sys.stdout)
    for number, part in enumerate(parts):
        if number:
            console.print()
        console.print(Plain(part), highlight=False)
    finish_output()
