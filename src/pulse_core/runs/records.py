"""Records of a run's variables: their scores and batches, and what versions of their data hold, packed unit by unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeGuard, TypeVar

import attrs

from pulse_core.ports import Recall, ResultSink
from pulse_core.results import DataSnapshot, Record, VariableBatches, VariableScores
from pulse_core.runs.attempts import Attempts, attempt
from pulse_core.runs.keys import batches_key, scores_key, snapshot_key
from pulse_core.spec import RunSpec

Kind = TypeVar("Kind", bound=Record)


@attrs.frozen
class Records:
    """What a spec makes of the packed records in a sink. Every method may raise SinkUnavailable.

    What is kept waits for `pack`, which stores it in one object. Where it is `settled`, what the sink found when the
    run began is all that is there for these variables.
    """

    spec: RunSpec
    sink: ResultSink
    group: str
    settled: bool = False
    _absent: set[str] = attrs.field(init=False, factory=set)
    """Keys that hold nothing of use for this spec."""
    _missing: set[str] = attrs.field(init=False, factory=set)
    """Keys that hold nothing: where there is one, the group has been looked through."""
    _waiting: dict[str, Record] = attrs.field(init=False, factory=dict)
    """Records to be packed, by key."""

    def scores_of(self, keys: Mapping[str, str]) -> Attempts[VariableScores]:
        """Return the scores of the results with these keys, by variable, where they are recorded."""
        return self._recorded({name: scores_key(key) for name, key in keys.items()}, _is_scores)

    def snapshots_of(self, versions: Mapping[str, str]) -> Attempts[DataSnapshot]:
        """Return what these versions of the data hold, by variable, where that is recorded."""

        def fits(record: Record) -> TypeGuard[DataSnapshot]:
            return isinstance(record, DataSnapshot) and record.holds_on(self.spec.last_day)

        keys = {name: snapshot_key(self.spec, name, version) for name, version in versions.items()}
        return self._recorded(keys, fits)

    @contextmanager
    def recalling_batches(self, keys: Sequence[str]) -> Iterator[Callable[[str], VariableBatches | None]]:
        """Open for recalling the batches of results, by key, one after another; None where they are not recorded."""
        with self.sink.recalling(self.group, [batches_key(key) for key in keys]) as recall:
            yield lambda key: record if isinstance(record := recall(batches_key(key)), VariableBatches) else None

    def keep_result(self, key: str, scores: VariableScores, batches: VariableBatches) -> None:
        """Keep a variable's result for the next pack."""
        self._waiting[scores_key(key)] = scores
        self._waiting[batches_key(key)] = batches

    def keep_snapshot(self, version: str, snapshot: DataSnapshot) -> None:
        """Keep what a version of the data holds for the next pack."""
        self._waiting[snapshot_key(self.spec, snapshot.variable, version)] = snapshot

    def pack(self) -> None:
        """Store what was kept, if anything was, as one object; it hides what is recorded under the same keys."""
        if self._waiting:
            self.sink.pack(self.group, self._waiting)
            self._waiting.clear()

    def _recorded(self, keys: Mapping[str, str], fits: Callable[[Record], TypeGuard[Kind]]) -> Attempts[Kind]:
        """Return the records of variables that fit, under the key of each; remember which keys have none."""
        tried = {name: key for name, key in keys.items() if key not in self._absent}
        if not tried:
            return Attempts({})
        # a group is looked through once: what others pack during this unit would save nothing worth another listing
        is_settled = self.settled or bool(self._missing)
        with self.sink.recalling(self.group, [] if is_settled else list(tried.values())) as recall:
            attempts = attempt(tried, lambda name: self._fitting(recall, tried[name], fits))
        values = {name: record for name, record in attempts.values.items() if record is not None}
        self._absent.update(key for name, key in tried.items() if name not in values)
        return Attempts(values, attempts.failures)

    def _fitting(self, recall: Recall, key: str, fits: Callable[[Record], TypeGuard[Kind]]) -> Kind | None:
        record = recall(key)
        if record is None:
            self._missing.add(key)
        return record if record is not None and fits(record) else None


def _is_scores(record: Record) -> TypeGuard[VariableScores]:
    return isinstance(record, VariableScores)
