"""SIGINT, SIGTERM, SIGHUP: the first one ends the run in order, a second Ctrl-C ends it at once.

In order means: a backend that is at work starts no further unit and has a grace for those under way. After the grace,
or at once where no backend is at work, Interrupted is raised in whatever the program does. LAST_SECONDS later the
watchdog ends the process. So a run ends within the grace and LAST_SECONDS, whatever its main thread does.

Once the status of the command is decided, since its result stands, a signal does not change it any more; it
only sees to it that the process ends in time.
"""

from __future__ import annotations

import math
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Final, NoReturn

import attrs

from pulse_adapters.backends.stopping import Stop
from pulse_entrypoints.cli.watchdog import Watchdog, end_process, within

AT_ONCE: Final = 130
INTERRUPTED: Final = 75
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Those that people, services and terminals send to end a program; the last one as its terminal closes."""
GRACE_SECONDS: Final = 1.0
LAST_SECONDS: Final = 0.6
"""What a command has to end its workers and to write its ending. With the grace less than two seconds."""
_LOG_SECONDS: Final = 0.1


class Interrupted(KeyboardInterrupt):
    """A signal has ended the command; its argument is the signal's name."""


def ignore(*, message: str) -> None:
    """Take the message of an ending by force while no log is open."""
    del message


@attrs.define(eq=False)
class Interruption:
    """What signals do to a command.

    `stop` is for its backend, which has `grace` seconds from the signal on. `log` is called with the `message` of an
    ending by force, which the command itself cannot log any more.
    """

    stop: Stop = attrs.field(factory=lambda: Stop(math.inf))  # the alarm ends the grace, wherever the program is
    grace: float = GRACE_SECONDS
    log: Callable[..., object] = ignore
    status: int | None = attrs.field(default=None, init=False)

    def decide(self, status: int) -> None:
        """Take the status of the command as decided: what it was asked for is done, or failed for good."""
        self.status = int(status)

    def handle_signal(self, number: int, frame: FrameType | None) -> None:
        """Handle one of SIGNALS."""
        del frame
        if self.status is not None:
            if number == signal.SIGINT and self.stop.reason is not None:
                end_process(self.status)
            self.stop.reason = self.stop.reason or signal.Signals(number).name
            return
        if self.stop.reason is not None:
            if number == signal.SIGINT:
                end_process(AT_ONCE)
            return  # a service that sends SIGTERM twice is no less patient than before
        name = signal.Signals(number).name
        if not self.stop.ask(name):
            _interrupt(name)
        _show(f"{name}: finishing what is under way, for at most {self.grace:g} s; Ctrl-C again ends at once")
        signal.setitimer(signal.ITIMER_REAL, max(self.grace, 0.001))

    def handle_end_of_grace(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGALRM."""
        del number, frame
        if self.status is None and self.stop.reason is not None:
            _interrupt(self.stop.reason)

    def patience(self) -> float:
        """Return the seconds that a signal leaves to the process."""
        return self.grace + LAST_SECONDS

    def end_by_force(self, name: str) -> None:
        """End the process, whatever its main thread does. What is recorded is whole, and stays."""
        if self.status is not None:
            end_process(self.status)
        message = f"interrupted by {name}, and ended by force; the same command again resumes"
        within(_LOG_SECONDS, partial(self.log, message=message))
        _show(message)
        end_process(INTERRUPTED)


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
    heeded = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    watchdog = Watchdog(heeded, interruption.patience, interruption.end_by_force)
    former = {number: signal.signal(number, interruption.handle_signal) for number in heeded}
    former[signal.SIGALRM] = signal.signal(signal.SIGALRM, interruption.handle_end_of_grace)
    watchdog.start()
    try:
        yield interruption
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        watchdog.stop()
        for number, handler in former.items():
            signal.signal(number, handler)


def name_of(interruption: KeyboardInterrupt) -> str:
    """Return the name of the signal behind an interruption."""
    return str(interruption) or signal.SIGINT.name


def _interrupt(name: str) -> NoReturn:
    """Raise Interrupted, wherever the program is.

    Python prints what is raised in a finalizer, and what a program that is interrupted there or in an import leaves
    open, with a traceback: from now on nobody is told.
    """
    sys.unraisablehook = _tell_nobody
    raise Interrupted(name)


def _tell_nobody(failure: object) -> None:
    del failure


def _show(text: str) -> None:
    """Write to stderr at once, past its buffer: a handler may have interrupted a write to that.

    Whoever should read it may have gone, or have stopped reading.
    """
    with suppress(OSError):
        _, writable, _ = select.select([], [2], [], 0)
        if writable:
            os.write(2, f"pulse: {text}\n".encode())
