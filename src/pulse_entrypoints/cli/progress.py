"""Watches a run: turns the domain's events into log events, and on a terminal into a progress bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

import attrs

from pulse_core.events import Event, RunPlanned, UnitFinished
from pulse_entrypoints.cli.logging import VARIABLE_FAILED, RunLog

_BAR: Final = (
    "{desc} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt}{unit}, {rate_fmt}, {elapsed} so far, {remaining} left"
)

LONG: Final = 10.0
"""Seconds of a run from which it is told what is slow."""


def show_line(line: str) -> None:
    """Write a line to stderr, above a progress bar that may stand there."""
    from tqdm import tqdm  # for people only: its import takes longer than to write a line

    tqdm.write(line, file=sys.stderr)


@attrs.define
class Progress:
    """An observer of a run, whatever the engine.

    `context` is said of the run when it starts; `counted` is what `finished` counts; `slow` are the forecasters that
    are called origin by origin, whose hindcasts come first.
    """

    log: RunLog
    context: dict[str, Any]
    with_bar: bool
    counted: str = "variables"
    slow: tuple[str, ...] = ()
    finished: int = 0
    planned: int = 0
    clock: Callable[[], float] = monotonic
    _bar: Any = None
    _started: float = 0.0
    _slow_until: float = 0.0
    _latest: float = 0.0

    def __call__(self, event: Event) -> None:
        """Take one event of the domain."""
        if isinstance(event, RunPlanned):
            self._start(event)
        elif isinstance(event, UnitFinished):
            self._count(event)

    def connected(self, scheduler: str, dashboard: str) -> None:
        """Take the addresses of a Dask scheduler and of its dashboard, which people want to open."""
        self.log.events.info("dask_connected", scheduler=scheduler, dashboard=dashboard)
        if self.with_bar and sys.stderr.isatty() and dashboard:
            show_line(f"Dask dashboard: {dashboard}")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def slow_part(self) -> dict[str, Any]:
        """Return what took long, and the seconds of it, for the log; nothing where nothing did."""
        seconds = self._slow_until - self._started
        long = seconds > LONG and seconds > (self._latest - self._started) / 2
        return {"slow": list(self.slow), "slow_seconds": round(seconds, 1)} if self.slow and long else {}

    def slow_line(self) -> str:
        """Say in a line what took long, and what spares it; nothing where nothing did."""
        part = self.slow_part()
        if not part:
            return ""
        whole = self._latest - self._started
        return (
            f"Slow: {', '.join(self.slow)} took {part['slow_seconds']:.0f} of {whole:.0f} s, called origin by origin; "
            "--refit-every K fits at every K-th only."
        )

    def _start(self, event: RunPlanned) -> None:
        self.planned = event.variables
        self._started = self._slow_until = self._latest = self.clock()
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
        if event.unit.batch is not None:
            self._slow_until = self._latest
        result = event.result
        self.log.events.info(
            "unit_finished",
            unit=event.unit.index,
            variables=list(event.unit.variables),
            **({} if event.unit.batch is None else {"batch": event.unit.batch}),
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
        """Return the seconds since the start, and those that are left if it goes on like this."""
        seconds = self._latest - self._started
        left = seconds / event.finished * (event.planned - event.finished) if event.finished else 0.0
        return {"seconds": round(seconds, 1), "seconds_left": round(left, 1)}


def _new_bar(total: int, counted: str) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, desc="Replaying", bar_format=_BAR, unit=f" {counted}", leave=False, file=sys.stderr)
