"""Lets the kernel kill a process when the one that started it ends, whatever the process does at that moment.

A thread that waits for the other's end cannot act while a call into a library holds Python's lock. The kernel can: it
sends a signal of one's choice when the last writer of a pipe is gone (F_SETOWN and F_SETSIG of fcntl(2)).
"""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import suppress
from typing import Final

F_SETSIG: Final = 10
"""Of Linux; the module fcntl has no name for it."""


def die_with_writer(pipe: int) -> None:
    """Let this process be killed when the other end of a pipe is closed: of a pipe that nobody writes to any more."""
    with suppress(OSError, AttributeError):  # another system has no such signals
        fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(pipe, F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
