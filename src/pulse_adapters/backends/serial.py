"""The serial backend: every unit in this process, one after another."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import attrs

from pulse_adapters.backends.attempts import attempt
from pulse_adapters.backends.host.exits import exits_fail_the_unit
from pulse_adapters.backends.stopping import Stop
from pulse_core.plan import WorkUnit
from pulse_core.ports import Task, UnitOutcome


@attrs.frozen
class SerialBackend:
    """A ComputeBackend that starts no process: for small runs, for embedding, and as a reference for others.

    A unit that takes longer than `unit_timeout` seconds is failed. One that swallows every exception, or is inside a
    call into a library which neither returns nor heeds signals, can only be ended in a process of its own: the command
    line has one for each run with a limit.
    """

    stop: Stop = attrs.field(factory=Stop)
    unit_timeout: float | None = None

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        """Yield one outcome a unit, in the order of the units. Raises RunInterrupted."""
        with self.stop.obeyed():
            for unit in units:
                self.stop.check()
                with exits_fail_the_unit():  # here nobody would notice that the process has ended
                    outcome = attempt(task, attrs.evolve(unit, first=True), self.unit_timeout)
                yield outcome
