"""os._exit, taken from foreign code: a forecaster must not end the process of the run, least of all with status 0.

While a unit runs in that process, its thread gets an exception instead of an exit, and the unit fails with it. A
program that wants more, since every end of it must have a status of its own, takes the function for the whole process
(`Takeover`). In a worker process nothing is taken: its coordinator notices that it has ended, and fails the unit.

What cannot be taken: an exit from C (`_exit` of libc, a crash), an `exec`, a SIGKILL to itself. Of a forecaster that
may do such things only a worker process can protect the run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import attrs

end_now: Final = os._exit  # the real one, for those who mean it
FAILED: Final = 1

_thread: Final = threading.local()
_lock: Final = threading.Lock()
_units: int = 0


class EndedProcess(SystemExit):
    """Foreign code called os._exit; `code` is the status that it wanted."""

    def __str__(self) -> str:
        return f"os._exit({self.code}) was called, which would have ended the whole process"


@contextmanager
def exits_fail_the_unit() -> Iterator[None]:
    """Raise EndedProcess in this thread where what it does calls os._exit.

    A process that the unit forks, and that comes back, ends here: it would go on as a second coordinator.
    """
    global _units  # noqa: PLW0603  # the function is the process's, so is the number of those that need it replaced
    outer = getattr(_thread, "process", None)
    process = _thread.process = os.getpid()
    with _lock:
        _units += 1
        if os._exit is end_now:
            os._exit = _exit
    try:
        yield
    finally:
        if os.getpid() != process:
            end_now(FAILED)
        _thread.process = outer
        with _lock:
            _units -= 1
            if not _units and os._exit is _exit:
                os._exit = end_now


def _exit(status: int) -> NoReturn:
    """Take the place of os._exit while units run; other threads, and processes forked by the unit, may exit."""
    if _does_unit():
        raise EndedProcess(status)
    end_now(status)


@attrs.define(eq=False)
class Takeover:
    """os._exit of a whole process: foreign code gets an exception in the main thread and in units.

    In another thread the process ends, with FAILED. Once the status is `decided`, any exit is with that.
    """

    decided: int | None = None
    _process: int = attrs.field(factory=os.getpid)

    def install(self) -> None:
        """Take os._exit from everybody."""
        os._exit = self

    def __call__(self, status: int) -> NoReturn:
        """Take the place of os._exit."""
        if os.getpid() != self._process:  # multiprocessing and others end the processes that they fork so
            end_now(status)
        if self.decided is not None:
            end_now(self.decided)
        if _does_unit() or threading.current_thread() is threading.main_thread():
            raise EndedProcess(status)
        name = threading.current_thread().name
        os.write(2, f"pulse: the thread {name} of a forecaster or library called os._exit({status})\n".encode())
        end_now(FAILED)


def _does_unit() -> bool:
    """Whether this thread does a unit, in the process in which it began with it: a unit may fork."""
    return getattr(_thread, "process", None) == os.getpid()
