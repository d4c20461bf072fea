"""RetrodictionTraining, the use case behind TrainingRun: plan, dispatch, aggregate, publish."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from operator import attrgetter, itemgetter

import attrs

from pulse_core.errors import KernelUnavailable, RunFailed, SinkUnavailable, UnitFailed
from pulse_core.events import Observer, RunFinished, RunPlanned, RunWaiting, UnitFinished, ignore
from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.registry import ForecasterSet, resolve, with_custom_names
from pulse_core.kernel.bindings import library
from pulse_core.plan import Slice, WorkUnit, batch_count, batch_units, batches, take, work_units
from pulse_core.ports import ComputeBackend, DataStore, Done, Failed, ResultSink, RunClaim, UnitOutcome
from pulse_core.results import Failure, RunResult, UnitCounts, UnitResult
from pulse_core.runs.cautions import Cautions
from pulse_core.runs.keys import RecordKeys
from pulse_core.runs.tables import Tables
from pulse_core.runs.units import UnitTask, workload
from pulse_core.spec import RunSpec

Clock = Callable[[], datetime]
"""Return the present time, with its zone."""


@attrs.frozen(kw_only=True)
class RetrodictionTraining:
    """Replays history as a spec says: the use case that services embed, with the adapters of their choice."""

    store: DataStore
    """Where variables are read from."""
    backend: ComputeBackend
    """What computes; no number depends on it."""
    sink: ResultSink
    """Where finished work is recorded and the result is published."""
    forecasters: tuple[Forecaster, ...] = ()
    """Those of the caller, beside the built-in ones; the spec names them to use them."""
    unit_size: int | None = None
    """Variables a worker takes at a time; None for a default from their number."""
    slice: Slice | None = None
    """A share of the units to do, publishing nothing; None for all."""
    run_id: str | None = None
    """The run's name in the results; None for a hash of the spec."""
    hindcasts: bool = False
    """Write every hindcast as it was quoted."""
    keep_going: bool = False
    """Publish the others where some variables fail, in place of raising RunFailed."""
    fresh: bool = False
    """Recall nothing: compute all anew."""
    recorded_only: bool = False
    """Collect: a variable that no slice has recorded fails."""
    observer: Observer = ignore
    """Receives the events of the run."""
    clock: Clock | None = None
    """Stamps the result; without one it bears no times."""
    software: Mapping[str, str] = attrs.field(factory=dict)
    """Versions that the result names, by name."""

    def execute(self, spec: RunSpec) -> RunResult:
        """Train what the spec says; see TrainingRun.

        Raises InvalidSpec for a forecaster nobody knows, KernelUnavailable where the kernel cannot be loaded, here or
        by a worker.
        """
        spec = with_custom_names(spec, self.forecasters)
        forecasters = resolve(spec.forecasters, self.forecasters, simple=spec.simple)
        library()  # before any data is read
        phases = self._phases(spec, forecasters)
        run_id = self.run_id or spec.run_id
        if self.slice is not None:
            return self._run(spec, run_id, forecasters, phases, None)
        waiting = partial(self._tell_waiting, run_id)
        with self.sink.claim(run_id, spec, waiting) as claim:
            return self._run(spec, run_id, forecasters, phases, claim)

    def _tell_waiting(self, run_id: str, reason: str) -> None:
        self.observer(RunWaiting(run_id, reason))

    def _run(
        self,
        spec: RunSpec,
        run_id: str,
        forecasters: ForecasterSet,
        phases: tuple[tuple[WorkUnit, ...], ...],
        claim: RunClaim | None,
    ) -> RunResult:
        """Do the units, and publish the result where there is a claim."""
        started = self._now()
        tables = None
        if claim is not None:
            tables = Tables(run_id, len(phases[-1]), self.hindcasts, () if self.fresh else claim.parts)
        task = UnitTask(spec, self.store, self.sink, forecasters, tables, self.fresh, self.recorded_only)
        if claim is not None:
            claim.use(task.keys.group)
        with self.sink.recalling(task.keys.group, ()):
            pass  # the sink looks for packs here, once, for all workers that get a copy of it
        planned = sum(_count(units) for units in phases)
        self.observer(RunPlanned(run_id, batch_count(spec), sum(len(units) for units in phases), planned))
        results: list[UnitResult] = []
        failures: dict[str, Failure] = {}
        cautions = Cautions(run_id, forecasters, self.observer)
        finished = 0
        for phase in phases:
            units = _without(phase, failures)
            outcomes = self._dispatch(task, units, finished, planned, cautions)
            results = [result for _, result in sorted(outcomes, key=itemgetter(0))]
            finished += _count(units)
            # in the units' order, not that of their completion: of several failures the first unit's is raised
            for failure in (failure for result in results for failure in result.failures):
                failures.setdefault(failure.variable, failure)
        result = self._aggregate(spec, run_id, _count(phases[-1]), results, failures, started)
        result = attrs.evolve(result, unrepeatable=cautions.unrepeatable)
        if failures and not (self.keep_going and result.variables):
            raise RunFailed(result.failures, result)
        if claim is not None:
            result = attrs.evolve(result, published=tuple(claim.publish(result)))
            with suppress(SinkUnavailable):  # the result stands; whoever looks for its records finds them all the same
                self.sink.index(RecordKeys(spec, forecasters).group, packed=result.units.computed > 0)
        self.observer(RunFinished(run_id, result.units, result.digest))
        return result

    def _phases(self, spec: RunSpec, forecasters: ForecasterSet) -> tuple[tuple[WorkUnit, ...], ...]:
        """Return the units that may be done side by side, phase after phase; hindcasts per origin come first.

        A slice with forecasters that are called origin by origin shares these alone: the run that collects does the
        rest.
        """
        shared = shared_units(spec, forecasters, self.unit_size)
        if self.slice is not None:
            return (take(shared, self.slice),)
        if forecasters.per_origin:
            return (shared, work_units(spec, workload(forecasters), self.unit_size))
        return (shared,)

    def _dispatch(
        self, task: UnitTask, units: Sequence[WorkUnit], finished: int, planned: int, cautions: Cautions
    ) -> Iterator[tuple[int, UnitResult]]:
        """Yield each unit's index and result as they complete."""
        with closing(self.backend.run(task, units)) as outcomes:
            for outcome in _all_of(units, outcomes):
                result = _unit_result(outcome)
                finished += len(outcome.unit.variables)
                cautions.add(result)
                self.observer(UnitFinished(outcome.unit, result, finished, planned))
                yield outcome.unit.index, result

    def _aggregate(
        self,
        spec: RunSpec,
        run_id: str,
        planned: int,
        results: Sequence[UnitResult],
        failures: Mapping[str, Failure],
        started: datetime | None,
    ) -> RunResult:
        summaries = [summary for result in results for summary in result.summaries]
        return RunResult(
            run_id=run_id,
            spec=spec,
            batches=batches(spec),
            variables=tuple(sorted(summaries, key=lambda summary: summary.variable)),
            failures=tuple(failures[variable] for variable in sorted(failures)),
            units=UnitCounts(
                planned=planned,
                recalled=sum(result.recalled for result in results),
                computed=sum(result.computed for result in results),
                failed=len(failures),
            ),
            software=dict(self.software),
            predictors=dict(sorted((name, facts) for result in results for name, facts in result.predictors)),
            parts=tuple(sorted((part for result in results for part in result.parts), key=attrgetter("name"))),
            started_at=started,
            finished_at=self._now(),
        )

    def _now(self) -> datetime | None:
        return None if self.clock is None else self.clock()


