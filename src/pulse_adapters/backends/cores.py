"""How many cores this process may use, by its affinity and the quota of its control groups.

`os.cpu_count()` counts the machine's, of which a container with a quota of two may see ninety-six. Formats:
cgroups(7), proc_pid_mountinfo(5), the kernel's documents on cgroup v2 (`cpu.max`) and CFS bandwidth control
(v1).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import attrs

ROOT: Final = Path("/")


@attrs.frozen
class Mount:
    """Where a tree of control groups that can limit CPU time is mounted; `version` is 1 or 2.

    `root` is the group whose folder stands at `point`: not `/` where a container sees the host's names.
    """

    version: int
    root: PurePosixPath
    point: PurePosixPath


def usable_cores(root: Path = ROOT) -> int:
    """Return how many cores this process may use: its affinity or its quota rounded up, at least 1."""
    quota = cpu_quota(root)
    cores = _affinity()
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def cpu_quota(root: Path = ROOT) -> float | None:
    """Return the least quota, in cores, of this process's control groups and those above them, if any.

    `root` is the folder that holds `proc` and the mounts.
    """
    try:
        mounts = parse_mounts((root / "proc/self/mountinfo").read_text())
        groups = parse_groups((root / "proc/self/cgroup").read_text())
    except OSError:  # no Linux, or no /proc: nothing limits but the affinity
        return None
    limits = (
        limit
        for mount in mounts
        if mount.version in groups
        for folder in _folders(mount, groups[mount.version])
        if (limit := _limit(root / folder.relative_to("/"), mount.version)) is not None
    )
    return min(limits, default=None)


def parse_groups(text: str) -> dict[int, PurePosixPath]:
    """Return the process's groups by version from /proc/self/cgroup: v2's, and v1's for `cpu`."""
    groups = {}
    for line in text.splitlines():
        identity, controllers, path = line.split(":", 2)
        if identity == "0" and not controllers:
            groups[2] = PurePosixPath(path)
        elif "cpu" in controllers.split(","):
            groups[1] = PurePosixPath(path)
    return groups


def parse_mounts(text: str) -> list[Mount]:
    """Return the mounts of v2, and of v1 with the `cpu` controller, from /proc/self/mountinfo."""
    mounts = []
    for line in text.splitlines():
        mounted, _, kind = line.partition(" - ")
        root, point = (PurePosixPath(_unescape(path)) for path in mounted.split()[3:5])
        filesystem, *_, options = kind.split()
        if filesystem == "cgroup2":
            mounts.append(Mount(2, root, point))
        elif filesystem == "cgroup" and "cpu" in options.split(","):
            mounts.append(Mount(1, root, point))
    return mounts


def parse_v2_limit(text: str) -> float | None:
    """Return the cores that `cpu.max` grants, e.g. 1.5 for `150000 100000`; None for `max`."""
    quota, _, period = text.partition(" ")
    return None if quota.strip() == "max" else int(quota) / int(period or 100_000)


def parse_v1_limit(quota: str, period: str) -> float | None:
    """Return the cores that `cpu.cfs_quota_us` of `cpu.cfs_period_us` grants; None for -1."""
    return None if int(quota) < 0 else int(quota) / int(period)


def _folders(mount: Mount, group: PurePosixPath) -> Iterator[PurePosixPath]:
    """Yield the folder of the group and of each group above it that the mount shows."""
    below = group.relative_to(mount.root) if group.is_relative_to(mount.root) else group.relative_to("/")
    folder = mount.point / below
    yield folder
    yield from (above for above in folder.parents if above.is_relative_to(mount.point))


def _limit(folder: Path, version: int) -> float | None:
    try:
        if version == 2:
            return parse_v2_limit((folder / "cpu.max").read_text())
        return parse_v1_limit(*((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")))
    except (OSError, ValueError):  # the root group has no such file; a group out of sight has no folder
        return None


def _unescape(path: str) -> str:
    """Undo mountinfo's octal escapes of blanks and backslashes."""
    for character in " \t\n\\":
        path = path.replace(f"\\{ord(character):03o}", character)
    return path


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
