"""Tasks for units of work that do as a script says. Worker processes import them too."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Final, NoReturn

import attrs

from pulse_core.errors import MalformedData
from pulse_core.plan import WorkUnit
from pulse_core.results import UnitResult

Act = Callable[[WorkUnit], UnitResult]


def units(count: int, seconds: float = 0.0) -> tuple[WorkUnit, ...]:
    """Return units of one variable each."""
    return tuple(WorkUnit(index, (f"v{index}",), seconds) for index in range(count))


def count_variables(unit: WorkUnit) -> UnitResult:
    """Return the number of a unit's variables, in a field that is at hand."""
    return UnitResult(computed=len(unit.variables))


class RebuildsBadly(Exception):
    """Pickles, but its constructor refuses what pickle hands it."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


def _raise_foreign(unit: WorkUnit) -> NoReturn:
    raise KeyError("a key nobody has")


def _raise_ours(unit: WorkUnit) -> NoReturn:
    raise MalformedData("row 3 has no value", "v.csv", "Fill it in")


def _raise_badly(unit: WorkUnit) -> NoReturn:
    raise RebuildsBadly("one", "two")


def _linger(unit: WorkUnit) -> UnitResult:
    time.sleep(0.3)
    return UnitResult(computed=1)


ACTS: Final[dict[str, Act]] = {
    "succeed": count_variables,
    "raise": _raise_foreign,
    "raise ours": _raise_ours,
    "raise badly": _raise_badly,
    "linger": _linger,
}


@attrs.frozen
class ScriptedTask:
    """Does what the script says for a unit's index, attempt by attempt (the last entry from then on); else succeeds.

    Every attempt leaves a file in `folder`, so that calls can be counted whatever becomes of the process.
    """

    folder: Path
    script: Mapping[int, tuple[str, ...]]
    acts: ClassVar[Mapping[str, Act]] = ACTS

    def __call__(self, unit: WorkUnit) -> UnitResult:
        """Note the attempt and do what the script says. Raises what the script says."""
        script = self.script.get(unit.index, ("succeed",))
        attempt = self.calls(unit.index)
        (self.folder / f"{unit.index}-{attempt}-{os.getpid()}").touch()
        return self.acts[script[min(attempt, len(script) - 1)]](unit)

    def calls(self, index: int) -> int:
        """Return how many times a unit was tried."""
        return len(list(self.folder.glob(f"{index}-*")))

    def process_ids(self) -> set[int]:
        """Return the processes that tried units."""
        return {int(path.name.rsplit("-", 1)[1]) for path in self.folder.iterdir()}
