"""Log events: a name, a level, a time and fields, handed to every receiver that is open.

structlog writes the lines for people (`logging`), and is loaded for these alone: its import takes longer than a small
run, and a run whose events go to files and programs needs nothing of it.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

Record = Mapping[str, Any]
"""An event as receivers get it: `level`, `timestamp`, `event`, then the fields."""

Receiver = Callable[[Record], object]


@attrs.frozen
class Events:
    """Takes events of the level `least` and above; each bears `fields` beside its own."""

    receivers: tuple[Receiver, ...]
    least: int
    fields: Mapping[str, Any] = attrs.field(factory=dict)

    def bind(self, **fields: Any) -> Events:
        """Return events that bear these fields too."""
        return attrs.evolve(self, fields={**self.fields, **fields})

    def info(self, event: str, **fields: Any) -> None:
        """Log an event in the course of things."""
        self.log(logging.INFO, event, **fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Log an event that people should know of."""
        self.log(logging.WARNING, event, **fields)

    def error(self, event: str, *, exc_info: bool = False, **fields: Any) -> None:
        """Log a failure; with `exc_info` the traceback of the error that is handled is its field `exception`."""
        if exc_info:
            fields["exception"] = traceback.format_exc().rstrip("\n")
        self.log(logging.ERROR, event, **fields)

    def log(self, level: int, event: str, **fields: Any) -> None:
        """Log an event at a level of the standard library."""
        if level < self.least:
            return
        head = {"timestamp": _now(), "level": logging.getLevelName(level).lower(), "event": event}
        record = head | dict(self.fields) | fields
        for receiver in self.receivers:
            receiver(record)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
