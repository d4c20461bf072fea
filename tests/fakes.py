"""Fakes of the ports. They pass the same contract suites as the adapters."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from difflib import get_close_matches

import attrs

from pulse_core.errors import PulseError, RunIdTaken, UnitFailed, VariableNotFound
from pulse_core.plan import WorkUnit
from pulse_core.ports import Done, Failed, Outcome, Task, Write
from pulse_core.results import Record, RunResult
from pulse_core.series import Observations
from pulse_core.tables import Columns


@attrs.frozen
class FakeStore:
    """Observations in a dict."""

    variables: dict[str, Observations] = attrs.field(factory=dict)

    def names(self) -> Iterator[str]:
        yield from sorted(self.variables)

    def read(self, variable: str) -> Observations:
        if variable not in self.variables:
            near = get_close_matches(variable, self.variables)
            raise VariableNotFound(f"no variable {variable!r}", "memory", f"Near: {', '.join(near)}" if near else "")
        return self.variables[variable]


@attrs.frozen
class FakeBackend:
    """Does every unit on the spot, in order."""

    def run(self, task: Task, units: Sequence[WorkUnit]) -> Generator[Outcome, None, None]:
        for unit in units:
            try:
                yield Done(unit, task(unit))
            except PulseError as error:
                yield Failed(unit, error)
            except Exception as error:  # noqa: BLE001  # a backend never raises for one unit
                yield Failed(unit, UnitFailed(f"{type(error).__name__}: {error}"))


@attrs.frozen
class FakeSink:
    """Records in a dict; the first under a key stays. Published results are kept in order, parts by run and name."""

    records: dict[str, Record] = attrs.field(factory=dict)
    runs: list[RunResult] = attrs.field(factory=list)
    parts: dict[tuple[str, str], tuple[Columns, ...]] = attrs.field(factory=dict)

    def recall(self, key: str) -> Record | None:
        return self.records.get(key)

    def record(self, key: str, result: Record) -> None:
        self.records.setdefault(key, result)

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        goes: list[Columns] = []
        yield lambda columns: goes.append(deepcopy(dict(columns)))
        self.parts.pop((run_id, name), None)
        if goes:
            self.parts[run_id, name] = tuple(goes)

    def publish(self, result: RunResult) -> Sequence[str]:
        if any(run.run_id == result.run_id and run.spec != result.spec for run in self.runs):
            raise RunIdTaken([f"run id '{result.run_id}' holds the result of another spec"])
        self.runs.append(result)
        for run_id, name in list(self.parts):
            if run_id == result.run_id and name not in result.parts:
                del self.parts[run_id, name]
        return [f"memory:{result.run_id}"]
