"""A variable's finished work as it is recorded: the record itself, and beside it what it was folded to last."""

from __future__ import annotations

import attrs

from pulse_core.identity import fold_key, scores_key
from pulse_core.ports import ResultSink
from pulse_core.results import VariableResult, VariableScores
from pulse_core.spec import RunSpec


@attrs.frozen
class Ledger:
    """What a spec makes of the records in a sink. Everywhere SinkUnavailable."""

    spec: RunSpec
    sink: ResultSink
    fold: str = attrs.field(init=False, default=attrs.Factory(lambda self: fold_key(self.spec), takes_self=True))
    """What the spec folds with."""
    _outdated: set[str] = attrs.field(init=False, factory=set)
    """The keys of records that were found to be folded with something else."""

    def result(self, key: str) -> VariableResult | None:
        """Return a variable's record, or None."""
        record = self.sink.recall(key)
        return record if isinstance(record, VariableResult) else None

    def scores(self, key: str) -> VariableScores | None:
        """Return what the record with this key was folded to, or None where that was for another spec, or never."""
        found = self.sink.recall(scores_key(key))
        if isinstance(found, VariableScores) and found.fold == self.fold:
            return found
        if found is not None:
            self._outdated.add(key)
        return None

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
        if key in self._outdated:
            self.sink.remove_record(scores_key(key))
            self._outdated.discard(key)
        self.sink.record(scores_key(key), scores)
