"""Where events go: the log file, the run's own log, and the console or stdout. Secrets go nowhere."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

import attrs
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from pulse_core.errors import SettingsError

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
"""Events that the entry point reports on stderr in full: the console need not tell them twice."""

_FIRST: Final = ("timestamp", "level", "event", "run_id")
_SECRET_NAME: Final = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.IGNORECASE)
_USER_OF_ADDRESS: Final = re.compile(r"(?<=://)[^/\s@\"']+@")
_CLOCK_TIME: Final = slice(11, 19)
_MASK: Final = "***"
_SHORTEST_SECRET: Final = 6


@attrs.frozen
class Masker:
    """Takes secrets out of text: the values of the environment's secret variables, and users in addresses."""

    secrets: tuple[str, ...]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Masker:
        """Know the secrets of an environment."""
        values = {
            value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET
        }
        return cls(tuple(sorted(values, key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        """Return the text without them."""
        for secret in self.secrets:
            text = text.replace(secret, _MASK)
        return _USER_OF_ADDRESS.sub(f"{_MASK}@", text)


@attrs.define
class RunLog:
    """The log of one command: `events` takes them; `lines` are the JSON lines of the run so far."""

    events: FilteringBoundLogger
    path: Path
    file: TextIO
    lines: list[str]
    _bridge: logging.Handler = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._bridge = _Bridge(self)
        logging.getLogger().addHandler(self._bridge)

    def bind(self, **fields: Any) -> None:
        """Give every event from here on these fields."""
        self.events = self.events.bind(**fields)

    def of_run(self) -> bytes:
        """Return the events so far as JSON lines."""
        return "".join(self.lines).encode()

    def close(self) -> None:
        """Close the log file."""
        logging.getLogger().removeHandler(self._bridge)
        self.file.close()


def open_log(
    level: str, form: str, folder: Path, mask: Masker, show: Callable[[str], object], stream: str = STDOUT
) -> RunLog:
    """Open the log file and say where else events go, by `form`.

    CONSOLE hands all of them to `show`, QUIET only warnings and errors; JSON writes JSON lines to the stream.
    Warnings of adapters, which use the standard library's logging, become events. Raises SettingsError where
    the folder or the file cannot be made.
    """
    path = folder / LOG_FILE
    file = _opened(path)
    lines: list[str] = []
    keep = _Keep(mask, file, lines, stream=stream if form == JSON else None)
    console = _Console(mask, show, logging.WARNING if form == QUIET else logging.NOTSET)
    shown = [] if form == JSON else [console]
    logger = structlog.wrap_logger(
        None,
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            keep,
            *shown,
            _drop,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level.lower()),
    )
    return RunLog(logger, path, file, lines)


def log_folder_problem(folder: Path) -> str | None:
    """Say why a log folder could not be made or written to, before anything is made."""
    existing = next((place for place in (folder, *folder.absolute().parents) if place.exists()), folder)
    if not existing.is_dir():
        return f"{existing} is a file, not a folder"
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"{existing} is not writable"
    return None


def _opened(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        message = f"the log file {path} cannot be written: {error.strerror}; name another folder with --log-dir"
        raise SettingsError([message]) from error


class _Bridge(logging.Handler):
    """Takes what adapters say through the standard library's logging."""

    def __init__(self, log: RunLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Turn a record into an event."""
        self._log.events.log(record.levelno, record.getMessage(), logger=record.name)


@attrs.define
class _Keep:
    """A processor that writes events as JSON lines: to the file, the run's own log and perhaps stdout or stderr."""

    mask: Masker
    file: TextIO
    lines: list[str]
    stream: str | None = attrs.field(kw_only=True)
    file_failed: bool = False

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        ordered = {name: event[name] for name in _FIRST if name in event}
        text = structlog.processors.JSONRenderer(default=str)(logger, method, ordered | dict(event))
        line = f"{self.mask(str(text))}\n"
        self._write_file(line)
        self.lines.append(line)
        if self.stream is not None:
            write_line(line, getattr(sys, self.stream))
        return event

    def _write_file(self, line: str) -> None:
        """Write to the file; a disk that fills up during a run is told once and does not end the run."""
        try:
            self.file.write(line)
        except OSError as error:
            if not self.file_failed:
                sys.stderr.write(f"pulse: {self.file.name} cannot be written any more: {error.strerror}\n")
            self.file_failed = True


@attrs.frozen
class _Console:
    """A processor that shows events of a level and above to people."""

    mask: Masker
    show: Callable[[str], object]
    least: int
    renderer: structlog.dev.ConsoleRenderer = attrs.field(init=False)

    @renderer.default
    def _renderer(self) -> structlog.dev.ConsoleRenderer:
        # the default would show local variables in tracebacks, and so whatever secrets they hold
        plain = structlog.dev.plain_traceback
        colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain, pad_event_to=16)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if logging.getLevelNamesMapping()[method.upper()] >= self.least and event["event"] not in REPORTED:
            time = event["timestamp"][_CLOCK_TIME]
            shown = {name: value for name, value in event.items() if name != "run_id"} | {"timestamp": time}
            self.show(self.mask(str(self.renderer(logger, method, shown))))
        return event


def _drop(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    del logger, method, event
    raise structlog.DropEvent


def write_line(line: str, stream: TextIO) -> None:
    """Write to whoever reads stdout or stderr; when they have gone, the run goes on without them."""
    try:
        stream.write(line)
        stream.flush()
    except BrokenPipeError:
        # what is left in the buffer must not fail again when Python flushes it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
