"""SIGINT and SIGTERM, heard alike: the first ends the run in order, the second at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

AT_ONCE: Final = 130


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to end; its argument is the signal's name."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise Interrupted on the first signal and exit with 130 on the second; afterwards all is as before."""
    heard_before = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        del frame
        nonlocal heard_before
        if heard_before:
            os._exit(AT_ONCE)
        heard_before = True
        raise Interrupted(signal.Signals(number).name)

    # a signal that the caller has us ignore (nohup, a shell's background job) stays ignored
    heard = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    former = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def name_of(interruption: KeyboardInterrupt) -> str:
    """Return the name of the signal behind an interruption."""
    return str(interruption) or signal.SIGINT.name
