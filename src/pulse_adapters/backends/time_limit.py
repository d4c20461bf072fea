"""The time limit of a unit: what runs it gets an exception in the middle of whatever it does.

In the main thread a signal carries it, which also ends a sleep or a wait for a lock; in any other thread Python raises
it before its next step, and a call into a library has to return first. Code that catches it gets it again every second.
A worker process that does not react is ended: see the backends.
"""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import attrs

from pulse_adapters.backends.units import unit_context
from pulse_core.errors import UnitFailed
from pulse_core.plan import WorkUnit

OPTION: Final = "--unit-timeout"
HINT: Final = (
    f"Give units more time with {OPTION}, make them smaller with --unit-size, or leave out the variable or the "
    "forecaster at fault"
)
REACTION_SECONDS: Final = 2.0
"""What a unit may take to react to the exception before it counts as one that does not."""
_AGAIN_SECONDS: Final = 1.0


class UnitOverdue(BaseException):
    """Raised in a unit that has used up its time; no Exception, so that forecasters do not take it for their own."""


def overdue(unit: WorkUnit, seconds: float) -> UnitFailed:
    """Return the error of a unit that has used up its time."""
    return UnitFailed(f"took longer than {seconds:g} s, the limit of {OPTION}", unit_context(unit), HINT)


@contextmanager
def time_limit(seconds: float | None, give_up: Callable[[], object] | None = None) -> Iterator[None]:
    """Raise UnitOverdue in this thread after so many seconds; call `give_up` where it does not react."""
    if seconds is None:
        yield
        return
    timer = _Timer(seconds, give_up, threading.get_ident())
    if threading.current_thread() is threading.main_thread():
        with _by_signal(timer):
            yield
        return
    try:
        timer.start(timer.raise_in_thread)
        yield
    finally:
        timer.stop()
        timer.clear_thread()


@attrs.define(eq=False)
class _Timer:
    """Interrupts a thread after some seconds, and again until it is stopped."""

    seconds: float
    give_up: Callable[[], object] | None
    thread: int
    expired: bool = False
    _stopped: threading.Event = attrs.field(factory=threading.Event)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def start(self, interrupt: Callable[[], object]) -> None:
        threading.Thread(target=self._run, args=(interrupt,), name="pulse-time-limit", daemon=True).start()

    def stop(self) -> None:
        """Stop; afterwards nothing is interrupted any more."""
        self._stopped.set()
        with self._lock:
            pass

    def raise_in_thread(self) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.thread), ctypes.py_object(UnitOverdue))

    def clear_thread(self) -> None:
        if self.expired:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.thread), None)

    def _run(self, interrupt: Callable[[], object]) -> None:
        waited, interval = 0.0, self.seconds
        while not self._stopped.wait(interval):
            with self._lock:
                if self._stopped.is_set():
                    return
                self.expired = True
                interrupt()
            waited, interval = waited + interval, _AGAIN_SECONDS
            if self.give_up is not None and waited >= self.seconds + REACTION_SECONDS:
                self.give_up()
                return


@contextmanager
def _by_signal(timer: _Timer) -> Iterator[None]:
    """Let the timer interrupt the main thread by SIGALRM, which otherwise keeps its meaning."""
    former: Any = signal.getsignal(signal.SIGALRM)

    def handle(number: int, frame: FrameType | None) -> None:
        if timer.expired:
            raise UnitOverdue
        if callable(former):
            former(number, frame)

    signal.signal(signal.SIGALRM, handle)
    try:
        timer.start(lambda: signal.pthread_kill(timer.thread, signal.SIGALRM))
        yield
    finally:
        timer.stop()
        if timer.expired:
            _swallow_alarm()
        signal.signal(signal.SIGALRM, former)


def _swallow_alarm() -> None:
    """Drop a signal that was sent and has not arrived: to ignore it discards it (sigaction(2))."""
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
