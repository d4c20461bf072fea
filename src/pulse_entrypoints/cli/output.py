"""Output of commands: results on stdout as a table, CSV or JSON; problems on stderr."""

from __future__ import annotations

import csv
import json
import math
import os
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
    """Write the report of an ending to stderr, without secrets; return the exit status."""
    write_stderr(mask(ending.report(stderr_width())))
    return ending.status


def write_stderr(text: str) -> None:
    """Write lines to stderr."""
    if text:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def stderr_width() -> int | None:
    """Return the columns of the terminal, up to a width that people read well; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        return None
    return min(shutil.get_terminal_size().columns, _WIDEST_REPORT)


def write_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows to stdout as CSV; None is an empty cell, and a text is never a formula: see as_text."""
    with _broken_pipe_ends_output():
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([as_text(row.get(name)) for name in names] for row in rows)
        sys.stdout.flush()


def as_text(cell: Any) -> Any:
    """Return a cell that spreadsheets read as it is: a text that starts as a formula does gets an apostrophe before it.

    Numbers stay numbers. Source: OWASP, CSV injection.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def write_json(document: Any) -> None:
    """Write one JSON document to stdout, whole or not at all; numbers that are not finite become null."""
    text = json.dumps(_without_non_finite(document), indent=2, allow_nan=False)
    with _broken_pipe_ends_output():
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def write_text(text: str) -> None:
    """Write a text to stdout as it is."""
    with _broken_pipe_ends_output():
        sys.stdout.write(text)
        sys.stdout.flush()


def _without_non_finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _without_non_finite(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_without_non_finite(member) for member in value]
    return value


def show(*parts: Any) -> None:
    """Print tables and texts of rich to stdout, with an empty line between two of them."""
    show_all(parts)


def show_all(parts: Iterable[Any]) -> None:
    """Print tables and texts of rich to stdout as they come, with an empty line between two of them."""
    from rich.console import Console  # 60 ms that only a table needs

    console = Console(file=sys.stdout)
    with _broken_pipe_ends_output():
        for number, part in enumerate(parts):
            if number:
                console.print()
            console.print(part, highlight=False)


class _broken_pipe_ends_output:  # noqa: N801  # reads as a statement
    """Ends the output quietly where the reader of stdout has gone, as `| head` does."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> bool:
        if kind is None or not issubclass(kind, BrokenPipeError):
            return False
        # what is left in the buffer must not fail again when Python flushes it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
