"""A run that ends between any two operations on its sink, whatever was there before, and the run that goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import attrs
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pulse_core import RunResult, RunSpec
from pulse_core.ports import Write
from pulse_core.results import Record
from tests.fakes import FakeSink, VersionedStore
from tests.unit.core.models import LastThree, own
from tests.unit.core.runs import known, parts_of, spec_of, training

ROWS = [(n, float(n * n % 11), n) for n in range(20)]
GROWN = [*ROWS, (20, 3.0, 20)]
SPEC = spec_of("x", "y", days=20, forecasters=("naive", "drift", "ensemble"))
SLOW = attrs.evolve(SPEC, forecasters=("naive", "tests:Own"))


class Killed(BaseException):
    """The process is gone."""


@attrs.frozen
class Mortal(FakeSink):
    """Does so many operations that change something, and then no more."""

    left: list[int] = attrs.field(factory=lambda: [10**9])

    def _operate(self) -> None:
        if self.left[0] <= 0:
            raise Killed
        self.left[0] -= 1

    def record(self, key: str, result: Record) -> None:
        self._operate()
        FakeSink.record(self, key, result)

    def remove_record(self, key: str) -> None:
        self._operate()
        FakeSink.remove_record(self, key)

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        with FakeSink.part(self, run_id, name) as write:
            yield write
            self._operate()

    def copy_part(self, name: str, source: str, run_id: str) -> bool:
        self._operate()
        return FakeSink.copy_part(self, name, source, run_id)

    def publish(self, result: RunResult) -> Sequence[str]:
        self._operate()
        return FakeSink.publish(self, result)


@attrs.frozen
class Go:
    """One run: of which data, up to which day, under which name, how."""

    grown: bool
    days_more: int
    run_id: str
    how: dict[str, Any]
    slow: bool

    def run(self, sink: FakeSink) -> RunResult:
        rows = GROWN if self.grown else ROWS
        store = VersionedStore({"x": known(rows), "y": known(ROWS, "y")})
        forecasters = (own(LastThree()),) if self.slow else ()
        run = training(store=store, sink=sink, run_id=self.name, forecasters=forecasters, unit_size=1, **self.how)
        return run.execute(self.spec)

    @property
    def spec(self) -> RunSpec:
        spec = SLOW if self.slow else SPEC
        return attrs.evolve(spec, end=spec.end + timedelta(days=self.days_more))

    @property
    def name(self) -> str:
        return f"{self.run_id}-{self.spec.run_id}"  # a name holds one spec


GOES = st.builds(
    Go,
    st.booleans(),
    st.sampled_from([0, 1, 20]),
    st.sampled_from(["one", "two"]),
    st.fixed_dictionaries({"hindcasts": st.booleans(), "fresh": st.sampled_from([False, False, True])}),
    st.sampled_from([False, False, True]),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(GOES, st.integers(0, 40)), min_size=1, max_size=4), GOES)
def test_nothing_that_came_before_shows_in_a_run_that_ends_well(killed, last):
    sink = Mortal()
    for go, operations in killed:
        sink.left[0] = operations
        try:
            go.run(sink)
            event("ended well")
        except Killed:
            event("killed")
    sink.left[0] = 10**9
    alone = FakeSink()
    said, expected = last.run(sink), last.run(alone)
    assert (said.variables, said.digest, said.failures) == (expected.variables, expected.digest, expected.failures)
    assert said.parts == expected.parts
    assert parts_of(sink, last.name) == parts_of(alone, last.name)


@settings(max_examples=60)
@given(GOES, st.integers(0, 40))
def test_a_run_that_was_killed_leaves_the_same_ledger_as_one_that_was_not_once_it_is_run_again(go, operations):
    sink, alone = Mortal(left=[operations]), FakeSink()
    try:
        go.run(sink)
    except Killed:
        sink.left[0] = 10**9
        go.run(sink)
    go.run(alone)
    assert sink.records == alone.records
