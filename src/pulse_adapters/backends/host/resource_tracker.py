"""The process in which multiprocessing keeps account of semaphores and shared memory."""

from __future__ import annotations

import signal
from multiprocessing import resource_tracker


def start_resource_tracker() -> None:
    """Start it unless it runs, so that it outlives a terminal that closes, as it outlives SIGINT and SIGTERM.

    It ends with the process that uses it. Were it to end before, what is left to be told to it would be told to a
    second one, which knows nothing of it and says so with tracebacks.
    """
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # what is blocked stays so in what is started
    try:
        resource_tracker.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
