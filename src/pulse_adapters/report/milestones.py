"""Milestones of a run, read from the events in its log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from pulse_adapters.published.archive import Archive
from pulse_adapters.report.views import Milestone
from pulse_core.errors import RunNotFound

RUN_LOG: Final = "run.log"
_LIMIT: Final = 5_000_000
"""The number of bytes of a log that are read; a time line needs no more."""
_COUNTED: Final = ("unit_finished", "unit_failed")


def read_milestones(archive: Archive, run_id: str) -> Iterator[Milestone]:
    """Yield the events of the run's log that a time line shows; none where the run has no log."""
    try:
        content = archive.read(run_id, RUN_LOG)[:_LIMIT]
    except RunNotFound:
        return
    for line in content.decode(errors="replace").splitlines():
        event = _event(line)
        if event is not None:
            milestone = _milestone(event)
            if milestone is not None:
                yield milestone


def _event(line: str) -> dict[str, Any] | None:
    """Return a line's event; None for a line that a kill or the limit cut off."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _milestone(event: dict[str, Any]) -> Milestone | None:
    try:
        at = datetime.fromisoformat(str(event.get("timestamp")))
    except ValueError:
        return None
    name, finished = str(event.get("event", "")), event.get("finished")
    if name in _COUNTED:
        return Milestone(at, name.replace("_", " "), finished if isinstance(finished, int) else None)
    if name.endswith(("_started", "_finished", "_failed", "_interrupted", "_retried")):
        return Milestone(at, name.replace("_", " "))
    return None
