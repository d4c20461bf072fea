"""Units over the workers of a Dask cluster, on as many machines as it has."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from typing import Any

import attrs

from pulse_adapters.backends.dask.cluster import LocalWorkers, Scheduler
from pulse_adapters.backends.dask.dispatch import Dispatch
from pulse_adapters.backends.processes.messages import packed_task
from pulse_adapters.backends.stopping import AGAIN, Stop
from pulse_core.errors import BackendUnavailable, RunInterrupted
from pulse_core.plan import WorkUnit
from pulse_core.ports import Outcome, Task

Announce = Callable[[str, str], object]
"""Takes the addresses of a scheduler and of its dashboard."""


def _say_nothing(scheduler: str, dashboard: str) -> None:
    del scheduler, dashboard


@attrs.frozen
class DaskBackend:
    """A ComputeBackend over Dask: `cluster` is a scheduler that somebody runs, or workers of our own.

    Stores and sinks must be reachable from the workers: each reads and records by itself. `patience` is how many
    seconds the run goes on without any worker. A scheduler that is lost is sought again. `announce` is told where
    the run is done.
    """

    cluster: Scheduler | LocalWorkers = attrs.field(factory=LocalWorkers)
    stop: Stop = attrs.field(factory=Stop)
    patience: float = 60.0
    announce: Announce = _say_nothing

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[Outcome, None, None]:
        """Yield one outcome a unit, as they complete; closing cancels the rest and closes what was opened.

        Raises BackendUnavailable and RunInterrupted.
        """
        dispatch = Dispatch(packed_task(task, "dask"), deque(units), self.stop, self.patience)
        with self.stop.heeded():
            while dispatch.unfinished:
                self.stop.check()
                with ExitStack() as opened:
                    yield from dispatch.outcomes(self._client(opened, again=dispatch.losses > 0))

    def _client(self, opened: ExitStack, *, again: bool) -> Any:
        try:
            client = opened.enter_context(self.cluster.client())
        except BackendUnavailable as error:
            if again:
                raise RunInterrupted(
                    "the Dask scheduler was lost, and does not answer", error.context, AGAIN
                ) from error
            raise
        self.announce(client.scheduler.address, client.dashboard_link or "")
        return client
