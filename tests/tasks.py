"""Tasks for the backends' tests. They are imported by worker processes too."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import attrs

from pulse.testing.tasks import ACTS, ScriptedTask
from pulse_core.plan import WorkUnit
from pulse_core.results import UnitResult


def process_id(unit: WorkUnit) -> UnitResult:
    """Say, in a field that is at hand, which process did the unit."""
    return UnitResult(computed=os.getpid())


@attrs.frozen
class KilledAtFirst:
    """Kills its process at a unit's first attempt; says at the next one, in a field that is at hand, that it is not."""

    def __call__(self, unit: WorkUnit) -> UnitResult:
        if unit.first and unit.index == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return UnitResult(computed=int(unit.first))


def threads_per_library(unit: WorkUnit) -> UnitResult:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return UnitResult(computed=sum(int(os.environ.get(name, "100")) for name in names))


def environment_word(unit: WorkUnit) -> UnitResult:
    return UnitResult(computed=len(os.environ["PULSE_TEST_WORD"]))


def oom_score(unit: WorkUnit) -> UnitResult:
    """Say by how much the kernel takes the process for larger than it is when memory runs out."""
    return UnitResult(computed=int(Path("/proc/self/oom_score_adj").read_text()))


def profiler_enabled(unit: WorkUnit) -> UnitResult:
    """Say whether Dask samples the stacks of this process: 1 or 0."""
    import dask

    return UnitResult(computed=int(dask.config.get("distributed.worker.profile.enabled")))


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Unpicklable:
    def __reduce__(self) -> NoReturn:
        raise TypeError("this object stays where it is")


@attrs.frozen
class UnloadableTask:
    """Pickles, but cannot be loaded."""

    def __call__(self, unit: WorkUnit) -> UnitResult:
        return UnitResult()

    def __reduce__(self) -> tuple[Any, ...]:
        return _refuse_loading, ()


def _refuse_loading() -> NoReturn:
    raise ModuleNotFoundError("No module named 'only_at_home'")


def _exit(unit: WorkUnit) -> NoReturn:
    raise SystemExit(4)


def _kill(unit: WorkUnit) -> UnitResult:
    os.kill(os.getpid(), signal.SIGKILL)
    return UnitResult()


def _devour(unit: WorkUnit) -> UnitResult:
    """Take more memory until somebody intervenes, or for a second."""
    held = []
    for _ in range(64):
        held.append(b"x" * (16 << 20))
        time.sleep(0.016)
    return UnitResult()


def _vanish(unit: WorkUnit) -> NoReturn:
    os._exit(3)


def _hang(unit: WorkUnit) -> UnitResult:
    time.sleep(600)
    return UnitResult()


def _freeze(unit: WorkUnit) -> UnitResult:
    """Stay in C for a minute, as a library may: Python's lock held, so that no thread runs, and all signals blocked."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    ctypes.PyDLL(None).sleep(60)
    return UnitResult()


def _return_unpicklable(unit: WorkUnit) -> UnitResult:
    return UnitResult(summaries=(Unpicklable(),))  # type: ignore[arg-type]


@attrs.frozen
class Scripted(ScriptedTask):
    """A scripted task that can die of many causes as well."""

    acts: ClassVar = ACTS | {
        "exit": _exit,
        "kill": _kill,
        "devour": _devour,
        "vanish": _vanish,
        "freeze": _freeze,
        "hang": _hang,
        "return unpicklable": _return_unpicklable,
    }


@attrs.frozen
class Overlong:
    """Takes far too long over one unit, in one of several ways."""

    act: str
    index: int

    def __call__(self, unit: WorkUnit) -> UnitResult:
        if unit.index == self.index:
            getattr(self, f"_{self.act}")()
        return UnitResult(computed=unit.index)

    def _short(self) -> None:
        time.sleep(0.1)

    def _sleep(self) -> None:
        time.sleep(600)

    def _spin(self) -> None:
        while True:
            pass

    def _lock(self) -> None:
        threading.Event().wait()

    def _swallow(self) -> None:
        """Take the first exception for one of its own."""
        try:
            time.sleep(600)
        except BaseException:  # noqa: BLE001  # as forecasters do
            time.sleep(600)

    def _stubborn(self) -> None:
        while True:
            with suppress(BaseException):
                time.sleep(600)

    def _library(self) -> None:
        """Be inside a call into C that heeds no signal."""
        ctypes.CDLL(None).usleep(2_000_000_000)
