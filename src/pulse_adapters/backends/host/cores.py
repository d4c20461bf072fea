"""The number of cores that this process may use, by its affinity and the quota of its control groups.

`os.cpu_count()` counts those of the machine: a container with a quota of two may see ninety-six. Formats: the
kernel's documents on cgroup v2 (`cpu.max`) and CFS bandwidth control (v1).
"""

from __future__ import annotations

import math
import os
from pathlib import Path

from pulse_adapters.backends.host.control_groups import ROOT, group_folders


def usable_cores(root: Path = ROOT) -> int:
    """Return how many cores this process may use: its affinity or its quota rounded up, at least 1."""
    quota = cpu_quota(root)
    cores = _affinity()
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def cpu_quota(root: Path = ROOT) -> float | None:
    """Return the least quota, in cores, of this process's control groups and those above them, if any.

    `root` is the folder that holds `proc` and the mounts.
    """
    limits = (_limit(folder, version) for version, folders in group_folders("cpu", root=root) for folder in folders)
    return min((limit for limit in limits if limit is not None), default=None)


def parse_v2_limit(text: str) -> float | None:
    """Return the cores that `cpu.max` grants, e.g. 1.5 for `150000 100000`; None for `max`."""
    quota, _, period = text.partition(" ")
    return None if quota.strip() == "max" else int(quota) / int(period or 100_000)


def parse_v1_limit(quota: str, period: str) -> float | None:
    """Return the cores that `cpu.cfs_quota_us` of `cpu.cfs_period_us` grants; None for -1."""
    return None if int(quota) < 0 else int(quota) / int(period)


def _limit(folder: Path, version: int) -> float | None:
    try:
        if version == 2:
            return parse_v2_limit((folder / "cpu.max").read_text())
        return parse_v1_limit(*((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")))
    except (OSError, ValueError):  # the root group has no file; a group out of a container's sight no folder
        return None


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
