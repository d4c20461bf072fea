"""A control group whose memory can be made to run out, for whoever may make one: mostly root."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs

from pulse_adapters.backends.host.control_groups import group_folders
from tests.chaos.running import Running
from tests.chaos.victims import kill

LITTLE = 1 << 20
_LIMIT = {1: "memory.limit_in_bytes", 2: "memory.max"}
_USED = {1: "memory.usage_in_bytes", 2: "memory.current"}
_COUNTED = {1: "memory.oom_control", 2: "memory.events"}


@attrs.frozen
class MemoryGroup:
    """A group of processes; `version` is that of control groups, 1 or 2."""

    folder: Path
    version: int

    def take(self, process: int) -> None:
        """Move a process in; its children will be born here. What it holds already stays with its old group."""
        (self.folder / "cgroup.procs").write_text(str(process))

    def limit(self, size: int | None) -> None:
        """Set what all may hold together in bytes, or None for all there is. Raises OSError below what is in use."""
        nothing = {1: "-1", 2: "max"}[self.version]
        (self.folder / _LIMIT[self.version]).write_text(nothing if size is None else str(size))

    def used(self) -> int:
        """Return how many bytes they hold."""
        return int((self.folder / _USED[self.version]).read_text())

    def kills(self) -> int:
        """Return how many of them the kernel has killed for want of memory."""
        lines = (self.folder / _COUNTED[self.version]).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def processes(self) -> list[int]:
        """Return who is in it."""
        return [int(line) for line in (self.folder / "cgroup.procs").read_text().split()]

    def _remove(self) -> None:
        for process in self.processes():
            kill(process)
        while self.processes():  # those who end still hold the folder
            time.sleep(0.01)
        self.folder.rmdir()


@contextmanager
def memory_group() -> Iterator[MemoryGroup]:
    """Make a group at the top of what is seen here; in the end who is left in it is killed. Raises OSError."""
    for version, folders in group_folders("memory"):
        folder = folders[-1] / f"pulse-chaos-{os.getpid()}-{time.monotonic_ns()}"
        if not (folders[-1] / "cgroup.procs").exists():
            continue
        folder.mkdir()
        group = MemoryGroup(folder, version)
        try:
            if (folder / _LIMIT[version]).exists():
                yield group
                return
        finally:
            group._remove()
    raise OSError("no tree of control groups here limits memory")


def starved(group: MemoryGroup, running: Running, *, for_good: bool) -> bool:
    """Leave no more memory than is in use until the kernel has killed somebody, or for good; return whether it has."""
    least = group.used()
    while running.poll() is None and not group.kills():
        least = min(least, group.used())
        for size in (least, least - LITTLE):  # what files are cached for can be taken back, and nothing else
            with suppress(OSError):
                group.limit(size)
        time.sleep(0.005)
    if not for_good:
        group.limit(None)
    return group.kills() > 0


def why_no_memory_groups() -> str | None:
    """Say why no group can be made here, or None where one can."""
    try:
        with memory_group() as group:
            group.limit(LITTLE)
    except OSError as error:
        return str(error)
    return None
