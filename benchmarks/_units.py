"""Units without work for the benchmark of backends: they do nothing, wait, or kill their worker once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import attrs

from pulse_core import UnitResult, WorkUnit

NAP_SECONDS = 0.2


def units(count: int) -> list[WorkUnit]:
    """Return units that are worth starting processes for."""
    return [WorkUnit(number, (f"v{number}",), 1.0) for number in range(count)]


def nothing(unit: WorkUnit) -> UnitResult:
    """Do nothing."""
    del unit
    return UnitResult()


def nap(unit: WorkUnit) -> UnitResult:
    """Wait a while."""
    time.sleep(NAP_SECONDS)
    return nothing(unit)


@attrs.frozen
class NapAndDieOnce:
    """Waits a while; the sixth unit's worker is killed at the end of its first attempt, which is lost whole."""

    folder: Path

    def __call__(self, unit: WorkUnit) -> UnitResult:
        result = nap(unit)
        if unit.index == 5:
            try:
                self.folder.mkdir()
            except FileExistsError:
                return result
            os.kill(os.getpid(), signal.SIGKILL)
        return result
