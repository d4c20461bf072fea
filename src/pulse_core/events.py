"""What a run tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from pulse_core.plan import WorkUnit
from pulse_core.results import UnitCounts, UnitResult


@attrs.frozen
class RunPlanned:
    """The work is known: batches, units and variables (of this slice)."""

    run_id: str
    batches: int
    units: int
    variables: int


@attrs.frozen
class UnitFinished:
    """A unit came to its end; `finished` of `planned` variables have."""

    unit: WorkUnit
    result: UnitResult
    finished: int
    planned: int


@attrs.frozen
class RunFinished:
    """Everything was done, and published unless it was a slice."""

    run_id: str
    units: UnitCounts
    digest: str


Event = RunPlanned | UnitFinished | RunFinished
"""What a run tells, in this order: planned once, a unit finished for each, finished once."""

Observer = Callable[[Event], None]
"""Whoever watches a run: called in the process that called `execute`, one event at a time."""


def ignore(event: Event) -> None:
    """Watch nothing."""
