"""A fresh run computes everything, whatever is recorded, and puts what it computed in its place."""

from __future__ import annotations

import attrs
import pytest

from pulse_core import RunResult
from pulse_core.results import DataSnapshot, PerOriginRecord, Record, VariableBatches, VariableScores
from tests.fakes import FakeSink, FakeStore, VersionedStore
from tests.unit.core.models import custom
from tests.unit.core.runs import records_of, series, spec_of, training

ROWS = [float(n * n % 11) for n in range(28)]


class Last:
    def forecast(self, history, horizon):
        return [history[-1]] * horizon


@pytest.fixture(params=[FakeStore, VersionedStore])
def stored(request):
    """A kind of store: one that tells no versions, and one that does."""
    return request.param


@pytest.fixture(params=["built in", "per origin"])
def setting(request, stored):
    """A spec, a kind of store, and forecasters: one of the built-in ones, or one that is called origin by origin."""
    if request.param == "built in":
        return spec_of("a", "b", days=28), (), stored
    return spec_of("a", "b", days=28, forecasters=("naive", "tests:Own")), (custom(Last()),), stored


def execute(setting, sink: FakeSink, *, fresh: bool) -> RunResult:
    spec, forecasters, stored = setting
    store = stored({"a": series(ROWS, "a"), "b": series(ROWS[::-1], "b")})
    return training(store=store, sink=sink, forecasters=forecasters, fresh=fresh).execute(spec)


def spoilt(sink: FakeSink) -> FakeSink:
    """The same keys with wrong numbers behind them."""
    return FakeSink(
        records={key: _wrong(record) for key, record in sink.records.items()},
        packed={key: _wrong(record) for key, record in sink.packed.items()},
    )


def _wrong(record: Record) -> Record:
    if isinstance(record, VariableBatches):
        return attrs.evolve(record, won=record.won + 1)
    if isinstance(record, VariableScores):
        return attrs.evolve(record, scores=record.scores + 1.0)
    if isinstance(record, DataSnapshot):
        return attrs.evolve(record, facts=attrs.evolve(record.facts, absent=99))
    return PerOriginRecord(record.variable, record.forecaster, record.forecasts + 1.0)


def test_it_recalls_nothing_and_says_what_a_first_run_says(setting):
    sink = FakeSink()
    first = execute(setting, sink, fresh=False)
    again = execute(setting, spoilt(sink), fresh=True)
    assert (again.units.computed, again.units.recalled) == (2, 0)
    assert again.digest == first.digest


def test_what_it_computed_takes_the_place_of_what_was_recorded(setting):
    sink = FakeSink()
    execute(setting, sink, fresh=False)
    damaged = spoilt(sink)
    execute(setting, damaged, fresh=True)
    assert records_of(damaged) == records_of(sink)


def test_without_it_what_is_recorded_is_believed(setting):
    sink = FakeSink()
    first = execute(setting, sink, fresh=False)
    again = execute(setting, spoilt(sink), fresh=False)
    assert again.units.recalled == 2
    assert again.digest != first.digest
