"""How a unit begins: what its variables' data are, which records belong to them, and what is known without reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

import attrs
import numpy as np

from pulse_core.data.observations import KnownRows, resolve_known_at, settled_by
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.errors import DataError
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.ports import DataStore, TellsVersions, reading
from pulse_core.results import DataFacts, Failure, Sighting, VariableScores
from pulse_core.runs.keys import RecordKeys
from pulse_core.runs.records import Ledger
from pulse_core.runs.variables import each
from pulse_core.spec import RunSpec


@attrs.frozen
class Read:
    """A variable's rows that are known by the end of the period, and what is to be remembered of them."""

    rows: KnownRows
    seen: Sighting


@attrs.frozen
class Begun:
    """A variable that was begun: what is said of its data, its record's key, and its scores where they are known.

    What was read is here too: the rows, those of its predictors, and without scores what was known when.
    """

    variable: str
    facts: DataFacts
    key: str
    scores: VariableScores | None = None
    rows: KnownRows | None = None
    predictors: Sequence[KnownRows] = ()
    point: PointInTime | None = None


@attrs.frozen
class Beginning:
    """Begins variables. Nothing is read of those that were folded before, from the version of the data that is there.

    When `fresh`, everything is read.
    """

    spec: RunSpec
    store: DataStore
    roster: ForecasterSet
    ledger: Ledger
    fresh: bool = False
    _keys: RecordKeys = attrs.field(init=False)

    @_keys.default
    def _of_the_spec(self) -> RecordKeys:
        return RecordKeys(self.spec, self.roster)

    def all(self, variables: Sequence[str], failures: dict[str, Failure]) -> dict[str, Begun]:
        """Begin these variables; failures are noted."""
        known, unknown = self.known(variables, failures)
        with reading(self.store, unknown) as store:
            read = dict(each(unknown, partial(self._begin, cache(partial(self.read, store))), failures))
        scores = {} if self.fresh else self.ledger.scores_of({name: one.key for name, one in read.items()}, failures)
        sound = [name for name in read if name not in failures]
        begun = known | dict(each(sound, lambda name: self._with_scores(read[name], scores.get(name)), failures))
        return {name: begun[name] for name in variables if name in begun}

    def known(self, variables: Sequence[str], failures: dict[str, Failure]) -> tuple[dict[str, Begun], list[str]]:
        """Begin those of which nothing need be read, and name those that are to be read; failures are noted."""
        known = {} if self.fresh else self._known(variables, failures)
        return known, [name for name in variables if name not in known and name not in failures]

    def read(self, store: DataStore, variable: str) -> Read:
        """Read a variable, and record what that gave. Raises what reading raises, and SinkUnavailable."""
        observations, day = store.read(variable), self.spec.last_day
        rows = resolve_known_at(observations, self.spec.known_at, day).by(day)
        version = observations.version
        settled = bool(version) and settled_by(observations, self.spec.known_at, day)
        seen = Sighting(variable, _facts(rows), day.isoformat(), settled)
        if version:
            self.ledger.keep_sighting(version, seen, fresh=self.fresh)
        return Read(rows, seen)

    def missing(self, begun: Begun) -> tuple[KnownRows, PointInTime]:
        """Return the rows of a variable that is to be computed, and what was known when; read now if they were not.

        Raises what reading raises, and DataError where the rows are others by now.
        """
        key = begun.key
        if begun.rows is None:
            begun = self._begin(cache(partial(self.read, self.store)), begun.variable)
        if begun.rows is None or begun.key != key:
            message, hint = "its data changed while the run was under way", "Run the command again"
            raise DataError(message, f"variable '{begun.variable}'", hint)
        return begun.rows, begun.point or self._point(begun.rows, begun.predictors)

    def _known(self, variables: Sequence[str], failures: dict[str, Failure]) -> dict[str, Begun]:
        predictors = self._seen(self.spec.predictors, {})
        if len(predictors) < len(self.spec.predictors):
            return {}
        seen = self._seen(variables, failures)
        keys = {name: self._keys.of(one, predictors.values()) for name, one in seen.items()}
        scores = self.ledger.scores_of(keys, failures)
        return {name: Begun(name, seen[name].facts, keys[name], found) for name, found in scores.items()}

    def _seen(self, names: Sequence[str], failures: dict[str, Failure]) -> dict[str, Sighting]:
        """Return what reading these variables would give, where that is known."""
        if not isinstance(self.store, TellsVersions):
            return {}
        return self.ledger.sightings_of(dict(each(names, self.store.version, failures)), failures)

    def _begin(self, read: Callable[[str], Read], variable: str) -> Begun:
        """Begin a variable by reading it and its predictors."""
        own, others = read(variable), [read(name) for name in self.spec.predictors if name != variable]
        key = self._keys.of(own.seen, [other.seen for other in others])
        return Begun(variable, own.seen.facts, key, None, own.rows, [other.rows for other in others])

    def _with_scores(self, begun: Begun, scores: VariableScores | None) -> Begun:
        """Add what is known; what was known when, otherwise: whatever fails here is in no part of a table."""
        if scores is not None or begun.rows is None:
            return attrs.evolve(begun, scores=scores)
        return attrs.evolve(begun, point=self._point(begun.rows, begun.predictors))

    def _point(self, rows: KnownRows, predictors: Sequence[KnownRows]) -> PointInTime:
        return point_in_time(rows.known, self.spec, [other.known for other in predictors])


def _facts(rows: KnownRows) -> DataFacts:
    known = rows.known
    first, last = ("", "")
    if len(known):
        first, last = (_iso(stamp) for stamp in (known.timestamps.min(), known.timestamps.max()))
    return DataFacts(f"sha256:{known.fingerprint()}", len(known), known.absent, first, last, rows.rule)


def _iso(moment: np.datetime64) -> str:
    """Return a day where the moment is midnight, else the time in UTC."""
    day = moment.astype("datetime64[D]")
    return str(day) if day == moment else f"{moment}Z"
