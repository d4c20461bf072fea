"""What is recorded of variables: finished work, what that was folded to last, and what reading their data gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeGuard, TypeVar

import attrs

from pulse_core.ports import Recall, ResultSink, recalling
from pulse_core.results import Failure, Holder, Record, Sighting, VariableResult, VariableScores
from pulse_core.runs.keys import fold_key, holder_key, scores_key, sighting_key
from pulse_core.runs.variables import each
from pulse_core.spec import RunSpec

Kept = TypeVar("Kept", bound=Record)


@attrs.frozen
class Ledger:
    """What a spec makes of the records in a sink. Everywhere SinkUnavailable."""

    spec: RunSpec
    sink: ResultSink
    fold: str = attrs.field(init=False, default=attrs.Factory(lambda self: fold_key(self.spec), takes_self=True))
    """What the spec folds with."""
    _useless: set[str] = attrs.field(init=False, factory=set)
    """The keys under which nothing was found that is of use for this spec."""
    _outdated: set[str] = attrs.field(init=False, factory=set)
    """The keys under which something is that stands in the way."""

    @contextmanager
    def results(self, keys: Sequence[str]) -> Iterator[Callable[[str], VariableResult | None]]:
        """Open for recalling variables' records one after another: a record, or None where there is none."""
        with recalling(self.sink, keys) as recall:
            yield lambda key: found if isinstance(found := recall(key), VariableResult) else None

    def scores_of(self, keys: Mapping[str, str], failures: dict[str, Failure]) -> dict[str, VariableScores | None]:
        """Return what the records with these keys were folded to, by variable, if ever; None where for another spec.

        Failures are noted.
        """
        with recalling(self.sink, [scores_key(key) for key in keys.values()]) as recall:
            found = dict(each(keys, lambda name: self._scores(recall, keys[name]), failures))
        return {
            name: scores
            for name, scores in found.items()
            if scores is not None or scores_key(keys[name]) in self._outdated
        }

    def sightings_of(self, versions: Mapping[str, str], failures: dict[str, Failure]) -> dict[str, Sighting]:
        """Return what reading these versions would give, by variable, where that is known; failures are noted."""
        keys = {name: sighting_key(self.spec, name, version) for name, version in versions.items()}
        with recalling(self.sink, list(keys.values())) as recall:
            found = dict(each(keys, lambda name: self._sighting(recall, keys[name]), failures))
        return {name: seen for name, seen in found.items() if seen is not None}

    def holder(self, part: str) -> str | None:
        """Return which run has a part, as far as is known: it may have been removed since."""
        key = holder_key(part)
        found = self.sink.recall(key)
        if found is not None:
            self._outdated.add(key)  # whoever writes the part after all has not found it there
        return found.run_id if isinstance(found, Holder) else None

    def keep_holder(self, part: str, run_id: str, *, fresh: bool = False) -> None:
        """Record which run has a part, in the place of one that was asked and has it no longer, or `fresh` of any."""
        self._put(holder_key(part), Holder(part, run_id), fresh=fresh)

    def keep(self, key: str, result: VariableResult) -> None:
        """Record a result unless one is recorded."""
        self.sink.record(key, result)

    def replace(self, key: str, result: VariableResult) -> None:
        """Record a result in the place of any other.

        What that was folded to goes first: whoever is interrupted here leaves a record without, never with another's.
        """
        self.sink.remove_record(scores_key(key))
        self.sink.remove_record(key)
        self.sink.record(key, result)

    def keep_scores(self, key: str, scores: VariableScores) -> None:
        """Record what the record with this key was folded to, in the place of what was found of another fold."""
        self._put(scores_key(key), scores)

    def keep_sighting(self, version: str, seen: Sighting, *, fresh: bool = False) -> None:
        """Record what reading a version gave, in the place of what was found of another day, or `fresh` of any."""
        self._put(sighting_key(self.spec, seen.variable, version), seen, fresh=fresh)

    def _scores(self, recall: Recall, key: str) -> VariableScores | None:
        def fits(found: Record) -> TypeGuard[VariableScores]:
            return isinstance(found, VariableScores) and found.fold == self.fold

        return self._found(recall, scores_key(key), fits)

    def _sighting(self, recall: Recall, key: str) -> Sighting | None:
        def fits(found: Record) -> TypeGuard[Sighting]:
            return isinstance(found, Sighting) and found.holds_on(self.spec.last_day)

        return self._found(recall, key, fits)

    def _found(self, recall: Recall, key: str, fits: Callable[[Record], TypeGuard[Kept]]) -> Kept | None:
        """Return what is recorded under a key if it fits; remember what is of no use."""
        if key in self._useless:
            return None
        found = recall(key)
        if found is not None and fits(found):
            return found
        self._useless.add(key)
        if found is not None:
            self._outdated.add(key)
        return None

    def _put(self, key: str, record: Record, *, fresh: bool = False) -> None:
        if fresh or key in self._outdated:
            self.sink.remove_record(key)
            self._outdated.discard(key)
        self.sink.record(key, record)
