"""An attempt at a unit: whatever the task raises becomes an outcome."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Final

from pulse_adapters.backends.time_limit import UnitOverdue, overdue, time_limit
from pulse_adapters.backends.units import unit_context
from pulse_core.errors import PulseError, UnitFailed
from pulse_core.plan import WorkUnit
from pulse_core.ports import Done, Failed, Task, UnitOutcome

FRAMES_SHOWN: Final = 3


def attempt(
    task: Task, unit: WorkUnit, timeout: float | None = None, give_up: Callable[[], object] | None = None
) -> UnitOutcome:
    """Run a task on a unit. A PulseError stays what it is; any other error becomes UnitFailed with its last frames.

    After `timeout` seconds it is failed; `give_up` is called where it does not react to that.
    """
    try:
        with time_limit(timeout, give_up):
            return Done(unit, task(unit))
    except UnitOverdue:
        return Failed(unit, overdue(unit, timeout or 0.0))
    except PulseError as error:
        return Failed(unit, error)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a unit runs foreign code, which must not end the run
        return Failed(unit, unit_failed(unit, error))


def unit_failed(unit: WorkUnit, error: BaseException) -> UnitFailed:
    """Translate a foreign exception; the frames travel as text, since pickling drops tracebacks and causes."""
    failure = UnitFailed(
        f"{type(error).__name__}: {error} [{_frames(error)}]",
        unit_context(unit),
        "This is an error of the program or of a forecaster, not of the data; report it with these lines",
    )
    failure.__cause__ = error
    return failure


def _frames(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_SHOWN:]
    return " > ".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
