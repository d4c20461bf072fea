"""Watches a run: turns the domain's events into log events, and on a terminal into a progress bar."""

from __future__ import annotations

import sys
from typing import Any

import attrs
from tqdm import tqdm

from pulse_core.events import Event, RunPlanned, UnitFinished
from pulse_entrypoints.logging import VARIABLE_FAILED, RunLog

_BAR = "{desc} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt}{unit}, {elapsed} so far, {remaining} left"


def show_line(line: str) -> None:
    """Write a line to stderr, above a progress bar that may stand there."""
    tqdm.write(line, file=sys.stderr)


@attrs.define
class Progress:
    """An observer of a run. `context` is said of the run when it starts; `counted` is what `finished` counts."""

    log: RunLog
    context: dict[str, Any]
    with_bar: bool
    counted: str = "variables"
    finished: int = 0
    planned: int = 0
    _bar: Any = None

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

    def _start(self, event: RunPlanned) -> None:
        self.planned = event.variables
        self.log.events.info(
            "train_started",
            batches=event.batches,
            units=event.units,
            planned=event.variables,
            **self.context,
        )
        if self.with_bar:
            # disable=None: no bar where stderr is no terminal
            self._bar = tqdm(
                total=event.variables,
                desc="Replaying",
                bar_format=_BAR,
                unit=f" {self.counted}",
                disable=None,
                leave=False,
                file=sys.stderr,
            )

    def _count(self, event: UnitFinished) -> None:
        self.finished = event.finished
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
        )
        for failure in result.failures:
            self.log.events.error(VARIABLE_FAILED, unit=event.unit.index, **attrs.asdict(failure))
        if self._bar is not None:
            self._bar.update(event.finished - self._bar.n)
