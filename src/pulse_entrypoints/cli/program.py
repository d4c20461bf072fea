"""The programs `pulse` and `pulse-batch`: a whole process each, which no SIGTERM ends without a status of ours.

A signal that comes while no command handles it, before the command has begun or after it has ended, would end the
process with the signal's own status, which does not say that the same command may run again. So this module handles
SIGTERM first of all, and imports nothing before that.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from types import FrameType

_INTERRUPTED: Final = 75
_EXIT_SECONDS: Final = 0.2
"""How long an interrupted program may take to exit: libraries wait for their threads then, without end."""


class _OutsideOfCommands:
    """Handles SIGTERM where no command does: the process ends with 75, or as it would once the status is known."""

    finished = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if not self.finished:
            os._exit(_INTERRUPTED)


def pulse() -> NoReturn:
    """Run the command `pulse` and exit."""
    _run()


def pulse_batch() -> NoReturn:
    """Run `pulse batch run` under the name that images start, `pulse-batch`, and exit."""
    sys.argv[1:1] = ["batch", "run"]
    _run()


def _run() -> NoReturn:
    outside = _OutsideOfCommands()
    if signal.getsignal(signal.SIGTERM) != signal.SIG_IGN:
        signal.signal(signal.SIGTERM, outside)
    from pulse_entrypoints.cli.app import main

    status = main()
    outside.finished = True
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # Python takes its own handlers away before its last 50 ms
    if status == _INTERRUPTED:
        threading.Thread(target=_exit_soon, daemon=True).start()
    sys.exit(status)


def _exit_soon() -> None:
    time.sleep(_EXIT_SECONDS)
    os._exit(_INTERRUPTED)
