"""One work unit, start to end: read, recall or compute, record, summarise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import attrs
import numpy as np

from pulse_core.errors import ForecasterFailed, PulseError
from pulse_core.evaluation import evaluate
from pulse_core.forecasters.base import Forecaster
from pulse_core.identity import record_key
from pulse_core.plan import WorkUnit
from pulse_core.point_in_time import PointInTime, point_in_time
from pulse_core.ports import DataStore, ResultSink
from pulse_core.results import DataFacts, Failure, UnitResult, VariableResult
from pulse_core.series import Observations, end_of, resolve_known_at
from pulse_core.spec import RunSpec
from pulse_core.summary import summarise

Made = TypeVar("Made")


@attrs.frozen
class _Begun:
    """A variable that was read: its key, its facts, and its record or what one is computed from."""

    key: str
    facts: DataFacts
    source: VariableResult | PointInTime


@attrs.frozen
class ReplayTask:
    """What a worker does with a unit. A variable that fails is reported and harms no other."""

    spec: RunSpec
    store: DataStore
    sink: ResultSink
    forecasters: tuple[Forecaster, ...]

    def __call__(self, unit: WorkUnit) -> UnitResult:
        """Return the unit's summaries, one a variable that succeeded, and its failures."""
        failures: dict[str, Failure] = {}
        begun = dict(_each(unit.variables, self._begin, failures))
        results = {name: one.source for name, one in begun.items() if isinstance(one.source, VariableResult)}
        recalled = set(results)
        points = {name: one.source for name, one in begun.items() if isinstance(one.source, PointInTime)}
        for name, result in self._compute(points, failures):
            self.sink.record(begun[name].key, result)
            results[name] = result
        finished = _each(results, lambda name: summarise(results[name], begun[name].facts, self.spec), failures)
        summaries = dict(finished)
        return UnitResult(
            summaries=tuple(summaries.values()),
            failures=tuple(failures[variable] for variable in unit.variables if variable in failures),
            recalled=len(recalled & summaries.keys()),
            computed=len(summaries.keys() - recalled),
        )

    def _begin(self, variable: str) -> _Begun:
        observations, rule = resolve_known_at(self.store.read(variable), self.spec.known_at, self.spec.last_day)
        known = observations.known_by(end_of(self.spec.last_day))
        key = record_key(self.spec, self.forecasters, known, rule)
        return _Begun(key, _facts(known, rule), self.sink.recall(key) or point_in_time(known, self.spec))

    def _compute(
        self, points: Mapping[str, PointInTime], failures: dict[str, Failure]
    ) -> Iterator[tuple[str, VariableResult]]:
        """Compute together; where a forecaster fails, each alone, so that the failure stays with its variable."""
        if not points:
            return
        try:
            yield from zip(points, self._evaluate(*points.values()), strict=True)
        except ForecasterFailed as error:
            if len(points) == 1:
                failures.update((name, Failure.of(name, error)) for name in points)
                return
            for name, (result,) in _each(points, lambda name: self._evaluate(points[name]), failures):
                yield name, result

    def _evaluate(self, *points: PointInTime) -> list[VariableResult]:
        return evaluate(points, self.spec, self.forecasters)


def _each(
    variables: Iterable[str], action: Callable[[str], Made], failures: dict[str, Failure]
) -> Iterator[tuple[str, Made]]:
    """Yield what the action makes of each variable; note the failure of those it fails for."""
    for variable in variables:
        try:
            yield variable, action(variable)
        except PulseError as error:
            failures[variable] = Failure.of(variable, error)


def _facts(known: Observations, rule: str) -> DataFacts:
    first, last = ("", "")
    if len(known):
        first, last = (_iso(stamp) for stamp in (known.timestamps.min(), known.timestamps.max()))
    return DataFacts(f"sha256:{known.fingerprint()}", len(known), known.absent, first, last, rule)


def _iso(moment: np.datetime64) -> str:
    """Return a day where the moment is midnight, else the time in UTC."""
    day = moment.astype("datetime64[D]")
    return str(day) if day == moment else f"{moment}Z"
