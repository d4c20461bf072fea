"""Identity of a process, for other processes of its machine to see whether it still lives."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import attrs

_ENDED: Final = frozenset("ZXx")
"""States of a process in /proc that has ended, and at most waits for its parent to ask how."""


@attrs.frozen
class ProcessIdentity:
    """A process: the boot of its machine, its PID namespace (a container has its own), its PID, and when it started.

    `started` counts the clock ticks since the boot, so a PID that is given out again is another process. Where a system
    does not tell, the texts are empty, and no other process can see whether this one lives.
    """

    boot: str
    namespace: str
    pid: int
    started: int

    @classmethod
    def current(cls) -> ProcessIdentity:
        """Return the identity of this process."""
        pid = os.getpid()
        _, started = _state(pid)
        return cls(_boot(), _namespace(), pid, started)

    @property
    def is_seen_from_here(self) -> bool:
        """Whether this process can tell if that one lives: it runs on the same machine, in the same container."""
        return bool(self.boot and self.namespace) and (self.boot, self.namespace) == (_boot(), _namespace())

    @property
    def has_ended(self) -> bool:
        """Whether the process is seen to have ended; False also where that cannot be seen."""
        if not self.is_seen_from_here:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):  # it lives, as another user; or is no PID at all
            pass
        state, started = _state(self.pid)
        return state in _ENDED or started not in {0, self.started}


def boot_seconds() -> float:
    """Return the seconds since some moment of this machine, those included in which it slept."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _namespace() -> str:
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return ""


def _state(pid: int) -> tuple[str, int]:
    """Return a process's state and its start in clock ticks since the boot; "" and 0 where they cannot be read."""
    try:
        # the name of the program, in parentheses, may hold spaces and parentheses itself
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", 0
    return fields[0], int(fields[19])
