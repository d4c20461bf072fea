"""Every unit in this process, one after another."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import attrs

from pulse_adapters.backends.attempts import attempt
from pulse_core.plan import WorkUnit
from pulse_core.ports import Outcome, Task


@attrs.frozen
class SerialBackend:
    """A ComputeBackend that starts nothing: for small runs, for embedding, and to hold the others against."""

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[Outcome, None, None]:
        """Yield one outcome a unit, in the order of the units."""
        for unit in units:
            yield attempt(task, unit)
