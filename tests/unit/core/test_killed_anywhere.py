"""A run that ends between any two operations on its sink, whatever was there before, and the run that goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import attrs
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pulse_adapters.sinks.memory import MemoryPart
from pulse_core import RunResult, RunSpec
from pulse_core.results import Record
from tests.fakes import FakeClaim, FakeSink, VersionedStore
from tests.unit.core.models import LastThree, custom
from tests.unit.core.runs import known, parts_of, records_of, spec_of, training

ROWS = [(n, float(n * n % 11), n) for n in range(20)]
GROWN = [*ROWS, (20, 3.0, 20)]
SPEC = spec_of("x", "y", days=20, forecasters=("naive", "drift", "ensemble"))
PER_ORIGIN = attrs.evolve(SPEC, forecasters=("naive", "tests:Own"))


class Killed(BaseException):
    """The process is gone."""


@attrs.frozen
class Mortal(FakeSink):
    """Does so many operations that change something, and then no more."""

    operations_left: list[int] = attrs.field(factory=lambda: [10**9])

    def _operate(self) -> None:
        if self.operations_left[0] <= 0:
            raise Killed
        self.operations_left[0] -= 1

    def record(self, key: str, result: Record) -> None:
        self._operate()
        FakeSink.record(self, key, result)

    def remove_record(self, key: str) -> None:
        self._operate()
        FakeSink.remove_record(self, key)

    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        self._operate()
        FakeSink.pack(self, group, records)

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[MemoryPart]:
        with FakeSink.part(self, run_id, name) as part:
            yield part
            self._operate()

    @contextmanager
    def claim(self, run_id: str, spec: RunSpec, waiting: Callable[[str], None]) -> Iterator[FakeClaim]:
        with FakeSink.claim(self, run_id, spec, waiting) as claim:
            yield MortalClaim(sink=self, parts=claim.parts)


@attrs.frozen
class MortalClaim(FakeClaim):
    sink: Mortal

    def publish(self, result: RunResult) -> Sequence[str]:
        self.sink._operate()
        return FakeClaim.publish(self, result)


@attrs.frozen
class Attempt:
    """One run: of which data, up to which day, under which name, how."""

    grown: bool
    days_more: int
    run_id: str
    how: dict[str, Any]
    per_origin: bool

    def run(self, sink: FakeSink) -> RunResult:
        rows = GROWN if self.grown else ROWS
        store = VersionedStore({"x": known(rows), "y": known(ROWS, "y")})
        forecasters = (custom(LastThree()),) if self.per_origin else ()
        run = training(store=store, sink=sink, run_id=self.name, forecasters=forecasters, unit_size=1, **self.how)
        return run.execute(self.spec)

    @property
    def spec(self) -> RunSpec:
        spec = PER_ORIGIN if self.per_origin else SPEC
        return attrs.evolve(spec, end=spec.end + timedelta(days=self.days_more))

    @property
    def name(self) -> str:
        return f"{self.run_id}-{self.spec.run_id}"  # a name holds one spec


ATTEMPTS = st.builds(
    Attempt,
    st.booleans(),
    st.sampled_from([0, 1, 20]),
    st.sampled_from(["one", "two"]),
    st.fixed_dictionaries({"hindcasts": st.booleans(), "fresh": st.sampled_from([False, False, True])}),
    st.sampled_from([False, False, True]),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(ATTEMPTS, st.integers(0, 40)), min_size=1, max_size=4), ATTEMPTS)
def test_nothing_that_came_before_shows_in_a_run_that_ends_well(killed, last):
    sink = Mortal()
    for attempt, operations in killed:
        sink.operations_left[0] = operations
        try:
            attempt.run(sink)
            event("ended well")
        except Killed:
            event("killed")
    sink.operations_left[0] = 10**9
    alone = FakeSink()
    result, expected = last.run(sink), last.run(alone)
    assert (result.variables, result.digest, result.failures) == (
        expected.variables,
        expected.digest,
        expected.failures,
    )
    assert result.parts == expected.parts
    assert parts_of(sink, last.name) == parts_of(alone, last.name)


@settings(max_examples=60)
@given(ATTEMPTS, st.integers(0, 40))
def test_a_run_that_was_killed_leaves_the_same_records_as_one_that_was_not_once_it_is_run_again(attempt, operations):
    sink, alone = Mortal(operations_left=[operations]), FakeSink()
    try:
        attempt.run(sink)
    except Killed:
        sink.operations_left[0] = 10**9
        attempt.run(sink)
    attempt.run(alone)
    assert records_of(sink) == records_of(alone)
