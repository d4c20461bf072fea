"""Marks of finished units in a run's results, written by the process of each unit, read by `pulse batch status`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from pulse_core.events import Event, Observer, UnitFinished
from pulse_core.plan import WorkUnit
from pulse_entrypoints.wiring.results_archive import ResultsArchive

_MARK: Final = "unit-{index:05}-of-{count:05}"


@attrs.frozen
class UnitMarker:
    """An observer that marks each of `units` once all of it is recorded, then passes the event to `observer`."""

    observer: Observer
    archive: ResultsArchive
    run_id: str
    units: Sequence[WorkUnit]

    def __call__(self, event: Event) -> None:
        """Receive an event of the core. Raises SinkUnavailable."""
        if isinstance(event, UnitFinished) and event.unit in self.units and not event.result.failures:
            self.archive.mark(self.run_id, _MARK.format(index=event.unit.index, count=len(self.units)))
        self.observer(event)


def count_finished(marks: Iterable[str], count: int) -> int:
    """Return how many of `count` units are marked; marks of a run in another number of units do not count."""
    names = {_MARK.format(index=index, count=count) for index in range(count)}
    return len(names.intersection(marks))
