"""Hands bundles of units to a Dask cluster and takes what comes back, whatever becomes of its workers."""

from __future__ import annotations

import math
import secrets
import time
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import CancelledError
from typing import Any, Final

import attrs

from pulse_adapters.backends.attempts import unit_context, unit_failed
from pulse_adapters.backends.dask.deaths import Watch
from pulse_adapters.backends.dask.worker_task import Answer, perform
from pulse_adapters.backends.dask.workers import MEND_SOFTWARE, Crew, SchedulerLost
from pulse_adapters.backends.processes.messages import unpacked
from pulse_adapters.backends.stopping import AGAIN, Stop
from pulse_core.errors import BackendUnavailable, RunInterrupted, UnitFailed
from pulse_core.plan import WorkUnit
from pulse_core.ports import Failed, Outcome

BUNDLE_SECONDS: Final = 0.5
"""What a bundle should take at least: Dask needs 2 to 5 ms a task, by the machine, hence at most one per cent of it."""

LISTEN_SECONDS: Final = 0.02
LOSSES_ALLOWED: Final = 3

MEND_DEATH: Final = "Give the workers more memory, use smaller units, or leave out the variable at fault"


@attrs.define
class Pace:
    """How many units go into a bundle, by how long those so far have taken."""

    seconds: float = 0.0
    units: int = 0

    def note(self, units: int, seconds: float) -> None:
        """Take in what a bundle took."""
        self.units += units
        self.seconds += seconds

    def size(self, waiting: int, threads: int) -> int:
        """Return the size of the next bundle: long enough, but so that the last ones still keep all threads at work."""
        fair = math.ceil(waiting / (2 * max(1, threads)))
        if not self.units:
            return 1
        wanted = math.ceil(BUNDLE_SECONDS * self.units / max(self.seconds, 1e-6))
        return max(1, min(wanted, fair))


