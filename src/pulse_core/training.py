"""RetrodictionTraining, the use case behind TrainingRun: plan, dispatch, fold, publish."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime

import attrs

from pulse_core.errors import RunFailed
from pulse_core.events import Observer, RunFinished, RunPlanned, UnitFinished, ignore
from pulse_core.forecasters import resolve
from pulse_core.forecasters.base import Forecaster
from pulse_core.plan import Slice, WorkUnit, batches, take, work_units
from pulse_core.ports import ComputeBackend, DataStore, Done, Outcome, ResultSink
from pulse_core.replay import ReplayTask
from pulse_core.results import Failure, RunResult, UnitCounts, UnitResult
from pulse_core.spec import RunSpec

Clock = Callable[[], datetime]


@attrs.frozen(kw_only=True)
class RetrodictionTraining:
    """Replays history as a spec says.

    `forecasters` are those of the caller, beside the built-in ones. `slice` takes a share of the units and publishes
    nothing. With `keep_going` a run with failed variables publishes the others. `clock` stamps the result; without one
    it bears no times.
    """

    store: DataStore
    backend: ComputeBackend
    sink: ResultSink
    forecasters: tuple[Forecaster, ...] = ()
    unit_size: int | None = None
    slice: Slice | None = None
    run_id: str | None = None
    keep_going: bool = False
    observer: Observer = ignore
    clock: Clock | None = None
    software: Mapping[str, str] = attrs.field(factory=dict)

    def execute(self, spec: RunSpec) -> RunResult:
        """Train what the spec says; see TrainingRun. Raises InvalidSpec for a forecaster nobody knows."""
        started = self._now()
        task = ReplayTask(spec, self.store, self.sink, resolve(spec.roster, self.forecasters))
        units = take(work_units(spec, self.unit_size), self.slice)
        run_id = self.run_id or spec.run_id
        self.observer(RunPlanned(run_id, len(batches(spec)), len(units), _count(units)))
        results, failures = self._dispatch(task, units)
        result = self._fold(spec, run_id, units, results, failures, started)
        if failures and not (self.keep_going and result.variables):
            raise RunFailed(result.failures, result)
        if self.slice is None:
            result = attrs.evolve(result, published=tuple(self.sink.publish(result)))
        self.observer(RunFinished(run_id, result.units, result.digest))
        return result

    def _dispatch(self, task: ReplayTask, units: Sequence[WorkUnit]) -> tuple[list[UnitResult], list[Failure]]:
        results: list[UnitResult] = []
        failures: list[Failure] = []
        finished = 0
        with closing(self.backend.run(task, units)) as outcomes:
            for outcome in outcomes:
                result = _unit_result(outcome)
                results.append(result)
                failures.extend(result.failures)
                finished += len(outcome.unit.variables)
                self.observer(UnitFinished(outcome.unit, result, finished, _count(units)))
        return results, failures

    def _fold(
        self,
        spec: RunSpec,
        run_id: str,
        units: Sequence[WorkUnit],
        results: Sequence[UnitResult],
        failures: Sequence[Failure],
        started: datetime | None,
    ) -> RunResult:
        summaries = [summary for result in results for summary in result.summaries]
        return RunResult(
            run_id=run_id,
            spec=spec,
            batches=batches(spec),
            variables=tuple(sorted(summaries, key=lambda summary: summary.variable)),
            failures=tuple(sorted(failures, key=lambda failure: failure.variable)),
            units=UnitCounts(
                planned=_count(units),
                recalled=sum(result.recalled for result in results),
                computed=sum(result.computed for result in results),
                failed=len(failures),
            ),
            software=dict(self.software),
            started_at=started,
            finished_at=self._now(),
        )

    def _now(self) -> datetime | None:
        return None if self.clock is None else self.clock()


def _count(units: Sequence[WorkUnit]) -> int:
    return sum(len(unit.variables) for unit in units)


def _unit_result(outcome: Outcome) -> UnitResult:
    if isinstance(outcome, Done):
        return outcome.result
    return UnitResult(failures=tuple(Failure.of(variable, outcome.error) for variable in outcome.unit.variables))
