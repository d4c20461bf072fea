"""One work unit, start to end: read, recall or compute, record, summarise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
from pulse_core.results import DataFacts, Failure, UnitResult, VariableResult, VariableSummary
from pulse_core.series import Observations, end_of, resolve_known_at
from pulse_core.spec import RunSpec
from pulse_core.summary import summarise

Made = TypeVar("Made")


@attrs.frozen
class _Replay:
    """A variable on its way through a unit: its key and facts, and either what is recorded or what is to be computed."""

    key: str
    facts: DataFacts
    result: VariableResult | None = None
    point: PointInTime | None = None


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
        recalled = {variable for variable, replay in begun.items() if replay.result is not None}
        begun.update(self._compute({name: replay for name, replay in begun.items() if name not in recalled}, failures))
        finished = {name: replay for name, replay in begun.items() if replay.result is not None}
        summaries = dict(_each(finished, lambda name: self._finish(finished[name]), failures))
        return UnitResult(
            summaries=tuple(summaries.values()),
            failures=tuple(failures[variable] for variable in unit.variables if variable in failures),
            recalled=len(recalled & summaries.keys()),
            computed=len(summaries.keys() - recalled),
        )

    def _begin(self, variable: str) -> _Replay:
        observations, rule = resolve_known_at(self.store.read(variable), self.spec.known_at, self.spec.last_day)
        known = observations.known_by(end_of(self.spec.last_day))
        key = record_key(self.spec, self.forecasters, known, rule)
        result = self.sink.recall(key)
        point = None if result else point_in_time(known, self.spec)
        return _Replay(key, _facts(known, rule), result, point)

    def _compute(self, missing: dict[str, _Replay], failures: dict[str, Failure]) -> dict[str, _Replay]:
        """Compute together; where a forecaster fails, each alone, so that the failure stays with its variable."""
        try:
            return self._evaluate(missing)
        except ForecasterFailed as error:
            if len(missing) == 1:
                failures.update((name, Failure.of(name, error)) for name in missing)
                return {}
        alone = _each(missing, lambda name: self._evaluate({name: missing[name]}), failures)
        return {name: replay for _, replays in alone for name, replay in replays.items()}

    def _evaluate(self, missing: dict[str, _Replay]) -> dict[str, _Replay]:
        points = [replay.point for replay in missing.values() if replay.point is not None]
        results = evaluate(points, self.spec, self.forecasters) if points else []
        done = {
            name: attrs.evolve(replay, result=result, point=None)
            for (name, replay), result in zip(missing.items(), results, strict=True)
        }
        for replay, result in zip(missing.values(), results, strict=True):
            self.sink.record(replay.key, result)
        return done

    def _finish(self, replay: _Replay) -> VariableSummary:
        assert replay.result is not None
        return summarise(replay.result, replay.facts, self.spec)


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
