"""Units over the cores of this machine, one process a core."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator, Sequence
from multiprocessing.connection import wait
from typing import Final

import attrs

from pulse_adapters.backends.attempts import unit_context
from pulse_adapters.backends.host.cores import usable_cores
from pulse_adapters.backends.processes.messages import packed_task, unpacked
from pulse_adapters.backends.processes.pool import MEND_START, Worker, prepare_fork_server
from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.backends.stopping import POLL_SECONDS, Stop
from pulse_core.errors import BackendUnavailable, UnitFailed
from pulse_core.plan import WorkUnit
from pulse_core.ports import Failed, Outcome, Task

DEATHS_BEFORE_ALONE: Final = 2
DEATHS_AT_START: Final = 3
MEND_DEATH: Final = "Give it more memory, use fewer workers or smaller units, or leave out the variable at fault"


@attrs.frozen
class ProcessesBackend:
    """A ComputeBackend over worker processes.

    `max_workers` None stands for all usable cores. Work of less than `worth_seconds` (by the units' own
    estimates) is done in this process: starting others takes longer than they save. A unit whose process dies
    is tried again `unit_retries` times, from its second death on while nothing else runs; then it is set
    aside as failed.
    """

    max_workers: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    worth_seconds: float = 2.0
    unit_retries: int = attrs.field(default=2, validator=attrs.validators.ge(0))
    stop: Stop = attrs.field(factory=Stop)

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[Outcome, None, None]:
        """Yield one outcome a unit, as they complete; closing ends the workers.

        Raises BackendUnavailable and RunInterrupted.
        """
        count = min(self.max_workers or usable_cores(), len(units))
        if count < 2 or sum(unit.seconds for unit in units) < self.worth_seconds:
            yield from SerialBackend(self.stop).run(task, units)
            return
        pool = _Pool(packed_task(task, "processes"), self.unit_retries, self.stop, deque(units))
        with self.stop.heeded():
            try:
                pool.start(count)
                yield from pool.outcomes()
            finally:
                pool.close()


@attrs.define(eq=False)
class _Pool:
    """Workers, and the units that are with none of them yet: `waiting`, or `suspects` to be tried alone."""

    task: bytes
    retries: int
    stop: Stop
    waiting: deque[WorkUnit]
    suspects: deque[WorkUnit] = attrs.field(factory=deque)
    workers: list[Worker] = attrs.field(factory=list)
    deaths: Counter[WorkUnit] = attrs.field(factory=Counter)
    deaths_at_start: int = 0

    def start(self, count: int) -> None:
        prepare_fork_server()
        for _ in range(count):
            self.workers.append(Worker.start(self.task))

    def outcomes(self) -> Generator[Outcome, None, None]:
        while self._unfinished():
            if not self._busy():
                self.stop.check()
            heard = set(wait([worker.connection for worker in self.workers], POLL_SECONDS))
            speakers = [worker for worker in self.workers if worker.connection in heard]
            outcomes = [outcome for worker in speakers for outcome in self._listen(worker)]
            self._hand_out()  # first, so that no worker waits for whoever takes the outcomes
            yield from outcomes

    def close(self) -> None:
        for worker in self.workers:
            worker.release()
        for worker in self.workers:
            worker.end()

    def _unfinished(self) -> int:
        return len(self.waiting) + len(self.suspects) + self._busy()

    def _busy(self) -> int:
        return sum(worker.unit is not None for worker in self.workers)

    def _hand_out(self) -> None:
        if self.stop.reason is not None:
            return
        for worker in self.workers:
            if not worker.ready or worker.unit is not None:
                continue
            if self.waiting:
                worker.hand(self.waiting.popleft())
            elif self.suspects and not self._busy():
                worker.hand(self.suspects.popleft())

    def _listen(self, worker: Worker) -> Generator[Outcome, None, None]:
        message = worker.hear()
        if message is None:
            yield from self._replace(worker)
            return
        unit, worker.unit, worker.ready, self.deaths_at_start = worker.unit, None, True, 0
        if unit is not None:
            yield unpacked(unit, message)

    def _replace(self, worker: Worker) -> Generator[Outcome, None, None]:
        self.workers.remove(worker)
        cause = worker.end()
        if worker.unit is not None:
            yield from self._try_again(worker.unit, cause)
        elif not worker.ready:
            self._note_death_at_start(cause)
        if self.stop.reason is None and self._unfinished() > len(self.workers):
            self.workers.append(Worker.start(self.task))

    def _try_again(self, unit: WorkUnit, cause: str) -> Generator[Outcome, None, None]:
        self.deaths[unit] += 1
        if self.deaths[unit] > self.retries:
            message = f"{cause}; tried {self.deaths[unit]} times"
            yield Failed(unit, UnitFailed(message, unit_context(unit), MEND_DEATH))
        elif self.deaths[unit] >= DEATHS_BEFORE_ALONE:
            self.suspects.append(unit)
        else:
            self.waiting.append(unit)

    def _note_death_at_start(self, cause: str) -> None:
        self.deaths_at_start += 1
        if self.deaths_at_start >= DEATHS_AT_START:
            message = f"worker processes die when they start: of the last, {cause}"
            raise BackendUnavailable(message, "processes", MEND_START)
