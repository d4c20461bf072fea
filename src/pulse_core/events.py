"""Events of a run: what an observer is called with while the run is executed."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from pulse_core.plan import WorkUnit
from pulse_core.results import UnitCounts, UnitResult


@attrs.frozen
class RunPlanned:
    """The run is planned: the numbers of its batches, and of the units and variables of this slice."""

    run_id: str
    batches: int
    units: int
    variables: int


@attrs.frozen
class RunWaiting:
    """The run waits for another process, which has the same run under way; `reason` is a sentence that says so."""

    run_id: str
    reason: str


@attrs.frozen
class ForecasterCaution:
    """What must be known of a forecaster's results; `message` is a sentence. Each is told once a run."""

    run_id: str
    forecaster: str
    message: str


@attrs.frozen
class DataCaution:
    """What is doubtful about a variable's data; `message` says it. Told of the first variables of a run alone."""

    run_id: str
    variable: str
    message: str


@attrs.frozen
class UnitFinished:
    """A unit ended; by now `finished` of `planned` variables have."""

    unit: WorkUnit
    result: UnitResult
    finished: int
    planned: int


@attrs.frozen
class RunFinished:
    """The run ended and, unless it was a slice, its result is published."""

    run_id: str
    units: UnitCounts
    digest: str


Event = RunWaiting | RunPlanned | ForecasterCaution | DataCaution | UnitFinished | RunFinished
"""The events of a run, in order: RunWaiting at most once, RunPlanned once, UnitFinished for each unit, RunFinished.

ForecasterCaution and DataCaution come before the first UnitFinished that gives occasion to them.
"""

Observer = Callable[[Event], None]
"""A function that receives events one at a time, in the process that called `execute`."""


def ignore(event: Event) -> None:
    """Do nothing: the observer of a run that nobody observes."""
