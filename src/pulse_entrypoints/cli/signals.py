"""SIGINT and SIGTERM: the first ends the run in order, a second Ctrl-C at once.

In order means: where a backend is at work it begins no unit any more and has a grace for those under way; then, or
where none is at work, Interrupted is raised in whatever the program does. Should that lead nowhere, the process ends
all the same. So a run ends within the grace and LAST_SECONDS, whatever its units do.
"""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import attrs

from pulse_adapters.backends.stopping import Stop

AT_ONCE: Final = 130
INTERRUPTED: Final = 75
GRACE_SECONDS: Final = 20.0
LAST_SECONDS: Final = 4.0


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to end; its argument is the signal's name."""


@attrs.define(eq=False)
class Interruption:
    """What signals do to a command: `stop` is for its backend, which has `grace` seconds once it was asked."""

    stop: Stop = attrs.field(factory=lambda: Stop(math.inf))  # the alarm ends the grace, wherever the program is
    grace: float = GRACE_SECONDS
    _overdue: bool = attrs.field(default=False, init=False)

    def heard(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGINT or SIGTERM."""
        del frame
        if self.stop.reason is not None:
            if number == signal.SIGINT:
                os._exit(AT_ONCE)
            return  # asked to end again by a service that is no less patient than before
        name = signal.Signals(number).name
        if not self.stop.ask(name):
            self._raise(name)
        _tell(f"{name}: finishing what is under way, for at most {self.grace:.0f} s; Ctrl-C again ends at once")
        signal.setitimer(signal.ITIMER_REAL, max(self.grace, 0.001))

    def overdue(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGALRM: the grace is over, or even what comes after it."""
        del number, frame
        name = str(self.stop.reason)
        if self._overdue:
            _tell(f"interrupted by {name}, and ended by force; the same command again resumes")
            os._exit(INTERRUPTED)
        self._raise(name)

    def _raise(self, name: str) -> None:
        self._overdue = True
        signal.setitimer(signal.ITIMER_REAL, LAST_SECONDS)
        raise Interrupted(name)


_current = Interruption()


def current() -> Interruption:
    """Return what signals do to the command that runs: a process has one set of handlers."""
    return _current


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Handle signals so; afterwards all is as before."""
    global _current  # noqa: PLW0603  # as the handlers are of the process, so is this
    _current = interruption = Interruption()
    # a signal that the caller has us ignore (nohup, a shell's background job) stays ignored
    heard = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    former = {number: signal.signal(number, interruption.heard) for number in heard}
    former[signal.SIGALRM] = signal.signal(signal.SIGALRM, interruption.overdue)
    try:
        yield interruption
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in former.items():
            signal.signal(number, handler)


def name_of(interruption: KeyboardInterrupt) -> str:
    """Return the name of the signal behind an interruption."""
    return str(interruption) or signal.SIGINT.name


def _tell(text: str) -> None:
    """Tell people at once; Python's own stderr must not be written to from a handler that interrupted its writing."""
    os.write(2, f"pulse: {text}\n".encode())
