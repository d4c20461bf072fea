"""The workers of a Dask cluster: how many there are, and whether they may work."""

from __future__ import annotations

import math
import time
from typing import Any, Final

import attrs

from pulse_adapters.backends.host.software import PACKAGES, Software
from pulse_adapters.backends.stopping import AGAIN
from pulse_core.errors import BackendUnavailable, RunInterrupted

WINDOW_LEAST: Final = 64
WINDOW_PER_THREAD: Final = 4
LOOK_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 10.0

MEND_WORKERS: Final = "Start some with `dask worker` and this address"
MEND_SOFTWARE: Final = "Install the same versions on every worker as here"


class SchedulerLost(Exception):
    """The scheduler does not answer any more."""


@attrs.define(eq=False)
class Crew:
    """The workers at hand, looked at once a second; `patience` is how long there may be none."""

    client: Any
    patience: float
    expected: Software = attrs.field(factory=Software.here)
    threads: int = 0
    _known: frozenset[str] = frozenset()
    _looked: float = -math.inf
    _since_none: float | None = None

    @property
    def window(self) -> int:
        """How many bundles should be with Dask: enough to keep all at work, and an adaptive cluster informed."""
        return max(WINDOW_LEAST, WINDOW_PER_THREAD * self.threads)

    def look(self, *, begun: bool) -> None:
        """Count the workers and compare the software of new ones.

        Raises SchedulerLost, and BackendUnavailable or RunInterrupted where the run cannot go on with them.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        workers = self._workers()
        self.threads = sum(workers.values())
        if workers:
            self._since_none = None
        elif self._since_none is None:
            self._since_none = now
        elif now - self._since_none > self.patience:
            self._give_up(begun=begun)
        if not workers.keys() <= self._known:
            self._compare_software()
        self._known = frozenset(workers)

    def _workers(self) -> dict[str, int]:
        """Return the number of threads by worker."""
        if self.client.status != "running":
            raise SchedulerLost(f"the connection is {self.client.status}")
        try:
            workers: dict[str, int] = self.client.sync(self.client.scheduler.ncores, callback_timeout=ANSWER_SECONDS)
        except OSError as error:
            raise SchedulerLost(str(error)) from error
        return workers

    def _give_up(self, *, begun: bool) -> None:
        """Raise RunInterrupted where work was done before, else BackendUnavailable."""
        message, place = f"there is no worker, for {self.patience:.0f} s now", self.client.scheduler.address
        raise RunInterrupted(message, place, AGAIN) if begun else BackendUnavailable(message, place, MEND_WORKERS)

    def _compare_software(self) -> None:
        """Raise BackendUnavailable where a worker has other software than is here."""
        reported = self.client.get_versions(packages=list(PACKAGES))["workers"]
        for address, facts in sorted(reported.items()):
            differences = self.expected.differences(Software.reported(facts["packages"]))
            if differences:
                message = f"the worker at {address} has other software: {', '.join(differences)}"
                raise BackendUnavailable(message, self.client.scheduler.address, MEND_SOFTWARE)
