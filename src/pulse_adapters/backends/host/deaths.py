"""What killed a worker process, in words.

An exit status tells SIGKILL, not who sent it. The kernel counts the processes that it kills for want of memory: it has
a count for each control group of memory, and a count for the machine with all groups in it. A group's count is exact:
whatever other containers do, it rises only when a process of the group itself is killed, be it for the group's limit,
for that of a group above or because the machine is full. Where no group's count can be read, the machine's is: if that
count stood still, memory had not run out; if it rose, the process may have been another.

Formats: the kernel's documents on cgroup v2 (`memory.events`), on the memory controller of v1
(`memory.oom_control`, `oom_kill` since Linux 4.13), and proc_vmstat(5).
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from pulse_adapters.backends.host.control_groups import ROOT, group_folders

_COUNTED: Final = "oom_kill"

MEMORY: Final = "memory ran out"
BY_MEMORY: Final = f"because {MEMORY}"


@attrs.frozen
class MemoryKills:
    """How many processes the kernel has killed for want of memory: of a control group, or of the whole `machine`."""

    file: Path
    machine: bool
    count: int

    @classmethod
    def near(cls, process: int | str = "self", root: Path = ROOT) -> MemoryKills | None:
        """Return the count of a process's group, or else of the machine; None where neither can be read."""
        files = [(file, False) for file in _group_files(process, root)] + [(root / "proc/vmstat", True)]
        counts = (cls(file, machine, count) for file, machine in files if (count := _count(file)) is not None)
        return next(counts, None)

    def now(self) -> MemoryKills | None:
        """Return the same count as it is now; None where its group is gone."""
        count = _count(self.file)
        return None if count is None else attrs.evolve(self, count=count)

    def since(self, before: MemoryKills) -> int:
        """Return how many processes were killed since."""
        return self.count - before.count


def cause_of_death(code: int | None, before: MemoryKills | None = None, now: MemoryKills | None = None) -> str:
    """Put an exit code in words; the kernel's counts before and after tell whether SIGKILL came for want of memory."""
    if code is None or code >= 0:
        return f"its process ended with exit status {'unknown' if code is None else code}"
    if -code == signal.SIGKILL:
        return f"its process was killed {_by(before, now)}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"its process was killed by {name}"


def _by(before: MemoryKills | None, now: MemoryKills | None) -> str:
    if before is None or now is None:
        return f"by SIGKILL, most likely {BY_MEMORY}"
    if not now.since(before):
        return "by SIGKILL from outside; memory had not run out"
    if before.machine:
        return "by SIGKILL; meanwhile memory ran out for some process of this machine, which may have been another"
    return BY_MEMORY


def _group_files(process: int | str, root: Path) -> Iterator[Path]:
    for version, (group, *above) in group_folders("memory", process, root):
        if version == 1:
            yield group / "memory.oom_control"  # it leaves out the counts of the groups below
        else:
            yield from (folder / "memory.events" for folder in (group, *above))


def _count(file: Path) -> int | None:
    try:
        lines = file.read_text().splitlines()
    except OSError:  # the root group has no such file; a group that is gone, or out of sight, has no folder
        return None
    counts = [int(value) for name, _, value in (line.partition(" ") for line in lines) if name == _COUNTED]
    return counts[0] if counts else None
