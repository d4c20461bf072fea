"""What killed the workers of a Dask cluster, in words.

Dask says only that they died. Two know more, and are asked when a unit is tried alone: a worker's nanny, which ends it
where it holds more than its memory limit and tells the scheduler so; and the kernel beside that nanny, which counts
whom it kills for want of memory.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import attrs

from pulse_adapters.backends.host.deaths import BY_MEMORY, MemoryKills

LOG_SAYS_MORE: Final = "its log and its nanny's say more"
ENDED_BY_NANNY: Final = "worker-restart-memory"
"""The topic on which Dask's nannies tell whom they end."""

NANNY_SECONDS: Final = 5.0
"""How long a nanny may take to have another worker: only then the scheduler passes on what it is asked."""
LOOK_SECONDS: Final = 0.1


@attrs.frozen
class Watch:
    """A unit that is tried alone, and the kernel's counts before that, by the address of the nanny beside them."""

    unit: int
    before: Mapping[str, MemoryKills]

    @classmethod
    def begin(cls, client: Any, unit: int) -> Watch:
        """Take the counts beside all nannies."""
        return cls(unit, _memory_kills(client))

    def words(self, client: Any, error: Any) -> str:
        """Say how the workers died that a distributed.KilledWorker tells of."""
        count, last = error.allowed_failures + 1, error.last_worker
        died = f"the workers that did it died, {count} of them, also when nothing else ran"
        return f"{died}; the last, at {last.address}, {self._cause(client, last)}"

    def _cause(self, client: Any, worker: Any) -> str:
        held, now = _look(client, worker)
        before = self.before.get(worker.nanny)
        if held is not None:
            return f"was ended by its nanny {BY_MEMORY}: it held {_mib(held)} and may hold {_mib(worker.memory_limit)}"
        if before is None or now is None:
            return f"most likely {BY_MEMORY}; {LOG_SAYS_MORE}"
        if not now.since(before):
            return f"though memory had not run out; {LOG_SAYS_MORE}"
        return f"was killed {BY_MEMORY}" if not now.machine else f"most likely {BY_MEMORY}; {LOG_SAYS_MORE}"


def _look(client: Any, worker: Any) -> tuple[int | None, MemoryKills | None]:
    """Return what its nanny says it held, or the kernel's count beside the nanny once that has another worker."""
    end = time.monotonic() + NANNY_SECONDS
    held, now = _held(client, worker), None
    while held is None and now is None and worker.nanny and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
        now = _memory_kills(client).get(worker.nanny)
        held = _held(client, worker)
    return held, now


def _held(client: Any, worker: Any) -> int | None:
    """Return the bytes for which the worker's nanny ended it, where it did."""
    with suppress(OSError):  # the scheduler does not answer; whoever waits for it next will say so
        for _, event in client.get_events(ENDED_BY_NANNY):
            if event["worker"] == worker.address:
                return int(event["rss"])
    return None


def _memory_kills(client: Any) -> dict[str, MemoryKills]:
    with suppress(OSError):
        told = client.run(_beside_nanny, nanny=True, on_error="ignore").values()
        return {address: kills for address, kills in told if kills is not None}
    return {}


def _beside_nanny(dask_worker: Any) -> tuple[str, MemoryKills | None]:
    """Run by a nanny, which Dask passes in under this name."""
    return dask_worker.address, MemoryKills.near()


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"
