"""One try at one unit: whatever it raises becomes an outcome."""

from __future__ import annotations

import traceback
from typing import Final

from pulse_core.errors import PulseError, UnitFailed
from pulse_core.plan import WorkUnit
from pulse_core.ports import Done, Failed, Task, UnitOutcome

FRAMES_SHOWN: Final = 3


def attempt(task: Task, unit: WorkUnit) -> UnitOutcome:
    """Do a unit. An error of ours stays what it is; any other becomes UnitFailed with its last frames."""
    try:
        return Done(unit, task(unit))
    except PulseError as error:
        return Failed(unit, error)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a unit holds foreign code, and never ends the run
        return Failed(unit, unit_failed(unit, error))


def unit_failed(unit: WorkUnit, error: BaseException) -> UnitFailed:
    """Translate a foreign exception; the frames travel in words, for pickling drops tracebacks and causes."""
    failure = UnitFailed(
        f"{type(error).__name__}: {error} [{_frames(error)}]",
        unit_context(unit),
        "This is an error of the program or of a forecaster, not of the data; report it with these lines",
    )
    failure.__cause__ = error
    return failure


def unit_context(unit: WorkUnit) -> str:
    """Name a unit by what is in it."""
    first, *others = unit.variables or ("nothing",)
    more = f" and {len(others)} more" if others else ""
    return f"unit {unit.index} ({first}{more})"


def _frames(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_SHOWN:]
    return " > ".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