def shared_units(spec: RunSpec, forecasters: ForecasterSet, unit_size: int | None = None) -> tuple[WorkUnit, ...]:
    """Return the units that slices take their shares of."""
    load = workload(forecasters)
    return batch_units(spec, load) if forecasters.per_origin else work_units(spec, load, unit_size)


def _count(units: Sequence[WorkUnit]) -> int:
    return sum(len(unit.variables) for unit in units)


def _without(units: Sequence[WorkUnit], failures: Mapping[str, Failure]) -> tuple[WorkUnit, ...]:
    """Leave out variables that have failed already."""
    remaining = (
        attrs.evolve(unit, variables=[name for name in unit.variables if name not in failures]) for unit in units
    )
    return tuple(unit for unit in remaining if unit.variables)


def _all_of(units: Sequence[WorkUnit], outcomes: Iterable[UnitOutcome]) -> Iterator[UnitOutcome]:
    """Yield the outcomes, then a failure for each unit that the backend has lost."""
    waiting = {unit.index: unit for unit in units}
    for outcome in outcomes:
        if waiting.pop(outcome.unit.index, None) is not None:
            yield outcome
    for unit in waiting.values():
        yield Failed(unit, UnitFailed("the backend gave no outcome", f"unit {unit.index}", "Run the command again"))


def _unit_result(outcome: UnitOutcome) -> UnitResult:
    """Return a unit's result; of a unit that failed, the failures of its variables. Raises KernelUnavailable."""
    if isinstance(outcome, Done):
        return outcome.result
    if isinstance(outcome.error, KernelUnavailable):
        raise outcome.error
    return UnitResult(failures=tuple(Failure.of(variable, outcome.error) for variable in outcome.unit.variables))
