"""Forecasters that are called origin by origin: their work is shared, recorded and resumed batch by batch."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import (
    Event,
    PerOriginForecaster,
    RunFailed,
    RunPlanned,
    RunSpec,
    Slice,
    TooLittleData,
    UnitFinished,
    VariableBatches,
    VariableScores,
)
from pulse_core.plan import batches
from pulse_core.results import PerOriginRecord
from tests.fakes import FakeSink
from tests.strategies import replayed, specs_for, values
from tests.unit.core.engines import Shuffling
from tests.unit.core.models import Fixed, OnlyAbove, custom
from tests.unit.core.runs import backtested, ended, records_of, run, series, spec_of, training

pytestmark = pytest.mark.usefixtures("asked_once")

ROWS = [float(n * n % 11) for n in range(28)]
ONE, TWO = series(ROWS, "a"), series(ROWS[::-1], "b")
SPEC = spec_of("a", "b", days=28, forecasters=("naive", "tests:Own"))


@attrs.define
class Counting:
    """Naive, and the lengths of the histories it was asked about."""

    lengths: list[int] = attrs.field(factory=list)

    def forecast(self, history: Any, horizon: int) -> list[float]:
        self.lengths.append(len(history))
        return [history[-1]] * horizon


@attrs.define
class Fitted:
    """The last value at its fit, and the lengths of the histories it was fitted to."""

    fits: list[int] = attrs.field(factory=list)

    def forecast(self, history: Any, horizon: int) -> list[float]:
        raise NotImplementedError

    def fit(self, history: Any) -> float:
        self.fits.append(len(history))
        return float(history[-1])

    def predict(self, fitted: float, history: Any, horizon: int) -> list[float]:
        return [fitted] * horizon


def history_lengths(sink: FakeSink, spec: RunSpec = SPEC, **fields: Any) -> list[int]:
    """The lengths of histories that a run asks its forecaster about."""
    model = Counting()
    training(ONE, TWO, sink=sink, forecasters=(custom(model),), **fields).execute(spec)
    return model.lengths


def watched(**fields: Any) -> list[Event]:
    events: list[Event] = []
    training(ONE, TWO, forecasters=(custom(Counting()),), observer=events.append, **fields).execute(SPEC)
    return events


def test_batches_are_done_before_the_variables_that_are_made_of_them():
    units = [event.unit for event in watched() if isinstance(event, UnitFinished)]
    in_batches = [(unit.variables, unit.batches) for unit in units]
    assert in_batches == [((name,), (batch,)) for name in "ab" for batch in range(4)] + [(("a",), ()), (("b",), ())]


def test_progress_counts_batches_and_variables():
    events = watched()
    assert events[0] == RunPlanned(SPEC.run_id, batches=4, units=10, variables=10)
    finished = [(event.finished, event.planned) for event in events if isinstance(event, UnitFinished)]
    assert finished == [(number, 10) for number in range(1, 11)]


def test_what_is_counted_of_a_run_are_its_variables():
    counts = training(ONE, TWO, forecasters=(custom(Counting()),)).execute(SPEC).units
    assert (counts.planned, counts.recalled, counts.computed, counts.failed) == (2, 0, 2, 0)


def test_every_batch_of_every_variable_is_recorded_beside_the_variables():
    sink = FakeSink()
    history_lengths(sink)
    kinds = [type(record) for record in records_of(sink).values()]
    assert (kinds.count(PerOriginRecord), kinds.count(VariableScores), kinds.count(VariableBatches)) == (8, 2, 2)


def test_every_origin_of_the_period_is_asked_about_once():
    assert history_lengths(FakeSink()) == [*range(2, 29), *range(2, 29)]


def test_origins_before_the_period_are_not_asked_about():
    later = attrs.evolve(SPEC, start=SPEC.start + timedelta(days=14))
    assert history_lengths(FakeSink(), later) == [*range(15, 29), *range(15, 29)]


@settings(max_examples=25)
@given(st.data())
def test_a_forecaster_called_origin_by_origin_has_the_bits_of_one_that_runs_on(data):
    observations = data.draw(replayed(values()))
    spec = data.draw(specs_for(observations))
    size = max(spec.batch_size_days, (spec.end - spec.start).days // 40)
    # learners of what is called origin by origin start with the period: so do the others where nothing is before it
    first = observations.known_at[0].astype("datetime64[D]").item() if observations.known_at is not None else spec.start
    period = {"start": first, "end": max(first, spec.end), "batch_size_days": size}
    spec = attrs.evolve(spec, **period, benchmark="drift", forecasters=("drift", "naive", "tests:Own"))
    record = backtested(observations, spec, custom(Counting()))
    if record is not None:
        assert record.sums.values[:, 1].tobytes() == record.sums.values[:, 2].tobytes()
        for counts in (record.won, record.lost, record.trust):
            assert counts[:, 1].tobytes() == counts[:, 2].tobytes()


def test_after_an_interruption_only_what_was_not_recorded_is_asked_about():
    sink, complete = FakeSink(), FakeSink()
    history_lengths(complete)
    keys = [key for key, record in complete.records.items() if isinstance(record, PerOriginRecord)][:3]
    sink.records.update((key, complete.records[key]) for key in keys)
    # three batches of seven days of `a` were done
    assert history_lengths(sink) == [*range(22, 29), *range(2, 29)]
    assert records_of(sink) == records_of(complete)


def test_a_repeated_run_asks_nothing():
    sink = FakeSink()
    history_lengths(sink)
    assert history_lengths(sink) == []


def test_a_later_end_asks_about_the_origins_of_the_batches_that_it_adds():
    sink = FakeSink()
    history_lengths(sink, attrs.evolve(SPEC, end=SPEC.start + timedelta(days=20)))
    assert history_lengths(sink) == [*range(22, 29), *range(22, 29)]


def test_a_batch_that_another_end_cut_short_is_done_anew():
    sink = FakeSink()
    history_lengths(sink, attrs.evolve(SPEC, end=SPEC.start + timedelta(days=18)))
    assert history_lengths(sink) == [*range(15, 29), *range(15, 29)]


def test_a_run_a_night_asks_about_the_batch_that_is_not_yet_full_and_recalls_all_before_it():
    sink = FakeSink()
    nights = range(20, 28)
    lengths = [history_lengths(sink, attrs.evolve(SPEC, end=SPEC.start + timedelta(days=night))) for night in nights]
    # the first run asks about all; the third batch is full on the first night, and the fourth grows from day 21 on
    assert lengths[0] == [*range(2, 22), *range(2, 22)]
    assert lengths[1:] == [2 * [*range(22, night + 2)] for night in nights[1:]]


@pytest.mark.parametrize(
    ("changed", "anew"),
    [
        ({"benchmark": "drift"}, False),
        ({"trust_half_life": 50}, False),
        ({"trust_span": 20}, False),
        ({"actuals": "latest"}, False),
        ({"calibration": "empirical"}, False),
        ({"trust_loss": "crps"}, False),
        ({"forecasters": ("naive", "mean", "tests:Own")}, False),
        ({"horizon": 1}, True),
        ({"min_history": 3}, True),
        ({"target": "change"}, True),
        ({"refit_every": 2}, True),
        ({"season": 3}, True),
        ({"predictors": ("b",)}, True),
        ({"batch_size_days": 14}, True),
        ({"known_at": "+1d"}, True),
    ],
    ids=str,
)
def test_what_a_forecaster_said_is_asked_for_again_only_where_it_could_be_something_else(changed, anew):
    sink = FakeSink()
    history_lengths(sink)
    assert bool(history_lengths(sink, attrs.evolve(SPEC, **changed))) == anew


def test_another_version_of_the_forecaster_is_asked_again():
    sink, model = FakeSink(), Counting()
    history_lengths(sink)
    newer = attrs.evolve(custom(model), version="2")
    training(ONE, TWO, sink=sink, forecasters=(newer,)).execute(SPEC)
    assert len(model.lengths) == 2 * 27


@pytest.mark.parametrize("count", [2, 3, 5])
def test_slices_share_the_batches_and_leave_the_rest_to_the_run_that_collects(count):
    sink = FakeSink()
    shares = [history_lengths(sink, slice=Slice(index, count)) for index in range(count)]
    assert sorted(length for per_slice in shares for length in per_slice) == sorted(2 * [*range(2, 29)])
    assert {type(record) for record in records_of(sink).values()} == {PerOriginRecord}
    assert sink.runs == []
    assert history_lengths(sink) == []
    assert sink.runs[0].digest == training(ONE, TWO, forecasters=(custom(Counting()),)).execute(SPEC).digest


@pytest.mark.parametrize(("every", "fits"), [(1, [*range(2, 29)]), (3, [2, 5, 8, 11, 14, 15, 18, 21, 22, 25, 28])])
def test_a_forecaster_is_fitted_at_the_first_origin_of_a_batch_and_every_so_many_after_it(every, fits):
    model = Fitted()
    forecaster = PerOriginForecaster("tests:Own", "1", model, refit_every=every)
    run(ONE, attrs.evolve(SPEC, variables=("a",), refit_every=every), forecasters=(forecaster,))
    assert model.fits == fits


def test_a_forecaster_without_a_fit_says_nothing_between_the_origins_it_is_called_at():
    forecaster = PerOriginForecaster("tests:Own", "1", Counting(), refit_every=7)
    spec = attrs.evolve(SPEC, variables=("a",), horizon=1)
    record = backtested(ONE, spec, forecaster)
    assert record is not None
    # one origin a batch; that of the last batch is known from the 22nd day on
    assert record.sums.values[:, 1, 0, 0].tolist() == [1, 1, 1, 1]


def test_a_variable_that_failed_in_a_batch_is_not_gone_on_with():
    high = series([101.0, 103.0, 102.0, 105.0, 104.0, 106.0], "high")
    events: list[Event] = []
    with pytest.raises(RunFailed) as raised:
        training(ONE, high, forecasters=(custom(OnlyAbove(RuntimeError("no"))),), observer=events.append).execute(
            attrs.evolve(SPEC, variables=("a", "high"))
        )
    units = [event.unit for event in events if isinstance(event, UnitFinished)]
    assert [unit.variables for unit in units if not unit.batches] == [("a",)]
    assert [(lost.variable, lost.kind) for lost in raised.value.failures] == [("high", "ForecasterFailed")]


def test_data_that_cannot_serve_fail_as_they_do_without_a_forecaster_per_origin():
    short = series([1.0], "a")
    spec = attrs.evolve(SPEC, variables=("a",))
    (failure,) = ended(short, spec, forecasters=(custom(Counting()),)).failures
    (expected,) = ended(short, attrs.evolve(spec, forecasters=("naive",))).failures
    assert failure == expected
    assert failure.kind == TooLittleData.__name__


def test_what_a_batch_recorded_survives_pickling_read_only():
    sink = FakeSink()
    history_lengths(sink)
    record = next(record for record in sink.records.values() if isinstance(record, PerOriginRecord))
    again = pickle.loads(pickle.dumps(record))
    assert again == record
    assert not again.forecasts.flags.writeable


def test_what_a_batch_recorded_is_in_the_units_of_the_data_whatever_the_period():
    sink = FakeSink()
    run(ONE, attrs.evolve(SPEC, variables=("a",), horizon=1), sink=sink, forecasters=(custom(Counting()),))
    records = [record for record in sink.records.values() if isinstance(record, PerOriginRecord)]
    points = [value for record in records for value in record.forecasts.ravel().tolist()]
    assert points == ROWS[1:]
    assert len(records) == len(batches(SPEC))


def test_batches_without_an_origin_are_not_recorded_nor_missed_by_the_run_that_collects():
    sink = FakeSink()
    sparse = series(ROWS[:9], "a")
    spec = attrs.evolve(SPEC, variables=("a",))
    for index in range(3):
        run(sparse, spec, sink=sink, forecasters=(custom(Counting()),), slice=Slice(index, 3))
    shapes = [record.forecasts.shape for record in sink.records.values() if isinstance(record, PerOriginRecord)]
    assert sorted(shapes) == [(2, 2), (6, 2)]
    assert run(sparse, spec, sink=sink, forecasters=(custom(Counting()),), recorded_only=True).failures == ()


def test_the_batches_of_a_unit_are_read_together_and_done_one_by_one(monkeypatch):
    expected, alone = FakeSink(), FakeSink()
    lengths = history_lengths(alone)
    monkeypatch.setattr("pulse_core.plan.MOST_BATCH_UNITS", 3)
    assert history_lengths(expected) == lengths
    assert records_of(expected) == records_of(alone)


@pytest.mark.parametrize("seed", range(4))
def test_batches_that_complete_in_any_order_give_the_same_bits(seed):
    in_order, shuffled = (
        run([ONE, TWO], SPEC, forecasters=(custom(Counting()),), **fields)
        for fields in ({}, {"backend": Shuffling(seed)})
    )
    assert in_order.variables == shuffled.variables


def test_a_silent_forecaster_has_no_scores_and_harms_no_other():
    silent = run(ONE, attrs.evolve(SPEC, variables=("a",)), forecasters=(custom(Fixed([np.nan, np.nan])),)).variables[0]
    alone = run(ONE, attrs.evolve(SPEC, variables=("a",), forecasters=("naive",))).variables[0]
    assert silent.scores[0].tobytes() == alone.scores[0].tobytes()
    assert silent.scores[1, :, 0].tolist() == [0, 0]
