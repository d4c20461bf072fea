"""Records of a run's variables: results, what they were aggregated to last, and what versions of their data hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeGuard, TypeVar

import attrs

from pulse_core.ports import Recall, ResultSink, recalling
from pulse_core.results import DataSnapshot, PartOwner, Record, VariableRecord, VariableScores
from pulse_core.runs.attempts import Attempts, attempt
from pulse_core.runs.keys import aggregation_key, owner_key, scores_key, snapshot_key
from pulse_core.spec import RunSpec

Kind = TypeVar("Kind", bound=Record)


@attrs.frozen
class Records:
    """What a spec makes of the records in a sink. Every method may raise SinkUnavailable."""

    spec: RunSpec
    sink: ResultSink
    aggregation: str = attrs.field(
        init=False, default=attrs.Factory(lambda self: aggregation_key(self.spec), takes_self=True)
    )
    """What the spec aggregates with."""
    _absent: set[str] = attrs.field(init=False, factory=set)
    """Keys that hold nothing of use for this spec."""
    _outdated: set[str] = attrs.field(init=False, factory=set)
    """Keys that hold a record that is to be replaced."""

    @contextmanager
    def recalling_results(self, keys: Sequence[str]) -> Iterator[Callable[[str], VariableRecord | None]]:
        """Open for recalling variables' records one after another: a record, or None where there is none."""
        with recalling(self.sink, keys) as recall:
            yield lambda key: record if isinstance(record := recall(key), VariableRecord) else None

    def scores_of(self, keys: Mapping[str, str]) -> Attempts[VariableScores | None]:
        """Return what the records with these keys were aggregated to, by variable.

        None where that was with another spec; a variable that was never aggregated is left out.
        """
        with recalling(self.sink, [scores_key(key) for key in keys.values()]) as recall:
            scores = attempt(keys, lambda name: self._scores(recall, keys[name]))
        recorded = {
            name: value
            for name, value in scores.values.items()
            if value is not None or scores_key(keys[name]) in self._outdated
        }
        return Attempts(recorded, scores.failures)

    def snapshots_of(self, versions: Mapping[str, str]) -> Attempts[DataSnapshot]:
        """Return what these versions of the data hold, by variable, where that is recorded."""
        keys = {name: snapshot_key(self.spec, name, version) for name, version in versions.items()}
        with recalling(self.sink, list(keys.values())) as recall:
            snapshots = attempt(keys, lambda name: self._snapshot(recall, keys[name]))
        recorded = {name: snapshot for name, snapshot in snapshots.values.items() if snapshot is not None}
        return Attempts(recorded, snapshots.failures)

    def owner(self, part: str) -> str | None:
        """Return which run first wrote a part; it may have been removed since."""
        key = owner_key(part)
        record = self.sink.recall(key)
        if record is not None:
            self._outdated.add(key)  # whoever writes the part after all did not find it there
        return record.run_id if isinstance(record, PartOwner) else None

    def keep_owner(self, part: str, run_id: str, *, fresh: bool = False) -> None:
        """Record which run has a part, in place of one that has it no longer, or `fresh` of any."""
        self._put(owner_key(part), PartOwner(part, run_id), fresh=fresh)

    def keep(self, key: str, record: VariableRecord) -> None:
        """Record a result unless one is recorded."""
        self.sink.record(key, record)

    def replace(self, key: str, record: VariableRecord) -> None:
        """Record a result in place of any other.

        What that was aggregated to goes first: an interruption here leaves a record without, never with another's.
        """
        self.sink.remove_record(scores_key(key))
        self.sink.remove_record(key)
        self.sink.record(key, record)

    def keep_scores(self, key: str, scores: VariableScores) -> None:
        """Record what the record with this key was aggregated to, in place of another aggregation's."""
        self._put(scores_key(key), scores)

    def keep_snapshot(self, version: str, snapshot: DataSnapshot, *, fresh: bool = False) -> None:
        """Record what a version of the data holds, in place of another day's snapshot, or `fresh` of any."""
        self._put(snapshot_key(self.spec, snapshot.variable, version), snapshot, fresh=fresh)

    def _scores(self, recall: Recall, key: str) -> VariableScores | None:
        def fits(record: Record) -> TypeGuard[VariableScores]:
            return isinstance(record, VariableScores) and record.aggregation == self.aggregation

        return self._recalled(recall, scores_key(key), fits)

    def _snapshot(self, recall: Recall, key: str) -> DataSnapshot | None:
        def fits(record: Record) -> TypeGuard[DataSnapshot]:
            return isinstance(record, DataSnapshot) and record.holds_on(self.spec.last_day)

        return self._recalled(recall, key, fits)

    def _recalled(self, recall: Recall, key: str, fits: Callable[[Record], TypeGuard[Kind]]) -> Kind | None:
        """Return what is recorded under a key if it fits; remember a key that holds nothing of use."""
        if key in self._absent:
            return None
        record = recall(key)
        if record is not None and fits(record):
            return record
        self._absent.add(key)
        if record is not None:
            self._outdated.add(key)
        return None

    def _put(self, key: str, record: Record, *, fresh: bool = False) -> None:
        if fresh or key in self._outdated:
            self.sink.remove_record(key)
            self._outdated.discard(key)
        self.sink.record(key, record)
