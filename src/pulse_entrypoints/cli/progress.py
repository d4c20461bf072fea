"""The progress of a run: an observer that logs the core's events and, on a terminal, draws a progress bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Final, TypeVar

import attrs

from pulse_core.events import DataCaution, Event, ForecasterCaution, RunPlanned, RunWaiting, UnitFinished
from pulse_entrypoints.cli.logging import VARIABLE_FAILED, RunLog

_BAR: Final = "{desc} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt}{unit}, {elapsed} so far, {remaining} left"

Item = TypeVar("Item")

_PATIENCE: Final = 1.0
"""Seconds that pass without a bar."""

LONG: Final = 10.0
"""Seconds of forecasters per origin above which a run reports them."""


def show_line(line: str) -> None:
    """Write a line to stderr, above a progress bar that may stand there."""
    from tqdm import tqdm  # for people only: its import takes longer than to write a line

    with suppress(OSError):
        tqdm.write(line, file=sys.stderr)


@attrs.define
class Progress:
    """An observer of a run, for every backend.

    `context` are the fields of the event at the start; `counted` is the noun of `finished`; `per_origin` are the
    forecasters that are fitted at each origin, whose hindcasts come first.
    """

    log: RunLog
    context: dict[str, Any]
    with_bar: bool
    counted: str = "variables"
    per_origin: tuple[str, ...] = ()
    finished: int = 0
    planned: int = 0
    clock: Callable[[], float] = monotonic
    _bar: Any = None
    _started: float = 0.0
    _per_origin_until: float = 0.0
    _latest: float = 0.0

    def __call__(self, event: Event) -> None:
        """Receive an event of the core."""
        if isinstance(event, RunWaiting):
            self.log.events.info("run_waiting", message=event.reason)
            if self.with_bar:
                show_line(f"pulse: {event.reason}")
        elif isinstance(event, RunPlanned):
            self._start(event)
        elif isinstance(event, UnitFinished):
            self._count(event)
        elif isinstance(event, ForecasterCaution):
            self.log.events.warning("forecaster_caution", forecaster=event.forecaster, message=event.message)
        elif isinstance(event, DataCaution):
            self.log.events.warning("data_caution", variable=event.variable, message=event.message)

    def connected(self, scheduler: str, dashboard: str) -> None:
        """Log the addresses of a Dask scheduler and of its dashboard, and show the latter to people."""
        self.log.events.info("dask_connected", scheduler=scheduler, dashboard=dashboard)
        if self.with_bar and sys.stderr.isatty() and dashboard:
            show_line(f"Dask dashboard: {dashboard}")

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()

    def per_origin_fields(self) -> dict[str, Any]:
        """Return the forecasters per origin and their seconds, for the log; nothing where these were few."""
        seconds = self._per_origin_until - self._started
        long = seconds > LONG and seconds > (self._latest - self._started) / 2
        return (
            {"per_origin": list(self.per_origin), "per_origin_seconds": round(seconds, 1)}
            if self.per_origin and long
            else {}
        )

    def per_origin_line(self) -> str:
        """Return a line for people on the time of the forecasters per origin; nothing where that was short."""
        fields = self.per_origin_fields()
        if not fields:
            return ""
        total = self._latest - self._started
        return (
            f"Slow: {', '.join(self.per_origin)} took {fields['per_origin_seconds']:.0f} of {total:.0f} s, fitted "
            "at each origin; --refit-every K fits at every K-th only."
        )

    def _start(self, event: RunPlanned) -> None:
        self.planned = event.variables
        self._started = self._per_origin_until = self._latest = self.clock()
        self.log.events.info(
            "train_started",
            batches=event.batches,
            units=event.units,
            planned=event.variables,
            **self.context,
        )
        # a dumb terminal cannot go back in a line
        if self.with_bar and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            self._bar = _new_bar(event.variables, self.counted)

    def _count(self, event: UnitFinished) -> None:
        self.finished = event.finished
        self._latest = self.clock()
        if event.unit.batches:
            self._per_origin_until = self._latest
        result = event.result
        self.log.events.info(
            "unit_finished",
            unit=event.unit.index,
            variables=list(event.unit.variables),
            **({"batches": list(event.unit.batches)} if event.unit.batches else {}),
            computed=result.computed,
            recalled=result.recalled,
            failed=len(result.failures),
            finished=event.finished,
            planned=event.planned,
            **self._pace(event),
        )
        for failure in result.failures:
            self.log.events.error(VARIABLE_FAILED, unit=event.unit.index, **attrs.asdict(failure))
        if self._bar is not None:
            self._bar.update(event.finished - self._bar.n)

    def _pace(self, event: UnitFinished) -> dict[str, float]:
        """Return the seconds since the start, and the remaining ones at this pace."""
        seconds = self._latest - self._started
        remaining = seconds / event.finished * (event.planned - event.finished) if event.finished else 0.0
        return {"seconds": round(seconds, 1), "seconds_left": round(remaining, 1)}


def each_with_bar(title: str, items: Sequence[Item], counted: str = "variables") -> Iterator[Item]:
    """Yield items; on a terminal a bar shows how far it is, and how long it may take, once a second has gone by."""
    from tqdm import tqdm

    is_shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    yield from tqdm(
        items,
        desc=title,
        bar_format=_BAR,
        unit=f" {counted}",
        leave=False,
        file=sys.stderr,
        delay=_PATIENCE,
        disable=not is_shown,
    )


def _new_bar(total: int, counted: str) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, desc="Replaying", bar_format=_BAR, unit=f" {counted}", leave=False, file=sys.stderr)
