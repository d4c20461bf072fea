"""What killed a worker process, in words."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

VMSTAT: Final = Path("/proc/vmstat")
_COUNTED: Final = "oom_kill "


def memory_kills(vmstat: Path = VMSTAT) -> int | None:
    """Return how many processes the kernel has killed for want of memory since it started; None where it tells not.

    The count is of the whole machine and of every limit in it (Documentation/admin-guide/mm in the kernel's source).
    """
    try:
        lines = vmstat.read_text().splitlines()
    except OSError:
        return None
    counts = [int(line.removeprefix(_COUNTED)) for line in lines if line.startswith(_COUNTED)]
    return counts[0] if counts else None


def cause_of_death(code: int | None, kills_before: int | None = None, kills_now: int | None = None) -> str:
    """Put an exit code in words; the kernel's counts of kills for want of memory tell one SIGKILL from another."""
    if code is None or code >= 0:
        return f"its process ended with exit status {'unknown' if code is None else code}"
    if -code == signal.SIGKILL:
        return _killed(kills_before, kills_now)
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"its process was killed by {name}"


def _killed(kills_before: int | None, kills_now: int | None) -> str:
    if kills_before is None or kills_now is None:
        return "its process was killed by SIGKILL, most likely because memory ran out"
    if kills_now > kills_before:
        return "its process was killed because memory ran out"
    return "its process was killed by SIGKILL from outside; memory had not run out"
