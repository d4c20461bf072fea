"""Units over the cores of this machine, one process a core."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from multiprocessing.connection import wait
from typing import Final, cast

import attrs

from pulse_adapters.backends.host.cores import usable_cores
from pulse_adapters.backends.host.deaths import MEMORY
from pulse_adapters.backends.processes.messages import PackedTask, packed_task, unpacked
from pulse_adapters.backends.processes.pool import (
    KILLED_HINT,
    START_HINT,
    Worker,
    end_workers,
    main_module,
    prepare_fork_server,
)
from pulse_adapters.backends.retry_queue import Bundle, RetryQueue
from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.backends.stopping import POLL_SECONDS, Stop
from pulse_adapters.backends.time_limit import overdue
from pulse_adapters.backends.units import unit_context
from pulse_core.errors import BackendUnavailable, UnitFailed
from pulse_core.plan import WorkUnit
from pulse_core.ports import Failed, Task, UnitOutcome

DEATHS_BEFORE_ALONE: Final = 2
DEATHS_AT_START: Final = 3
RESTART_SECONDS: Final = 0.2
MEMORY_HINT: Final = "Give it more memory, use fewer workers or smaller units, or leave out the variable at fault"
DEATH_HINT: Final = "Use smaller units to find the variable or the forecaster at fault, and leave it out"


@attrs.frozen
class ProcessesBackend:
    """A ComputeBackend over worker processes.

    `max_workers` None stands for all usable cores. Work of less than `worth_seconds` (by the units' own
    estimates) is done in this process: starting others takes longer than they save. A unit whose process dies
    is tried again `unit_retries` times, from its second death on while nothing else runs; then it is set
    aside as failed. With a `unit_timeout` all work is done by other processes: one whose unit takes longer than so
    many seconds is killed, and the unit has failed.
    """

    max_workers: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    worth_seconds: float = 2.0
    unit_retries: int = attrs.field(default=2, validator=attrs.validators.ge(0))
    stop: Stop = attrs.field(factory=Stop)
    unit_timeout: float | None = None

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[UnitOutcome, None, None]:
        """Yield one outcome a unit, as they complete; closing ends the workers.

        Raises BackendUnavailable and RunInterrupted.
        """
        count = min(self.max_workers or usable_cores(), len(units))
        little = count < 2 or sum(unit.seconds for unit in units) < self.worth_seconds
        if not units or (little and self.unit_timeout is None):
            yield from SerialBackend(self.stop).run(task, units)
            return
        queue = RetryQueue(units, deaths_allowed=self.unit_retries, deaths_before_alone=DEATHS_BEFORE_ALONE)
        pool = _Pool(packed_task(task, "processes"), queue, self.stop, self.unit_timeout)
        with self.stop.obeyed():
            try:
                pool.start(count)
                yield from pool.outcomes()
            finally:
                end_workers(pool.workers)


@attrs.define(eq=False)
class _Pool:
    """Workers, and the queue whose units they do, each of them in a bundle by itself."""

    task: PackedTask
    queue: RetryQueue
    stop: Stop
    unit_timeout: float | None
    workers: list[Worker] = attrs.field(factory=list)
    deaths_at_start: int = 0

    def start(self, count: int) -> None:
        for _ in range(count):
            self.workers.append(self._started())

    def _started(self) -> Worker:
        """Start a worker; try again where something ends the fork server. Raises BackendUnavailable, RunInterrupted."""
        for attempt in range(1, DEATHS_AT_START + 1):
            try:
                with main_module(imported=self.task.needs_main):
                    prepare_fork_server()
                    return Worker.start(self.task.content)
            except BackendUnavailable:
                # what has ended the fork server may be a signal to the whole group, and is on its way here too
                time.sleep(RESTART_SECONDS)
                self.stop.check(busy=self.queue.busy)
                if attempt == DEATHS_AT_START:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def outcomes(self) -> Generator[UnitOutcome, None, None]:
        while self.queue:
            self.stop.check(busy=self.queue.busy)
            readable = set(wait([worker.connection for worker in self.workers], POLL_SECONDS))
            senders = [worker for worker in self.workers if worker.connection in readable]
            outcomes = [outcome for worker in senders for outcome in self._receive(worker)]
            outcomes += self._overdue()
            self._hand_out()  # first, so that no worker waits for whoever takes the outcomes
            yield from outcomes

    def _hand_out(self) -> None:
        if self.stop.reason is not None:
            return
        for worker in self.workers:
            if worker.ready and worker.bundle is None:
                bundle = self.queue.next_bundle()
                if bundle is None:
                    return
                worker.send(bundle, first=not any(self.queue.deaths(unit) for unit in bundle.units))

    def _receive(self, worker: Worker) -> Generator[UnitOutcome, None, None]:
        message = worker.receive()
        if message is None:
            yield from self._replace(worker)
            return
        bundle, worker.bundle, worker.ready, self.deaths_at_start = worker.bundle, None, True, 0
        if bundle is not None:
            self.queue.finish(bundle)
            (unit,) = bundle.units
            yield unpacked(unit, message)

    def _overdue(self) -> list[UnitOutcome]:
        """End the workers whose units have used up their time; return the units' failures."""
        if self.unit_timeout is None:
            return []
        latest = time.monotonic() - self.unit_timeout
        workers = [worker for worker in self.workers if worker.bundle is not None and worker.sent <= latest]
        return [self._cut_off(worker) for worker in workers if not worker.connection.poll()]

    def _cut_off(self, worker: Worker) -> UnitOutcome:
        bundle = cast("Bundle", worker.bundle)
        self.workers.remove(worker)
        worker.release()
        worker.end()
        self.queue.finish(bundle)
        self._restock()
        (unit,) = bundle.units
        return Failed(unit, overdue(unit, self.unit_timeout or 0.0))

    def _restock(self) -> None:
        """Start a worker in the place of one that has ended, where there is work for it."""
        if self.stop.reason is None and len(self.queue) > len(self.workers):
            self.workers.append(self._started())

    def _replace(self, worker: Worker) -> Generator[UnitOutcome, None, None]:
        self.workers.remove(worker)
        cause = worker.end()
        if worker.bundle is not None:
            yield from self._set_aside(worker.bundle, cause)
        elif not worker.ready:
            self._count_death_at_start(cause)
        self._restock()

    def _set_aside(self, bundle: Bundle, cause: str) -> Generator[UnitOutcome, None, None]:
        """Yield the failure of a unit that is not to be tried again after the death of its worker."""
        for unit in self.queue.record_death(bundle):
            message = f"{cause}; tried {self.queue.deaths(unit)} times"
            hint = MEMORY_HINT if MEMORY in cause else DEATH_HINT
            yield Failed(unit, UnitFailed(message, unit_context(unit), hint))

    def _count_death_at_start(self, cause: str) -> None:
        self.deaths_at_start += 1
        if self.deaths_at_start >= DEATHS_AT_START:
            self.stop.check(busy=self.queue.busy)
            message = f"worker processes die when they start: of the last, {cause}"
            raise BackendUnavailable(message, "processes", KILLED_HINT if "killed" in cause else START_HINT)
