"""Control groups: the folders in which the kernel keeps its counts and limits for a process.

Formats: cgroups(7), proc_pid_mountinfo(5).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import attrs

ROOT: Final = Path("/")


@attrs.frozen
class Mount:
    """The mount of a tree of control groups; `version` is 1 or 2.

    `root` is the group whose folder stands at `point`: not `/` where a container sees the host's names.
    """

    version: int
    root: PurePosixPath
    point: PurePosixPath


def group_folders(controller: str, process: int | str = "self", root: Path = ROOT) -> list[tuple[int, list[Path]]]:
    """Return for each mount its version and the folders of a process's group and those above; none without Linux.

    Of version 1 the groups of a controller such as `cpu` count. `root` is the folder that holds `proc` and the mounts.
    A folder may be missing: a container does not see every group.
    """
    try:
        mounts = parse_mounts((root / "proc/self/mountinfo").read_text(), controller)
        groups = parse_groups((root / f"proc/{process}/cgroup").read_text(), controller)
    except OSError:
        return []
    return [
        (mount.version, [root / folder.relative_to("/") for folder in _group_and_above(mount, groups[mount.version])])
        for mount in mounts
        if mount.version in groups
    ]


def parse_groups(text: str, controller: str) -> dict[int, PurePosixPath]:
    """Return a process's groups by version, from its /proc/PID/cgroup: that of v2, and that of a controller of v1."""
    groups = {}
    for line in text.splitlines():
        identity, controllers, path = line.split(":", 2)
        if identity == "0" and not controllers:
            groups[2] = PurePosixPath(path)
        elif controller in controllers.split(","):
            groups[1] = PurePosixPath(path)
    return groups


def parse_mounts(text: str, controller: str) -> list[Mount]:
    """Return the mounts of v2, and of v1 with a controller, from /proc/self/mountinfo."""
    mounts = []
    for line in text.splitlines():
        mounted, _, kind = line.partition(" - ")
        filesystem, *_, options = kind.split()
        if filesystem == "cgroup2" or (filesystem == "cgroup" and controller in options.split(",")):
            root, point = (PurePosixPath(_unescape(path)) for path in mounted.split()[3:5])
            mounts.append(Mount(2 if filesystem == "cgroup2" else 1, root, point))
    return mounts


def _group_and_above(mount: Mount, group: PurePosixPath) -> Iterator[PurePosixPath]:
    """Yield the folder of the group and of each group above it that the mount shows."""
    below = group.relative_to(mount.root) if group.is_relative_to(mount.root) else group.relative_to("/")
    folder = mount.point / below
    yield folder
    yield from (above for above in folder.parents if above.is_relative_to(mount.point))


def _unescape(path: str) -> str:
    """Undo mountinfo's octal escapes of blanks and backslashes."""
    for character in " \t\n\\":
        path = path.replace(f"\\{ord(character):03o}", character)
    return path
