"""How much memory a data file may take: a share of what this process can still have.

Formats: proc_meminfo(5), cgroups(7), and the kernel's documentation of the memory controllers of versions 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path("/")

ALWAYS: Final = 64 * 2**20
"""Bytes that a file may take whatever the memory: below them nobody looks how much there is."""

_SHARE: Final = 4
_UNKNOWN: Final = 2**33
"""Bytes taken to be there where the machine does not say, on systems other than Linux."""


def file_limit(root: Path = ROOT) -> int:
    """Return the bytes that a file may unpack to: a quarter of the memory that is available, at least ALWAYS."""
    return max(ALWAYS, available(root) // _SHARE)


def available(root: Path = ROOT) -> int:
    """Return the bytes of memory that are left for this process, by the machine and by its control groups."""
    return min((*_of_machine(root), *_of_groups(root)), default=_UNKNOWN)


def _of_machine(root: Path) -> Iterator[int]:
    for line in _lines(root / "proc/meminfo"):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            yield int(value.split()[0]) * 1024


def _of_groups(root: Path) -> Iterator[int]:
    for line in _lines(root / "proc/self/cgroup"):
        identity, controllers, group = line.split(":", 2)
        if identity == "0" and not controllers:
            names, mount = ("memory.max", "memory.current", "inactive_file"), root / "sys/fs/cgroup"
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            mount = root / "sys/fs/cgroup/memory"
        else:
            continue
        # a container may see its own group as the mount's root
        folder = mount / group.lstrip("/")
        for each in (folder, *folder.parents):
            if each == mount or each.is_relative_to(mount):
                yield from _of_group(each, *names)


def _of_group(folder: Path, limit: str, usage: str, reclaimable: str) -> Iterator[int]:
    most, used = _number(folder / limit), _number(folder / usage)
    if most is not None and used is not None:
        cached = [int(line.split()[1]) for line in _lines(folder / "memory.stat") if line.split()[0] == reclaimable]
        yield max(0, most - used + sum(cached))


def _number(path: Path) -> int | None:
    lines = _lines(path)
    return int(lines[0]) if lines and lines[0].isdigit() else None  # `max` is no limit


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