@attrs.define(eq=False)
class Dispatch:
    """One run: units `waiting`, bundles `out` on the cluster, `suspects` whose workers died, to be tried alone.

    It outlives the connection to a scheduler that is lost.
    """

    task: bytes
    waiting: deque[WorkUnit]
    stop: Stop
    patience: float
    suspects: deque[WorkUnit] = attrs.field(factory=deque)
    out: dict[Any, tuple[WorkUnit, ...]] = attrs.field(factory=dict)
    pace: Pace = attrs.field(factory=Pace)
    losses: int = 0
    _alone: Watch | None = None
    _told_to_stop: bool = False

    @property
    def unfinished(self) -> bool:
        """Whether any unit has no outcome yet."""
        return bool(self.waiting or self.suspects or self.out)

    def outcomes(self, client: Any) -> Generator[Outcome, None, None]:
        """Yield outcomes until all units have one or the scheduler is lost.

        Raises BackendUnavailable and RunInterrupted.
        """
        from distributed import as_completed

        crew = Crew(client, self.patience)
        completed = as_completed(loop=client.loop)
        try:
            while self.unfinished:
                self._heed_stop(client)
                crew.look(begun=self.pace.units > 0)
                completed.update(self._hand_out(client, crew))
                yield from self._take(client, _heard(completed))
        except SchedulerLost as loss:
            self._note_loss(loss)

    def _heed_stop(self, client: Any) -> None:
        """Once asked to stop, let Dask forget what it has not begun, and wait for the rest."""
        if self.stop.reason is None:
            return
        if not self.out:
            self.stop.check()
        if self._told_to_stop:
            return
        self._told_to_stop = True
        begun = {key for stacks in client.call_stack(list(self.out)).values() for key in stacks}
        for future in [future for future in self.out if future.key not in begun and not future.done()]:
            self.waiting.extend(self.out.pop(future))
            future.cancel()

    def _hand_out(self, client: Any, crew: Crew) -> list[Any]:
        """Send bundles as long as there is room in the window; return their futures."""
        if self.stop.reason is not None:
            return []
        bundles: list[tuple[WorkUnit, ...]] = []
        while self.waiting and len(self.out) + len(bundles) < crew.window:
            size = self.pace.size(len(self.waiting), crew.threads)
            bundles.append(tuple(self.waiting.popleft() for _ in range(size)))
        if self.suspects and not (self.waiting or self.out or bundles):
            bundles = [(self.suspects.popleft(),)]
            self._alone = Watch.begin(client, bundles[0][0].index)
        if not bundles:
            return []
        # the task goes with each bundle (8 bytes a variable of the run): kept on one worker for the others to fetch, it
        # made them wait up to a second for that one's attention, since it was computing already
        futures = client.map(perform, bundles, task=self.task, expected=crew.expected, pure=False, key=_keys(bundles))
        self.out.update(zip(futures, bundles, strict=True))
        return list(futures)

    def _take(self, client: Any, futures: Sequence[Any]) -> Generator[Outcome, None, None]:
        ours = [future for future in futures if future in self.out]
        for future, result in zip(ours, _results(client, ours), strict=True):
            units = self.out.pop(future)
            if isinstance(result, Answer):
                yield from self._opened(units, result)
            elif isinstance(result, CancelledError):
                self.waiting.extend(units)
                raise SchedulerLost(str(result))
            else:
                yield from self._failed(client, units, result)

    def _opened(self, units: Sequence[WorkUnit], answer: Answer) -> Generator[Outcome, None, None]:
        if answer.refused:
            raise BackendUnavailable(f"a Dask worker has other software: {answer.refused}", "dask", MEND_SOFTWARE)
        self.pace.note(len(units), answer.seconds)
        for unit, message in zip(units, answer.outcomes, strict=True):
            yield unpacked(unit, message)

    def _failed(self, client: Any, units: Sequence[WorkUnit], error: BaseException) -> Generator[Outcome, None, None]:
        """Try units alone whose workers have died, for they may have died of another's; the rest have failed."""
        from distributed import KilledWorker

        for unit in units:
            if not isinstance(error, KilledWorker):
                yield Failed(unit, unit_failed(unit, error))
            elif self._alone is not None and unit.index == self._alone.unit:
                yield Failed(unit, UnitFailed(self._alone.words(client, error), unit_context(unit), MEND_DEATH))
            else:
                self.suspects.append(unit)

    def _note_loss(self, loss: SchedulerLost) -> None:
        self.losses += 1
        self.stop.check()
        for units in self.out.values():
            self.waiting.extend(units)
        self.out.clear()
        if self.losses > LOSSES_ALLOWED:
            raise RunInterrupted(f"the Dask scheduler was lost {self.losses} times", "dask", AGAIN) from loss


def _keys(bundles: Sequence[tuple[WorkUnit, ...]]) -> list[str]:
    """Return a new name for each bundle; what stands before the first hyphen is its name on the dashboard."""
    return [f"unit-{bundle[0].index}-{secrets.token_hex(8)}" for bundle in bundles]


def _heard(completed: Any) -> list[Any]:
    """Return the futures that have come to their end, after a moment where there are none."""
    futures: list[Any] = completed.next_batch(block=False)
    if not futures:
        time.sleep(LISTEN_SECONDS)
    return futures


def _results(client: Any, futures: Sequence[Any]) -> list[Any]:
    """Return the result of each, or the exception where there is one; gather alone would give up at the first."""
    if not futures:  # gathering nothing takes 3 ms, and this is asked every LISTEN_SECONDS
        return []
    try:
        return list(client.gather(futures))
    except (Exception, CancelledError):  # noqa: BLE001  # whatever a task raised, or the cluster in its stead
        return [_result(future) for future in futures]


def _result(future: Any) -> Any:
    try:
        return future.result()
    except (Exception, CancelledError) as error:  # noqa: BLE001  # as above
        return error
