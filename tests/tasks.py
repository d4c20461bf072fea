"""Tasks for the backends' tests. They are imported by worker processes too."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import attrs

from pulse_core.errors import MalformedData
from pulse_core.plan import WorkUnit
from pulse_core.results import UnitResult


def units(count: int, seconds: float = 0.0) -> tuple[WorkUnit, ...]:
    return tuple(WorkUnit(index, (f"v{index}",), seconds) for index in range(count))


def count_variables(unit: WorkUnit) -> UnitResult:
    return UnitResult(computed=len(unit.variables))


def process_id(unit: WorkUnit) -> UnitResult:
    """Say, in a field that is at hand, which process did the unit."""
    return UnitResult(computed=os.getpid())


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


class RebuildsBadly(Exception):
    """Pickles, but its constructor refuses what pickle hands it."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


@attrs.frozen
class UnloadableTask:
    """Pickles, but cannot be loaded."""

    def __call__(self, unit: WorkUnit) -> UnitResult:
        return UnitResult()

    def __reduce__(self) -> tuple[Any, ...]:
        return _refuse_loading, ()


def _refuse_loading() -> NoReturn:
    raise ModuleNotFoundError("No module named 'only_at_home'")


@attrs.frozen
class Scripted:
    """Does what the script says for a unit's index, attempt by attempt (the last entry from then on); else succeeds.

    Every attempt leaves a file in `folder`, so that calls can be counted whatever becomes of the process.
    """

    folder: Path
    script: Mapping[int, tuple[str, ...]]

    def __call__(self, unit: WorkUnit) -> UnitResult:
        acts = self.script.get(unit.index, ("succeed",))
        attempt = self.calls(unit.index)
        (self.folder / f"{unit.index}-{attempt}-{os.getpid()}").touch()
        return _ACTS[acts[min(attempt, len(acts) - 1)]](unit)

    def calls(self, index: int) -> int:
        return len(list(self.folder.glob(f"{index}-*")))

    def process_ids(self) -> set[int]:
        return {int(path.name.rsplit("-", 1)[1]) for path in self.folder.iterdir()}


def _raise_foreign(unit: WorkUnit) -> NoReturn:
    raise KeyError("a key nobody has")


def _raise_ours(unit: WorkUnit) -> NoReturn:
    raise MalformedData("row 3 has no value", "v.csv", "Fill it in")


def _raise_badly(unit: WorkUnit) -> NoReturn:
    raise RebuildsBadly("one", "two")


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


def _linger(unit: WorkUnit) -> UnitResult:
    time.sleep(0.3)
    return UnitResult(computed=1)


def _return_unpicklable(unit: WorkUnit) -> UnitResult:
    return UnitResult(summaries=(Unpicklable(),))  # type: ignore[arg-type]


_ACTS = {
    "succeed": count_variables,
    "raise": _raise_foreign,
    "raise ours": _raise_ours,
    "raise badly": _raise_badly,
    "exit": _exit,
    "kill": _kill,
    "devour": _devour,
    "vanish": _vanish,
    "freeze": _freeze,
    "hang": _hang,
    "linger": _linger,
    "return unpicklable": _return_unpicklable,
}
