"""What of a run is done, as marks in its results: one a unit, by whichever process, read by whoever watches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from pulse_core.events import Event, Observer, UnitFinished
from pulse_core.plan import WorkUnit
from pulse_entrypoints.wiring.results_archive import ResultsArchive

_MARK: Final = "unit-{index:05}-of-{count:05}"


@attrs.frozen
class Marking:
    """An observer that marks each of `units` that is recorded whole, then hands the event on."""

    on: Observer
    place: ResultsArchive
    run_id: str
    units: Sequence[WorkUnit]

    def __call__(self, event: Event) -> None:
        """Take one event of the domain. Raises SinkUnavailable."""
        if isinstance(event, UnitFinished) and event.unit in self.units and not event.result.failures:
            self.place.mark(self.run_id, _MARK.format(index=event.unit.index, count=len(self.units)))
        self.on(event)


def done_of(marks: Iterable[str], count: int) -> int:
    """Return how many of `count` units are marked; marks of a run that was cut otherwise do not count."""
    every = {_MARK.format(index=index, count=count) for index in range(count)}
    return len(every.intersection(marks))
