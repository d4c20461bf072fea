"""The workers of a Dask cluster: how many there are, and whether their software allows them to work."""

from __future__ import annotations

import math
import time
from typing import Any, Final

import attrs

from pulse_adapters.backends.host.software import PACKAGES, Software
from pulse_adapters.backends.stopping import RESUME_HINT
from pulse_core.errors import BackendUnavailable, RunInterrupted

WINDOW_LEAST: Final = 64
WINDOW_PER_THREAD: Final = 4
REFRESH_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 10.0

WORKERS_HINT: Final = "Start some with `dask worker` and this address"
SOFTWARE_HINT: Final = "Install the same versions on every worker as here"


class SchedulerLost(Exception):
    """The scheduler no longer answers."""


@attrs.define(eq=False)
class Workers:
    """The workers connected, refreshed once a second; `patience` is for how many seconds there may be none."""

    client: Any
    patience: float
    expected: Software = attrs.field(factory=Software.here)
    threads: int = 0
    _addresses: frozenset[str] = frozenset()
    _refreshed: float = -math.inf
    _none_since: float | None = None

    @property
    def window(self) -> int:
        """The number of bundles that Dask should have: all threads have work, and an adaptive cluster grows."""
        return max(WINDOW_LEAST, WINDOW_PER_THREAD * self.threads)

    def refresh(self, *, started: bool) -> None:
        """Count the workers and compare the software of new ones; `started` where any unit was done before.

        Raises SchedulerLost, and BackendUnavailable or RunInterrupted where the run cannot go on with them.
        """
        now = time.monotonic()
        if now - self._refreshed < REFRESH_SECONDS:
            return
        self._refreshed = now
        workers = self._workers()
        self.threads = sum(workers.values())
        if workers:
            self._none_since = None
        elif self._none_since is None:
            self._none_since = now
        elif now - self._none_since > self.patience:
            self._give_up(started=started)
        if not workers.keys() <= self._addresses:
            self._compare_software()
        self._addresses = frozenset(workers)

    def _workers(self) -> dict[str, int]:
        """Return the number of threads by worker."""
        if self.client.status != "running":
            raise SchedulerLost(f"the connection is {self.client.status}")
        try:
            workers: dict[str, int] = self.client.sync(self.client.scheduler.ncores, callback_timeout=ANSWER_SECONDS)
        except OSError as error:
            raise SchedulerLost(str(error)) from error
        return workers

    def _give_up(self, *, started: bool) -> None:
        """Raise RunInterrupted where work was done before, else BackendUnavailable."""
        message, context = f"there is no worker, for {self.patience:.0f} s now", self.client.scheduler.address
        if started:
            raise RunInterrupted(message, context, RESUME_HINT)
        raise BackendUnavailable(message, context, WORKERS_HINT)

    def _compare_software(self) -> None:
        """Raise BackendUnavailable where a worker has other software than is here."""
        reported = self.client.get_versions(packages=list(PACKAGES))["workers"]
        for address, facts in sorted(reported.items()):
            differences = self.expected.differences(Software.reported(facts["packages"]))
            if differences:
                message = f"the worker at {address} has other software: {', '.join(differences)}"
                raise BackendUnavailable(message, self.client.scheduler.address, SOFTWARE_HINT)
