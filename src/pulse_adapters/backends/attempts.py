"""An attempt at a unit: whatever the task raises becomes an outcome."""

from __future__ import annotations

import traceback
from typing import Final

from pulse_adapters.backends.host.exits import exits_fail_the_unit
from pulse_core.errors import PulseError, UnitFailed
from pulse_core.plan import WorkUnit
from pulse_core.ports import Done, Failed, Task, UnitOutcome

FRAMES_SHOWN: Final = 3


def attempt(task: Task, unit: WorkUnit) -> UnitOutcome:
    """Run a task on a unit. A PulseError stays what it is; any other error becomes UnitFailed with its last frames."""
    try:
        with exits_fail_the_unit():
            return Done(unit, task(unit))
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


def unit_context(unit: WorkUnit) -> str:
    """Name a unit by its number and its variables."""
    first, *further = unit.variables or ("nothing",)
    count = f" and {len(further)} more" if further else ""
    return f"unit {unit.index} ({first}{count})"


def _frames(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_SHOWN:]
    return " > ".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
