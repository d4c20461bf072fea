"""What killed the workers of a Dask cluster, in words.

Dask reports only that they died. Where a unit is tried alone, two sources tell more: a worker's nanny, which ends the
worker where it holds more than its memory limit, and logs that with the scheduler; and the kernel of the nanny's
machine, which counts the processes that it kills for want of memory.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import attrs

from pulse_adapters.backends.host.deaths import BY_MEMORY, MemoryKills
from pulse_adapters.backends.stopping import Stop

LOG_HINT: Final = "its log and its nanny's say more"
ENDED_BY_NANNY: Final = "worker-restart-memory"
"""The topic under which Dask's nannies log the workers that they end."""

NANNY_SECONDS: Final = 15.0
"""How long a nanny may take to start another worker: the scheduler reaches a nanny only while it has one."""
POLL_SECONDS: Final = 0.1


@attrs.frozen
class DeathObserver:
    """The kernel's counts before a unit was tried alone, by the address of the nanny on whose machine they are."""

    before: Mapping[str, MemoryKills] = attrs.field(factory=dict)

    @classmethod
    def start(cls, client: Any) -> DeathObserver:
        """Read the counts beside all nannies."""
        return cls(_memory_kills(client))

    def words(self, client: Any, error: Any, stop: Stop) -> str:
        """Say how the workers died that a distributed.KilledWorker reports; a `stop` ends the search for the cause."""
        count, last = error.allowed_failures + 1, error.last_worker
        died = f"the workers that did it died, {count} of them, also when nothing else ran"
        return f"{died}; the last, at {last.address}, {self._cause(client, last, stop)}"

    def _cause(self, client: Any, worker: Any, stop: Stop) -> str:
        held, now = _evidence(client, worker, stop)
        before = self.before.get(worker.nanny)
        if held is not None:
            return f"was ended by its nanny {BY_MEMORY}: it held {_mib(held)} and may hold {_mib(worker.memory_limit)}"
        if before is None or now is None:
            return f"most likely {BY_MEMORY}; {LOG_HINT}"
        if not now.since(before):
            return f"though memory had not run out; {LOG_HINT}"
        if now.machine:
            return f"while memory ran out for some process of its machine, which may have been another; {LOG_HINT}"
        return f"was killed {BY_MEMORY}"


def _evidence(client: Any, worker: Any, stop: Stop) -> tuple[int | None, MemoryKills | None]:
    """Return the bytes that the nanny logged, or the kernel's count beside the nanny once it has another worker."""
    end = time.monotonic() + NANNY_SECONDS
    held, now = _held(client, worker), None
    while held is None and now is None and worker.nanny and stop.reason is None and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
        now = _memory_kills(client).get(worker.nanny)
        held = _held(client, worker)
    return held, now


def _held(client: Any, worker: Any) -> int | None:
    """Return the bytes for which the worker's nanny ended it, where it did."""
    with suppress(OSError):  # the scheduler does not answer; whoever calls it next will say so
        for _, event in client.get_events(ENDED_BY_NANNY):
            if event["worker"] == worker.address:
                return int(event["rss"])
    return None


def _memory_kills(client: Any) -> dict[str, MemoryKills]:
    with suppress(OSError):
        counts = client.run(_beside_nanny, nanny=True, on_error="ignore").values()
        return {address: kills for address, kills in counts if kills is not None}
    return {}


def _beside_nanny(dask_worker: Any) -> tuple[str, MemoryKills | None]:
    """Run by a nanny, which Dask passes in under this name."""
    return dask_worker.address, MemoryKills.near()


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"
