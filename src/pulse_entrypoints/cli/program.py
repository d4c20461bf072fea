"""The programs `pulse` and `pulse-batch`: each the whole of a process, which no SIGTERM ends without a status of ours.

A signal that comes while no command listens, before it has begun or when it has ended, would end the process with the
signal's own status, which says nothing of what may be run again. So this module hears it first of all, and imports
nothing before that.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from types import FrameType

_INTERRUPTED: Final = 75


class _Outside:
    """Handles SIGTERM where no command does: the process ends with 75, or as it would once the status is known."""

    finished = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if not self.finished:
            os._exit(_INTERRUPTED)


def pulse() -> NoReturn:
    """Be the command `pulse`."""
    _be()


def pulse_batch() -> NoReturn:
    """Be the command `pulse-batch`: `pulse batch run` under the name that images start."""
    sys.argv[1:1] = ["batch", "run"]
    _be()


def _be() -> NoReturn:
    outside = _Outside()
    if signal.getsignal(signal.SIGTERM) != signal.SIG_IGN:
        signal.signal(signal.SIGTERM, outside)
    from pulse_entrypoints.cli.app import main

    status = main()
    outside.finished = True
    sys.exit(status)
