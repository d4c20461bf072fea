"""Fakes of the ports. They pass the same contract suites as the adapters."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from difflib import get_close_matches

import attrs

from pulse_core.errors import PulseError, RunIdTaken, UnitFailed, VariableNotFound
from pulse_core.plan import WorkUnit
from pulse_core.ports import Done, Failed, Outcome, Task
from pulse_core.results import RunResult, VariableResult
from pulse_core.series import Observations


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
    """Records in a dict; the first under a key stays. Published results are kept in order."""

    records: dict[str, VariableResult] = attrs.field(factory=dict)
    runs: list[RunResult] = attrs.field(factory=list)

    def recall(self, key: str) -> VariableResult | None:
        return self.records.get(key)

    def record(self, key: str, result: VariableResult) -> None:
        self.records.setdefault(key, result)

    def publish(self, result: RunResult) -> Sequence[str]:
        if any(run.run_id == result.run_id and run.spec != result.spec for run in self.runs):
            raise RunIdTaken([f"run id '{result.run_id}' holds the result of another spec"])
        self.runs.append(result)
        return [f"memory:{result.run_id}"]
