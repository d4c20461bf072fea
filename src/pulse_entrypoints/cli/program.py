"""The programs `pulse` and `pulse-batch`: a whole process each, which ends in one way, with the status decided.

A signal that comes while no command handles it, before the command has begun or after it has ended, would end the
process with the signal's own status, which does not say that the same command may run again. So this module handles
signals first of all, and imports nothing before that.

Nor does the process end as Python's own do. These wait without end for threads that a forecaster has left, heed no
signal meanwhile, and let a hook or a full stdout replace the status. Here the streams are flushed and the hooks run,
for a limited time, and then the process ends.
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

_FAILED: Final = 1
_INTERRUPTED: Final = 75
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED_SECONDS: Final = 0.2
"""How long an interrupted program may take to exit."""
_HOOK_SECONDS: Final = 5.0
"""How long the hooks of libraries, which they register with atexit, may take."""
_end_now: Final = os._exit  # before anybody replaces it


class _OutsideOfCommands:
    """Handles signals where no command does: the process ends at once, with 75 or the status that was decided."""

    status: int | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        _end_now(_INTERRUPTED if self.status is None else self.status)


def pulse() -> NoReturn:
    """Run the command `pulse` and exit."""
    _run()


def pulse_batch() -> NoReturn:
    """Run `pulse batch run` under the name that images start, `pulse-batch`, and exit."""
    sys.argv[1:1] = ["batch", "run"]
    _run()


def _run() -> NoReturn:
    outside = _OutsideOfCommands()
    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # what nohup or a shell has us ignore stays ignored
            signal.signal(number, outside)
    _keep_bytecode_whole()
    from pulse_adapters.backends.host.exits import Takeover
    from pulse_adapters.backends.host.streams import protect_streams

    protect_streams()
    takeover = Takeover()
    takeover.install()
    status = _status()
    takeover.decided = outside.status = status
    _leave(status)


def _keep_bytecode_whole() -> None:
    """Write no bytecode where the size of files is limited: Python 3.11 takes a file that was cut for a whole one."""
    import resource

    if resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY:
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


def _status() -> int:
    """Run the command line; whatever it does has a documented status."""
    try:
        from pulse_entrypoints.cli.app import main

        return main()
    except SystemExit as error:  # of foreign code: no command of ours ends so
        sys.stderr.write(f"pulse: foreign code ended the command: {type(error).__name__}: {error}\n")
    except BaseException:  # noqa: BLE001  # the outermost frame
        import traceback

        traceback.print_exc()
    return _FAILED


def _leave(status: int) -> NoReturn:
    """Flush, run the hooks, and end the process: nothing that happens meanwhile changes the status.

    A reader that is slow is waited for, unless the program was interrupted; a signal ends that too.
    """
    if status == _INTERRUPTED:
        _end_within(_INTERRUPTED_SECONDS, status)
    _flush()
    _end_within(_HOOK_SECONDS, status)
    try:
        if status == _INTERRUPTED:
            # hooks cannot end well what an interruption has left half started, and Dask's say so with tracebacks
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123  # until the process ends
        import atexit

        atexit._run_exitfuncs()  # noqa: SLF001  # as Python does after it has waited for all threads
        _flush()
    finally:
        _end_now(status)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # foreign code has closed or replaced it
            continue


def _end_within(seconds: float, status: int) -> None:
    def end() -> None:
        time.sleep(seconds)
        _end_now(status)

    threading.Thread(target=end, daemon=True).start()
