"""The watchdog: a thread that ends the process where a signal has not ended it in time.

Python runs the handler of a signal between two steps of the main thread's own code. While the main thread is inside a
library (a parser at work on ten million rows, a compiled loop), no handler runs. But Python notes each signal at once
in a file descriptor, and a thread of its own can read that and keep the time, as long as the library does not hold
Python's lock.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Collection
from contextlib import suppress

import attrs

from pulse_adapters.backends.host.exits import end_now


@attrs.define(eq=False)
class Watchdog:
    """Waits for the first signal of `numbers`; `patience()` seconds later, unless it was stopped, it calls `end`.

    `end` takes the name of the signal. Signals must be handled by Python: what is noted is the call of a handler.
    """

    numbers: Collection[int]
    patience: Callable[[], float]
    end: Callable[[str], object]
    _stopped: threading.Event = attrs.field(factory=threading.Event, init=False)
    _reading: int = attrs.field(default=-1, init=False)
    _writing: int = attrs.field(default=-1, init=False)
    _former: int = attrs.field(default=-1, init=False)

    def start(self) -> None:
        """Begin to watch. Only the main thread can start a watchdog, and there is one in a process."""
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._former = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, name="pulse-watchdog", daemon=True).start()

    def stop(self) -> None:
        """End the watch."""
        self._stopped.set()
        signal.set_wakeup_fd(self._former)
        with suppress(OSError):  # foreign code has closed it
            os.close(self._writing)  # the thread reads the end of the pipe

    def _watch(self) -> None:
        with suppress(OSError), os.fdopen(self._reading, "rb", buffering=0) as pipe:  # foreign code may close it
            while noted := pipe.read(1):
                number = noted[0]
                if number in self.numbers:
                    if not self._stopped.wait(self.patience()):
                        self.end(signal.Signals(number).name)
                    return


def end_process(status: int) -> None:
    """End the process at once, with the worker processes that it has started.

    Workers end with their parent by themselves where they can; one inside a library cannot.
    """
    multiprocessing = sys.modules.get("multiprocessing")  # where it is not loaded, there are no workers
    for worker in () if multiprocessing is None else multiprocessing.active_children():
        worker.kill()
    end_now(status)


def within(seconds: float, action: Callable[[], object]) -> None:
    """Do something that may never return, such as writing to a file, for so many seconds at most."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(seconds)
