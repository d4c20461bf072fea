"""A folder that stands for a machine: the files of the kernel that backends read."""

from __future__ import annotations

from pathlib import Path

V2_MOUNT = "35 24 0:30 {root} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1_CPU_MOUNT = "32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
V1_MEMORY_MOUNT = "36 31 0:33 {root} /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
OTHER_MOUNTS = (
    "22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
    "37 31 0:34 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices\n"
)


def machine(root: Path, mountinfo: str, cgroup: str, files: dict[str, str]) -> Path:
    """Write files, and what this process's /proc says of mounts and groups."""
    files = {"proc/self/mountinfo": OTHER_MOUNTS + mountinfo, "proc/self/cgroup": cgroup, **files}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root
