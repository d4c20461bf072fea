"""Commands that answer at once: read the settings, answer on stdout, tell on stderr what is wrong."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import attrs

from pulse_core.errors import PulseError, SettingsError
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit, failed
from pulse_entrypoints.cli.layers import Layered, layered
from pulse_entrypoints.cli.masking import Masker

S = TypeVar("S", bound=attrs.AttrsInstance)

_WIDEST_REPORT: Final = 100


def answer(
    command_line: CommandLine,
    environment: Mapping[str, str],
    settings: type[S],
    action: Callable[[Layered[S]], Ending],
) -> Exit:
    """Read the settings, act, and return the exit status. Problems of settings stop it before it acts."""
    mask = Masker.of(environment)
    try:
        read = layered(command_line, environment, settings)
        if read.problems:
            raise SettingsError(read.problems)
        ending = action(read)
    except PulseError as error:
        ending = failed(error, command_line.command)
    tell(mask(ending.report(width_of_stderr())))
    return ending.status


def tell(text: str) -> None:
    """Write lines to stderr."""
    if text:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def width_of_stderr() -> int | None:
    """Return where lines for people end; None where nobody but a file or a program reads them."""
    if not sys.stderr.isatty():
        return None
    return min(shutil.get_terminal_size().columns, _WIDEST_REPORT)


def write_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows to stdout as CSV; None is an empty cell."""
    with _reader_may_leave():
        writer = csv.DictWriter(sys.stdout, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        sys.stdout.flush()


def write_json(document: Any) -> None:
    """Write one JSON document to stdout."""
    with _reader_may_leave():
        json.dump(document, sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
        sys.stdout.flush()


def show(*parts: Any) -> None:
    """Print what rich can print to stdout, an empty line before each but the first."""
    from rich.console import Console  # 60 ms that only a table needs

    console = Console(file=sys.stdout)
    with _reader_may_leave():
        for number, part in enumerate(parts):
            if number:
                console.print()
            console.print(part, highlight=False)


class _reader_may_leave:  # noqa: N801  # reads as a statement
    """Ends quietly where whoever reads stdout has gone, as `| head` does."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> bool:
        if kind is None or not issubclass(kind, BrokenPipeError):
            return False
        # what is left in the buffer must not fail again when Python flushes it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
