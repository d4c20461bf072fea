"""Units over the cores of this machine, one process a core."""

from __future__ import annotations

import pickle
from collections import Counter, deque
from collections.abc import Generator, Sequence
from multiprocessing.connection import wait
from typing import Final

import attrs

from pulse_adapters.backends.attempts import unit_failed, where
from pulse_adapters.backends.cores import usable_cores
from pulse_adapters.backends.pool import MEND_START, Worker, cause_of_death, prepare_fork_server
from pulse_adapters.backends.serial import SerialBackend
from pulse_core.errors import BackendUnavailable, UnitFailed
from pulse_core.plan import WorkUnit
from pulse_core.ports import Done, Failed, Outcome, Task

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

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[Outcome, None, None]:
        """Yield one outcome a unit, as they complete; closing ends the workers. Raises BackendUnavailable."""
        count = min(self.max_workers or usable_cores(), len(units))
        if count < 2 or sum(unit.seconds for unit in units) < self.worth_seconds:
            yield from SerialBackend().run(task, units)
            return
        pool = _Pool(_pickled(task), self.unit_retries, deque(units))
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
            heard = set(wait([worker.connection for worker in self.workers]))
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
            yield _unpickled(unit, message)

    def _replace(self, worker: Worker) -> Generator[Outcome, None, None]:
        self.workers.remove(worker)
        cause = cause_of_death(worker.end())
        if worker.unit is not None:
            yield from self._try_again(worker.unit, cause)
        elif not worker.ready:
            self._note_death_at_start(cause)
        if self._unfinished() > len(self.workers):
            self.workers.append(Worker.start(self.task))

    def _try_again(self, unit: WorkUnit, cause: str) -> Generator[Outcome, None, None]:
        self.deaths[unit] += 1
        if self.deaths[unit] > self.retries:
            what = f"{cause}; tried {self.deaths[unit]} times"
            yield Failed(unit, UnitFailed(what, where(unit), MEND_DEATH))
        elif self.deaths[unit] >= DEATHS_BEFORE_ALONE:
            self.suspects.append(unit)
        else:
            self.waiting.append(unit)

    def _note_death_at_start(self, cause: str) -> None:
        self.deaths_at_start += 1
        if self.deaths_at_start >= DEATHS_AT_START:
            what = f"worker processes die when they start: of the last, {cause}"
            raise BackendUnavailable(what, "processes", MEND_START)


def _pickled(task: Task) -> bytes:
    try:
        return pickle.dumps(task)
    except Exception as error:  # foreign objects raise what they like when pickled
        raise BackendUnavailable(
            f"the task cannot be sent to other processes: {error}",
            "processes",
            "Use --backend serial, or stores, sinks and forecasters defined in an importable module",
        ) from error


def _unpickled(unit: WorkUnit, message: bytes) -> Outcome:
    try:
        outcome: Done | Failed = pickle.loads(message)  # noqa: S301  # our own worker's, over a private pipe
    except Exception as error:  # noqa: BLE001  # an outcome that cannot be rebuilt here is that unit's failure alone
        return Failed(unit, unit_failed(unit, error))
    return outcome
