"""Inputs of a run's variables: rows known by the end of the period, their predictors', and the record they lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial

import attrs
import numpy as np

from pulse_core.data.known_at import KnownRows, resolve_known_at, settled_by
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.errors import DataError
from pulse_core.ports import DataStore, TellsVersions, reading
from pulse_core.results import DataFacts, DataSnapshot, VariableScores
from pulse_core.runs.attempts import Attempts, attempt
from pulse_core.runs.keys import RecordKeys
from pulse_core.runs.records import Records
from pulse_core.spec import RunSpec


@attrs.frozen
class ReadRows:
    """A variable's rows that are known by the end of the period, and what the version of its data holds."""

    rows: KnownRows
    snapshot: DataSnapshot


@attrs.frozen
class VariableInput:
    """What a variable's record depends on, and the record's key.

    `rows` are its own and `predictors` those of its predictors; None and empty where nothing was read, because what
    this version of the data holds was recorded. `point` is what was known when, where it has been worked out. `scores`
    are those of the result, where they are recorded. `predictor_facts` are the predictors' names and facts.
    """

    variable: str
    facts: DataFacts
    key: str
    rows: KnownRows | None = None
    predictors: tuple[KnownRows, ...] = ()
    point: PointInTime | None = None
    scores: VariableScores | None = None
    predictor_facts: tuple[tuple[str, DataFacts], ...] = ()

    def without_rows(self) -> VariableInput:
        """Return what is needed once the record stands; its rows may be many."""
        return attrs.evolve(self, rows=None, predictors=(), point=None)

    def resolved(self) -> tuple[KnownRows, PointInTime]:
        """Return the rows, and what was known when. Raises ValueError where they were not read."""
        if self.rows is None or self.point is None:
            raise ValueError(f"the rows of '{self.variable}' were not read")
        return self.rows, self.point


@attrs.frozen
class InputReader:
    """Reads the inputs of variables. What has a result from the same version of the data is not read.

    When `fresh`, everything is read.
    """

    spec: RunSpec
    store: DataStore
    keys: RecordKeys
    records: Records
    fresh: bool = False

    def inputs(self, variables: Sequence[str]) -> Attempts[VariableInput]:
        """Return the inputs of these variables, in order. Those that were read and have no scores have their point."""
        recognised = self.recognised(variables)
        unread = recognised.untried(variables)
        with reading(self.store, unread) as store:
            inputs = attempt(unread, partial(self._input, cache(partial(self.read, store))))
        keys = {} if self.fresh else {name: value.key for name, value in inputs.values.items()}
        scores = self.records.scores_of(keys)
        completed = attempt(
            [name for name in inputs.values if name not in scores.failures],
            lambda name: self._completed(inputs.values[name], scores.values.get(name)),
        )
        values = {**recognised.values, **completed.values}
        failures = {**recognised.failures, **inputs.failures, **scores.failures, **completed.failures}
        return Attempts({name: values[name] for name in variables if name in values}, failures)

    def recognised(self, variables: Sequence[str]) -> Attempts[VariableInput]:
        """Return the inputs of those variables of which nothing need be read."""
        predictors = Attempts[DataSnapshot]({}) if self.fresh else self._snapshots(self.spec.predictors)
        if self.fresh or len(predictors.values) < len(self.spec.predictors):
            return Attempts({})
        snapshots = self._snapshots(variables)
        keys = {name: self.keys.of(snapshot, predictors.values.values()) for name, snapshot in snapshots.values.items()}
        scores = self.records.scores_of(keys)
        inputs = {
            name: VariableInput(
                name,
                snapshots.values[name].facts,
                keys[name],
                scores=value,
                predictor_facts=_facts_of(predictors.values.values(), name),
            )
            for name, value in scores.values.items()
        }
        return Attempts(inputs, {**snapshots.failures, **scores.failures})

    def read(self, store: DataStore, variable: str) -> ReadRows:
        """Read a variable, and keep what its version holds for the records. Raises what reading raises."""
        observations, day = store.read(variable), self.spec.last_day
        rows = resolve_known_at(observations, self.spec.known_at, day).by(day)
        version = observations.version
        settled = bool(version) and settled_by(observations, self.spec.known_at, day)
        snapshot = DataSnapshot(variable, data_facts(rows), day.isoformat(), settled)
        if version:
            self.records.keep_snapshot(version, snapshot)
        return ReadRows(rows, snapshot)

    def with_point(self, value: VariableInput) -> VariableInput:
        """Return an input with what was known when; read now if it was not.

        Raises what reading raises, and DataError where the rows are others by now.
        """
        if value.point is not None:
            return value
        if value.rows is None:
            key = value.key
            value = self._input(cache(partial(self.read, self.store)), value.variable)
            if value.key != key:
                message, hint = "its data changed while the run was under way", "Run the command again"
                raise DataError(message, f"variable '{value.variable}'", hint)
        return attrs.evolve(value, point=self._point(value))

    def _snapshots(self, names: Sequence[str]) -> Attempts[DataSnapshot]:
        """Return what the present versions of these variables' data hold, where that is recorded."""
        if not isinstance(self.store, TellsVersions):
            return Attempts({})
        versions = attempt(names, self.store.version)
        snapshots = self.records.snapshots_of(versions.values)
        return Attempts(snapshots.values, {**versions.failures, **snapshots.failures})

    def _input(self, read: Callable[[str], ReadRows], variable: str) -> VariableInput:
        """Read a variable and its predictors."""
        target, others = read(variable), [read(name) for name in self.spec.predictors if name != variable]
        key = self.keys.of(target.snapshot, [other.snapshot for other in others])
        predictors = tuple(other.rows for other in others)
        facts = _facts_of([other.snapshot for other in others], variable)
        return VariableInput(variable, target.snapshot.facts, key, target.rows, predictors, predictor_facts=facts)

    def _completed(self, value: VariableInput, scores: VariableScores | None) -> VariableInput:
        """Add recorded scores; without them, what was known when: what fails here is in no part of a table."""
        if scores is not None:
            return attrs.evolve(value, scores=scores)
        return attrs.evolve(value, point=self._point(value))

    def _point(self, value: VariableInput) -> PointInTime:
        if value.rows is None:
            raise ValueError(f"the rows of '{value.variable}' were not read")
        return point_in_time(value.rows.known, self.spec, [rows.known for rows in value.predictors])


def _facts_of(predictors: Iterable[DataSnapshot], variable: str) -> tuple[tuple[str, DataFacts], ...]:
    """Return the names and facts of a variable's predictors, of which it is none itself."""
    return tuple((predictor.variable, predictor.facts) for predictor in predictors if predictor.variable != variable)


def data_facts(rows: KnownRows) -> DataFacts:
    """Return what is said of a variable's data in results."""
    known = rows.known
    first, last = ("", "")
    if len(known):
        first, last = (_iso(stamp) for stamp in (known.timestamps.min(), known.timestamps.max()))
    fingerprint = f"sha256:{known.fingerprint()}"
    return DataFacts(fingerprint, len(known), known.absent, first, last, rows.rule, known.caution)


def _iso(moment: np.datetime64) -> str:
    """Return a day where the moment is midnight, else the time in UTC."""
    day = moment.astype("datetime64[D]")
    return str(day) if day == moment else f"{moment}Z"
