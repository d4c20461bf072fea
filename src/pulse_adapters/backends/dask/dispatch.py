"""Sends bundles of units to a Dask cluster and takes their outcomes, whatever becomes of its workers."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, Final

import attrs

from pulse_adapters.backends.attempts import unit_failed
from pulse_adapters.backends.dask.deaths import DeathObserver
from pulse_adapters.backends.dask.worker_task import OVERDUE, BundleResult, perform
from pulse_adapters.backends.dask.workers import SOFTWARE_HINT, SchedulerLost, Workers
from pulse_adapters.backends.processes.messages import unpacked
from pulse_adapters.backends.retry_queue import Bundle, RetryQueue
from pulse_adapters.backends.stopping import RESUME_HINT, Stop
from pulse_adapters.backends.time_limit import overdue
from pulse_adapters.backends.units import unit_context
from pulse_core.errors import BackendUnavailable, RunInterrupted, UnitFailed
from pulse_core.ports import Failed, UnitOutcome

BUNDLE_SECONDS: Final = 0.5
"""What a bundle should take at least: Dask needs 2 to 5 ms a task, by the machine, hence at most one per cent of it."""

POLL_SECONDS: Final = 0.02
ANSWER_SECONDS: Final = 0.5
"""How long a worker may take to answer: one in a long call into a library does not, and must not keep the run from
stopping."""
LOSSES_ALLOWED: Final = 3

REPORTS_ALLOWED: Final = 1
DEATHS_BEFORE_ALONE: Final = 1
"""Dask itself tries a task again whose worker died, and reports its death in the end. After the first report a unit is
tried alone, since its workers may have died of another unit; after the second it is set aside."""

DEATH_HINT: Final = "Give the workers more memory, use smaller units, or leave out the variable at fault"


@attrs.define
class Pace:
    """The number of units that go into a bundle, by what units have taken so far."""

    seconds: float = 0.0
    units: int = 0

    def record(self, units: int, seconds: float) -> None:
        """Take in what a bundle took."""
        self.units += units
        self.seconds += seconds

    def size(self, waiting: int, threads: int) -> int:
        """Return the size of the next bundle: long enough, but so that the last ones still keep all threads at work."""
        fair = math.ceil(waiting / (2 * max(1, threads)))
        if not self.units:
            return 1
        worthwhile = math.ceil(BUNDLE_SECONDS * self.units / max(self.seconds, 1e-6))
        return max(1, min(worthwhile, fair))


@attrs.define(eq=False)
class Dispatch:
    """One run over a cluster: the queue of its units, and the futures of the bundles that Dask has.

    It outlives the connection to a scheduler that is lost.
    """

    task: bytes
    queue: RetryQueue
    stop: Stop
    patience: float
    unit_timeout: float | None = None
    futures: dict[Any, Bundle] = attrs.field(factory=dict)
    pace: Pace = attrs.field(factory=Pace)
    losses: int = 0
    _observer: DeathObserver = attrs.field(factory=DeathObserver)
    _unreceived: list[Any] = attrs.field(factory=list)
    _stopping: bool = False
    _overdue: deque[tuple[str, int]] = attrs.field(factory=deque)

    def outcomes(self, client: Any) -> Generator[UnitOutcome, None, None]:
        """Yield outcomes until all units have one or the scheduler is lost.

        Raises BackendUnavailable and RunInterrupted.
        """
        from distributed import as_completed

        workers = Workers(client, self.patience)
        completed = as_completed(loop=client.loop)
        try:
            if self.unit_timeout is not None:
                client.subscribe_topic(OVERDUE, self._note_overdue)
            while self.queue:
                self._obey_stop(client)
                if not self._stopping:
                    workers.refresh(started=self.pace.units > 0)
                completed.update(self._hand_out(client, workers))
                yield from self._receive(client, [*self._unreceived, *_ended(completed)])
                yield from self._set_overdue_aside()
        except SchedulerLost as loss:
            self._record_loss(loss)

    def _obey_stop(self, client: Any) -> None:
        """Once asked to stop, cancel what no worker has started, and give the rest its grace."""
        self.stop.check(busy=bool(self.futures))
        if self.stop.reason is None or self._stopping:
            return
        self._stopping = True
        started = _started(client, [future.key for future in self.futures])
        for future in [future for future in self.futures if future.key not in started and not future.done()]:
            self.queue.give_back(self.futures.pop(future))
            future.cancel()
        self.stop.check(busy=bool(self.futures))

    def _hand_out(self, client: Any, workers: Workers) -> list[Any]:
        """Send bundles as long as there is room in the window; return their futures."""
        if self.stop.reason is not None:
            return []
        bundles: list[Bundle] = []
        while len(self.futures) + len(bundles) < workers.window:
            bundle = self.queue.next_bundle(self.pace.size(self.queue.waiting, workers.threads))
            if bundle is None:
                break
            bundles.append(bundle)
        if not bundles:
            return []
        if bundles[0].alone:
            self._observer = DeathObserver.start(client)
        # the task goes with each bundle (8 bytes a variable of the run): kept on one worker for the others to fetch, it
        # made them wait up to a second for that one's attention, since it was computing already
        units = [bundle.units for bundle in bundles]
        keys = [_new_key(bundle) for bundle in bundles]
        fixed = {"task": self.task, "expected": workers.expected, "timeout": self.unit_timeout}
        futures = client.map(perform, units, **fixed, pure=False, key=keys)
        self.futures.update(zip(futures, bundles, strict=True))
        return list(futures)

    def _receive(self, client: Any, ended: Sequence[Any]) -> Generator[UnitOutcome, None, None]:
        futures = [future for future in ended if future in self.futures]
        self._unreceived.clear()
        for future, result in zip(futures, _results(client, futures), strict=True):
            if isinstance(result, TimeoutError) and future.status == "finished":
                self._unreceived.append(future)
                continue
            bundle = self.futures.pop(future)
            if isinstance(result, BundleResult):
                yield from self._unpack(bundle, result)
            elif isinstance(result, CancelledError):
                self.queue.give_back(bundle)
                raise SchedulerLost(str(result))
            else:
                yield from self._fail(client, bundle, result)

    def _unpack(self, bundle: Bundle, result: BundleResult) -> Generator[UnitOutcome, None, None]:
        if result.refusal:
            raise BackendUnavailable(f"a Dask worker has other software: {result.refusal}", "dask", SOFTWARE_HINT)
        self.queue.finish(bundle)
        self.pace.record(len(bundle.units), result.seconds)
        for unit, message in zip(bundle.units, result.outcomes, strict=True):
            yield unpacked(unit, message)

    def _fail(self, client: Any, bundle: Bundle, error: BaseException) -> Generator[UnitOutcome, None, None]:
        """Yield the failures of a bundle, of which those units are none whose workers died and that are tried again."""
        from distributed import KilledWorker

        if not isinstance(error, KilledWorker):
            self.queue.finish(bundle)
            yield from (Failed(unit, unit_failed(unit, error)) for unit in bundle.units)
            return
        for unit in self.queue.record_death(bundle):
            words = self._observer.words(client, error, self.stop)
            yield Failed(unit, UnitFailed(words, unit_context(unit), DEATH_HINT))

    def _note_overdue(self, event: tuple[float, dict[str, Any]]) -> None:
        """Take the event of a worker whose unit does not react to its time limit; it ends a moment later."""
        _, message = event
        self._overdue.append((message["key"], message["unit"]))

    def _set_overdue_aside(self) -> Generator[UnitOutcome, None, None]:
        while self._overdue:
            key, index = self._overdue.popleft()
            for future in [future for future in self.futures if future.key == key]:
                bundle = self.futures.pop(future)
                future.cancel()
                (unit,) = (unit for unit in bundle.units if unit.index == index)
                self.queue.set_aside(bundle, unit)
                yield Failed(unit, overdue(unit, self.unit_timeout or 0.0))

    def _record_loss(self, loss: SchedulerLost) -> None:
        self.losses += 1
        self.stop.check()
        for bundle in self.futures.values():
            self.queue.give_back(bundle)
        self.futures.clear()
        self._unreceived.clear()
        if self.losses > LOSSES_ALLOWED:
            raise RunInterrupted(f"the Dask scheduler was lost {self.losses} times", "dask", RESUME_HINT) from loss


def _new_key(bundle: Bundle) -> str:
    """Return a new name for a bundle; what stands before the first hyphen is its name on the dashboard."""
    return f"unit-{bundle.units[0].index}-{secrets.token_hex(8)}"


def _started(client: Any, keys: Sequence[str]) -> frozenset[str]:
    """Return the keys that workers compute now; all of them where a worker does not answer."""
    if keys:
        with suppress(OSError, TimeoutError):
            stacks = client.sync(client.scheduler.call_stack, keys=list(keys), callback_timeout=ANSWER_SECONDS)
            return frozenset(key for worker in stacks.values() for key in worker)
    return frozenset(keys)


def _ended(completed: Any) -> list[Any]:
    """Return the futures that have ended, after a moment where there are none."""
    futures: list[Any] = completed.next_batch(block=False)
    if not futures:
        time.sleep(POLL_SECONDS)
    return futures


def _results(client: Any, futures: Sequence[Any]) -> list[Any]:
    """Return the result of each future, or its exception; TimeoutError where its worker does not send it now."""
    if not futures:  # gathering nothing takes 3 ms, and this is called every POLL_SECONDS
        return []

    async def gather(futures: Sequence[Any]) -> list[Any]:
        results: list[Any] = await asyncio.wait_for(client.gather(futures, asynchronous=True), ANSWER_SECONDS)
        return results

    async def gather_apart() -> list[Any]:
        singles = await asyncio.gather(*(gather([future]) for future in futures), return_exceptions=True)
        return [single[0] if isinstance(single, list) else single for single in singles]

    try:
        results: list[Any] = client.sync(gather, futures)
    except (Exception, CancelledError):  # noqa: BLE001  # whatever a task raised, or the cluster in its stead
        results = client.sync(gather_apart)  # since gathering together gives up at the first exception
    return results
