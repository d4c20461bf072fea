"""The Dask backend: units over the workers of a cluster, on as many machines as it has."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from typing import Any, Final

import attrs

from pulse_adapters.backends.dask.cluster import LocalWorkers, Scheduler
from pulse_adapters.backends.dask.dispatch import DEATHS_BEFORE_ALONE, REPORTS_ALLOWED, Dispatch
from pulse_adapters.backends.processes.messages import packed_task
from pulse_adapters.backends.retry_queue import RetryQueue
from pulse_adapters.backends.stopping import RESUME_HINT, Stop
from pulse_core.errors import BackendUnavailable, RunInterrupted
from pulse_core.plan import WorkUnit
from pulse_core.ports import Task, UnitOutcome

STARTS: Final = 3
RESTART_SECONDS: Final = 0.2

Announce = Callable[[str, str], object]
"""Takes the addresses of a scheduler and of its dashboard."""


def _announce_nothing(scheduler: str, dashboard: str) -> None:
    del scheduler, dashboard


@attrs.frozen
class DaskBackend:
    """A ComputeBackend over Dask: `cluster` is a scheduler that somebody else runs, or workers of our own.

    Stores and sinks must be reachable from the workers: each reads and records by itself. `patience` is how many
    seconds the run goes on without any worker. A scheduler that is lost is looked for again. `announce` is called with
    the addresses of the scheduler and its dashboard. A unit that takes longer than `unit_timeout` seconds is failed.
    """

    cluster: Scheduler | LocalWorkers = attrs.field(factory=LocalWorkers)
    stop: Stop = attrs.field(factory=Stop)
    patience: float = 60.0
    announce: Announce = _announce_nothing
    unit_timeout: float | None = None

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        """Yield one outcome a unit, as they complete; closing cancels the others and closes the cluster or connection.

        Raises BackendUnavailable and RunInterrupted.
        """
        queue = RetryQueue(units, deaths_allowed=REPORTS_ALLOWED, deaths_before_alone=DEATHS_BEFORE_ALONE)
        dispatch = Dispatch(packed_task(task, "dask").content, queue, self.stop, self.patience, self.unit_timeout)
        with self.stop.obeyed():
            while queue:
                self.stop.check()
                with ExitStack() as stack:
                    yield from dispatch.outcomes(self._client(stack, reconnecting=dispatch.losses > 0))

    def _client(self, stack: ExitStack, *, reconnecting: bool) -> Any:
        try:
            client = self._started(stack)
        except BackendUnavailable as error:
            if reconnecting:
                message = "the Dask scheduler was lost, and does not answer"
                raise RunInterrupted(message, error.context, RESUME_HINT) from error
            raise
        self.announce(client.scheduler.address, client.dashboard_link or "")
        return client

    def _started(self, stack: ExitStack) -> Any:
        """Connect; start a cluster of our own again where something ends it meanwhile.

        Raises BackendUnavailable and RunInterrupted.
        """
        for attempt in range(1, STARTS + 1):
            try:
                return stack.enter_context(self.cluster.client())
            except BackendUnavailable:
                time.sleep(RESTART_SECONDS)  # a signal to the whole group is on its way here too
                self.stop.check()
                if attempt == STARTS or not isinstance(self.cluster, LocalWorkers):
                    raise
        raise AssertionError("the last attempt returns or raises")
