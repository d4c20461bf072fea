"""The log of a command: JSON lines in a file, in the run's own log and on a stream; lines for people on the console."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import attrs

from pulse_core.errors import SettingsError
from pulse_entrypoints.cli.events import Events, Receiver, Record
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.plain_text import plain_fields

if TYPE_CHECKING:
    from structlog.dev import ConsoleRenderer

CONSOLE: Final = "console"
JSON: Final = "json"
QUIET: Final = "quiet"
STDOUT: Final = "stdout"
STDERR: Final = "stderr"
LOG_FILE: Final = "retrodiction_training.log"
RUN_FAILED: Final = "run_failed"
RUN_INTERRUPTED: Final = "run_interrupted"
VARIABLE_FAILED: Final = "variable_failed"
REPORTED: Final = (RUN_FAILED, RUN_INTERRUPTED, VARIABLE_FAILED)
"""Events that the command reports on stderr in full: the console need not show them twice."""

_FIRST: Final = ("timestamp", "level", "event", "run_id")
_CLOCK_TIME: Final = slice(11, 19)


@attrs.define
class RunLog:
    """The log of one command: `events` receives events; `lines` are the JSON lines of the run so far."""

    events: Events
    path: Path
    file: TextIO
    lines: list[str]
    _bridge: logging.Handler = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._bridge = _Bridge(self)
        logging.getLogger().addHandler(self._bridge)

    def bind(self, **fields: Any) -> None:
        """Add these fields to every later event."""
        self.events = self.events.bind(**fields)

    def of_run(self) -> bytes:
        """Return the events so far as JSON lines."""
        return "".join(self.lines).encode()

    def close(self) -> None:
        """Close the log file."""
        logging.getLogger().removeHandler(self._bridge)
        with suppress(OSError):  # what could not be written has been reported
            self.file.close()


def open_log(
    level: str, form: str, folder: Path, mask: Masker, show: Callable[[str], object], stream: str = STDOUT
) -> RunLog:
    """Open the log file; `form` decides where else events go.

    CONSOLE hands every event as a line to `show`, QUIET only warnings and errors; JSON writes JSON lines to the
    stream. Warnings of adapters, which use the standard library's logging, become events. Raises SettingsError where
    the folder or the file cannot be created.
    """
    path = folder / LOG_FILE
    file = _open_file(path)
    lines: list[str] = []
    receivers: list[Receiver] = [_JsonLines(mask, file, lines, stream=stream if form == JSON else None)]
    if form != JSON:
        receivers.append(_Console(mask, show, logging.WARNING if form == QUIET else logging.NOTSET))
    events = Events(tuple(receivers), logging.getLevelNamesMapping()[level])
    return RunLog(events, path, file, lines)


def log_folder_problem(folder: Path) -> str | None:
    """Return why a log folder could not be created or written to, without creating it; None where it can be."""
    existing = next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)
    if not existing.is_dir():
        return f"{existing} is a file, not a folder"
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"{existing} is not writable"
    return None


def _open_file(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        message = f"the log file {path} cannot be written: {error.strerror}; name another folder with --log-dir"
        raise SettingsError([message]) from error


class _Bridge(logging.Handler):
    """Turns warnings of adapters, which use the standard library's logging, into events."""

    def __init__(self, log: RunLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record of the standard library as an event."""
        self._log.events.log(record.levelno, record.getMessage(), logger=record.name)


@attrs.define
class _JsonLines:
    """A receiver that writes events as JSON lines: to the file, the run's own log and, where named, a stream."""

    mask: Masker
    file: TextIO
    lines: list[str]
    stream: str | None = attrs.field(kw_only=True)
    file_failed: bool = False

    def __call__(self, record: Record) -> None:
        ordered = {name: record[name] for name in _FIRST if name in record} | dict(record)
        line = f"{self.mask(json.dumps(ordered, default=str))}\n"
        self._write_file(line)
        self.lines.append(line)
        if self.stream is not None:
            write_line(line, getattr(sys, self.stream))

    def _write_file(self, line: str) -> None:
        """Write to the file; a disk that fills up during a run is reported once and does not end the run."""
        try:
            self.file.write(line)
        except OSError as error:
            if not self.file_failed:
                write_line(f"pulse: {self.file.name} cannot be written any more: {error.strerror}\n", sys.stderr)
            self.file_failed = True


@attrs.define(slots=False)
class _Console:
    """A receiver that shows people the events of the level `least` and above."""

    mask: Masker
    show: Callable[[str], object]
    least: int

    def __call__(self, record: Record) -> None:
        if logging.getLevelNamesMapping()[record["level"].upper()] < self.least or record["event"] in REPORTED:
            return
        fields = plain_fields({name: value for name, value in record.items() if name != "run_id"})
        fields["timestamp"] = record["timestamp"][_CLOCK_TIME]
        self.show(self.mask(str(self._renderer(None, record["level"], fields))))

    @cached_property
    def _renderer(self) -> ConsoleRenderer:
        from structlog import dev  # 0.1 s that only lines for people cost

        colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        # the default formatter would show local variables in tracebacks, and with them any secret they hold
        return dev.ConsoleRenderer(colors=colours, exception_formatter=dev.plain_traceback, pad_event_to=16)


def write_line(line: str, stream: TextIO) -> None:
    """Write to stdout or stderr; where it cannot be written any more, the run goes on without."""
    with suppress(OSError):
        stream.write(line)
        stream.flush()
