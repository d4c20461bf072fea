"""The use case: what it tells whoever watches, and what it publishes."""

from __future__ import annotations

import hashlib
import math
import pickle
import struct
from datetime import UTC, datetime, timedelta

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core import (
    Event,
    RunFinished,
    RunPlanned,
    RunResult,
    RunSpec,
    Slice,
    UnitFinished,
    VariableSummary,
)
from pulse_core.results import TRUST, VariableBatches, VariableScores, canonical_bytes, run_digest
from pulse_core.scores.measures import MEASURES
from tests.backtests import kept_backtests
from tests.fakes import FakeSink
from tests.strategies import ALL_NAMES
from tests.unit.core.runs import FORECASTERS, day, known, records_of, run, series, spec_of, table, training

ONE, TWO, THREE = (series([1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0, 9.0], name) for name in "abc")
SPEC = spec_of("a", "b", "c", days=8)


def watched(**fields) -> list[Event]:
    events: list[Event] = []
    training(ONE, TWO, THREE, observer=events.append, **fields).execute(SPEC)
    return events


def test_the_observer_hears_of_the_plan_every_unit_and_the_end_in_order():
    kinds = [type(event) for event in watched(unit_size=2)]
    assert kinds == [RunPlanned, UnitFinished, UnitFinished, RunFinished]


def test_progress_counts_variables():
    finished = [(event.finished, event.planned) for event in watched(unit_size=2) if isinstance(event, UnitFinished)]
    assert finished == [(2, 3), (3, 3)]


def test_the_plan_that_is_told_is_that_of_the_slice():
    planned = watched(unit_size=1, slice=Slice(0, 2))[0]
    assert planned == RunPlanned(SPEC.run_id, batches=2, units=2, variables=2)


def test_the_end_that_is_told_bears_the_digest_and_the_counts():
    result = run([ONE, TWO, THREE], SPEC)
    assert watched()[-1] == RunFinished(SPEC.run_id, result.units, result.digest)


def test_a_run_publishes_its_result_once():
    sink = FakeSink()
    result = training(ONE, TWO, THREE, sink=sink).execute(SPEC)
    assert result.published == (f"memory:{SPEC.run_id}",)
    assert [published.digest for published in sink.runs] == [result.digest]


def test_a_run_names_a_part_of_scores_for_each_unit_and_of_hindcasts_where_they_are_asked_for():
    runs = [
        training(ONE, TWO, THREE, unit_size=2, hindcasts=with_hindcasts).execute(SPEC).parts
        for with_hindcasts in (False, True)
    ]
    units = ["part-00000-of-00002", "part-00001-of-00002"]
    batches, hindcasts, scores = ([f"{table}/{unit}" for unit in units] for table in ("batches", "hindcasts", "scores"))
    names = [[part.name.rpartition("-")[0] for part in parts] for parts in runs]
    assert names == [[*batches, *scores], [*batches, *hindcasts, *scores]]


def test_the_parts_that_a_run_names_are_those_that_its_workers_wrote():
    sink = FakeSink()
    result = training(ONE, TWO, THREE, sink=sink, unit_size=2, hindcasts=True, run_id="nightly").execute(SPEC)
    assert set(sink.parts) == {("nightly", part.name) for part in result.parts}


def test_parts_of_an_earlier_go_that_was_cut_otherwise_are_gone():
    sink = FakeSink()
    training(ONE, TWO, THREE, sink=sink, unit_size=1, hindcasts=True).execute(SPEC)
    result = training(ONE, TWO, THREE, sink=sink, unit_size=3).execute(SPEC)
    assert [part.name.rpartition("-")[0] for part in result.parts] == [
        "batches/part-00000-of-00001",
        "scores/part-00000-of-00001",
    ]
    assert set(sink.parts) == {(SPEC.run_id, part.name) for part in result.parts}


def test_a_slice_writes_no_tables():
    sink = FakeSink()
    result = training(ONE, TWO, THREE, sink=sink, unit_size=1, hindcasts=True, slice=Slice(1, 2)).execute(SPEC)
    assert (result.parts, sink.parts) == ((), {})


def test_there_is_a_hindcast_for_each_origin_of_the_period_forecaster_and_horizon():
    sink = FakeSink()
    spec = attrs.evolve(SPEC, variables=("a",), start=SPEC.start + timedelta(days=4), forecasters=("naive", "drift"))
    training(ONE, sink=sink, hindcasts=True).execute(spec)
    moments = [day(number).item() for number in range(4, 8)]
    assert set(table(sink, "hindcasts")) == {
        ("a", name, ahead, moment) for name in ("naive", "drift") for ahead in (1, 2) for moment in moments
    }


def test_a_hindcast_bears_its_origin_its_target_and_both_values():
    sink = FakeSink()
    training(ONE, sink=sink, hindcasts=True).execute(attrs.evolve(SPEC, variables=("a",), forecasters=("naive",)))
    rows = table(sink, "hindcasts")
    row, newest = (rows["a", "naive", 2, day(number).item()] for number in (4, 7))
    assert (row["timestamp"], row["target"]) == (day(4).item(), day(6).item())
    assert [np.frombuffer(row[name])[0] for name in ("point", "actual")] == [4.0, 6.0]
    assert newest["target"] is None
    assert np.isnan(np.frombuffer(newest["actual"])).all()


def test_the_first_trust_of_a_table_is_none_and_the_last_that_of_the_result():
    sink = FakeSink()
    spec = attrs.evolve(SPEC, variables=("a",), forecasters=("naive", "drift"))
    summary = training(ONE, sink=sink, hindcasts=True).execute(spec).variables[0]
    rows = table(sink, "hindcasts")
    first, last = (np.frombuffer(rows["a", "drift", 1, day(number).item()]["trust"])[0] for number in (1, 7))
    assert np.isnan(first)
    assert last == summary.shown("probability")[1, 0]
    ends = table(sink, "batches")["a", "drift", 1, "batch_0001"]["trust"]
    assert np.frombuffer(ends, dtype=np.float32)[0] == np.float32(last)


def test_a_batch_s_own_scores_stand_in_the_table():
    sink = FakeSink()
    training(ONE, sink=sink).execute(attrs.evolve(SPEC, variables=("a",), forecasters=("naive",)))
    rows = table(sink, "batches")
    scores = {key[2:]: (row["n"], np.frombuffer(row["mae"])[0]) for key, row in rows.items()}
    # origins are known from day 1 to 7; the second batch holds day 7 alone, whose future is unknown
    assert scores[1, "batch_0000"] == (6, pytest.approx((1 + 3 + 1 + 3 + 1 + 3) / 6))


def test_a_slice_records_its_share_and_publishes_nothing():
    sink = FakeSink()
    training(ONE, TWO, THREE, sink=sink, unit_size=1, slice=Slice(1, 2)).execute(SPEC)
    assert {record.variable for record in records_of(sink).values()} == {"b"}
    assert sink.runs == []


@pytest.mark.parametrize(("given_id", "expected"), [(None, SPEC.run_id), ("nightly", "nightly")])
def test_the_run_id_is_the_spec_s_unless_one_is_given(given_id, expected):
    assert training(ONE, TWO, THREE, run_id=given_id).execute(SPEC).run_id == expected


def test_the_clock_stamps_beginning_and_end():
    ticks = iter(datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(2))
    result = training(ONE, TWO, THREE, clock=lambda: next(ticks)).execute(SPEC)
    assert result.started_at is not None
    assert result.finished_at is not None
    assert result.finished_at - result.started_at == timedelta(hours=1)


def test_without_a_clock_a_result_bears_no_times():
    result = run([ONE, TWO, THREE], SPEC)
    assert (result.started_at, result.finished_at) == (None, None)


def test_variables_come_in_name_order_whatever_order_they_were_named_in():
    result = run([ONE, TWO, THREE], attrs.evolve(SPEC, variables=("c", "a", "b")))
    assert [summary.variable for summary in result.variables] == ["a", "b", "c"]


def test_forecasters_come_in_the_order_of_the_spec_with_the_benchmark_first_where_it_was_not_named():
    result = run(ONE, spec_of("a", days=8, forecasters=("mean", "drift")))
    assert result.variables[0].forecasters == ("naive", "mean", "drift")


def in_both_orders() -> tuple[VariableSummary, VariableSummary]:
    many = series([float(n * n % 13) for n in range(30)], "a")
    forth, back = (
        run(many, spec_of("a", days=30, forecasters=names)) for names in (ALL_NAMES, tuple(reversed(ALL_NAMES)))
    )
    return forth.variables[0], back.variables[0]


def test_the_numbers_of_a_forecaster_do_not_depend_on_its_position_in_the_spec():
    forth, back = in_both_orders()
    alone = len({forecaster.name for forecaster in FORECASTERS} & {*forth.forecasters})
    assert forth.scores[:alone].tobytes() == back.scores[::-1][:alone].tobytes()
    assert forth.trust[:alone].tobytes() == back.trust[::-1][:alone].tobytes()


def test_what_is_made_of_others_depends_on_their_order_by_rounding_alone():
    forth, back = in_both_orders()
    np.testing.assert_allclose(forth.scores, back.scores[::-1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(forth.weights, back.weights[::-1], rtol=1e-9, atol=1e-12)


def test_a_result_names_the_forecasters_that_a_season_and_predictors_added():
    spec = RunSpec(
        variables=("a",), start=SPEC.start, end=SPEC.end, horizon=1, min_history=2, season=3, predictors=("b",)
    )
    result = run([ONE, TWO], spec)
    added = ("seasonal-naive", "damped-holt-winters", "seasonal-theta", "ridge")
    assert set(added) < set(result.spec.forecasters)
    assert result.spec.forecasters == spec.forecasters
    usable = tuple(name for name in spec.forecasters if not name.startswith(("double", "log-double")))
    assert result.variables[0].forecasters == usable


def test_a_result_says_what_data_it_came_from():
    facts = run(attrs.evolve(ONE, absent=2), spec_of("a", days=6)).variables[0].data
    rows = attrs.evolve(ONE, known_at=ONE.timestamps).known_by(day(5))
    assert attrs.astuple(facts) == (f"sha256:{rows.fingerprint()}", 6, 2, "2020-01-01", "2020-01-06", "timestamp", "")


def test_origins_are_counted_per_batch():
    summary = run(ONE, spec_of("a", days=30, min_history=3)).variables[0]
    assert (summary.batches.tolist(), summary.origins.tolist()) == ([0, 1], [5, 1])


def test_a_batch_without_an_origin_has_no_row_anywhere():
    sparse = known([(30 * n, float(n * n % 5), 30 * n) for n in range(9)], "a")
    sink = FakeSink()
    with kept_backtests() as backtests:
        summary = run(sparse, spec_of("a", days=250, batch_size_days=7), sink=sink).variables[0]
    expected = [30 * n // 7 for n in range(1, 9)]
    (by_batch,) = (record for record in records_of(sink).values() if isinstance(record, VariableBatches))
    assert summary.batches.tolist() == by_batch.batches.tolist() == backtests["a"].batches.tolist() == expected
    assert summary.origins.tolist() == [1] * len(expected)
    assert {array.shape[0] for array in attrs.astuple(by_batch)[3:]} == {len(expected)}
    assert {batch for _, _, _, batch in table(sink, "batches")} <= {f"batch_{index:04d}" for index in expected}


@given(st.permutations(["a", "b", "c"]))
def test_the_digest_is_that_of_the_variables_in_name_order(order):
    summaries = {summary.variable: summary for summary in run([ONE, TWO, THREE], SPEC).variables}
    expected = hashlib.sha256(b"".join(bytes.fromhex(summaries[name].digest()) for name in "abc")).hexdigest()
    assert run_digest([summaries[name] for name in order]) == f"sha256:{expected}"


PROBABILITIES = ("dm_p", *TRUST[: TRUST.index("log10_e")], "log10_e_wins", "skill_low", "skill_high")
"""What follows from the numbers that a digest is over."""


def summary_of_walk() -> VariableSummary:
    """Of a walk with enough origins for every number."""
    numbers = 50 + np.cumsum(np.random.default_rng(4).normal(size=20))
    spec = spec_of("a", days=20, forecasters=("naive", "drift", "mean", "ensemble"))
    return run(series(numbers, "a"), spec).variables[0]


@pytest.mark.parametrize("name", ["scores", "trust", "statistics", "weights", "regret", "bound"])
def test_the_digest_follows_every_number_of_a_result_but_probabilities(name):
    summary = summary_of_walk()
    array = getattr(summary, name)
    columns = {"scores": MEASURES, "trust": TRUST}.get(name)
    assert not np.isnan(array).all()
    for cell in np.argwhere(~np.isnan(array)):
        changed = array.copy()
        changed[tuple(cell)] = np.nextafter(changed[tuple(cell)], np.inf)
        same = columns is not None and columns[cell[-1]] in PROBABILITIES
        assert (attrs.evolve(summary, **{name: changed}).digest() == summary.digest()) == same


def test_the_digest_of_a_variable_is_over_its_names_and_then_its_numbers_in_order():
    summary = summary_of_walk()
    digest = hashlib.sha256("\0".join(["a", *summary.forecasters]).encode())
    scores = summary.scores[..., [name not in PROBABILITIES for name in MEASURES]]
    evidence = summary.trust[..., [name not in PROBABILITIES for name in TRUST]]
    learned = summary.weights, summary.regret, summary.bound, summary.beyond_reason.astype(np.float64)
    for array in (scores, summary.statistics, evidence, *learned):
        for value in array.ravel().tolist():
            digest.update(struct.pack("<d", math.nan if math.isnan(value) else value + 0.0))
    assert summary.digest() == digest.hexdigest()


def test_the_digest_knows_nothing_of_data_time_or_machine():
    result = run(ONE, spec_of("a", days=8))
    other = attrs.evolve(
        result,
        run_id="another",
        started_at=datetime(2024, 1, 1, tzinfo=UTC),
        software={"numpy": "0"},
        variables=(attrs.evolve(result.variables[0], data=attrs.evolve(result.variables[0].data, absent=9)),),
    )
    assert other.digest == result.digest


def test_minus_zero_and_the_many_nans_have_one_form_each():
    other_nan = np.array([0x7FF8000000000001, 0xFFF8000000000000], dtype=np.uint64).view(np.float64)
    assert canonical_bytes(np.append(other_nan, -0.0)) == canonical_bytes(np.array([np.nan, np.nan, 0.0]))


def test_numbers_are_digested_as_little_endian_floats():
    assert canonical_bytes(np.array([1.0])) == bytes([0, 0, 0, 0, 0, 0, 0xF0, 0x3F])


def test_a_result_survives_pickling_read_only():
    result = run([ONE, TWO, THREE], SPEC)
    again: RunResult = pickle.loads(pickle.dumps(result))
    assert again == result
    assert again.digest == result.digest
    arrays = [getattr(again.variables[0], field.name) for field in attrs.fields(VariableSummary)]
    assert not any(array.flags.writeable for array in arrays if isinstance(array, np.ndarray))


@pytest.mark.parametrize("kind", [VariableScores, VariableBatches])
def test_a_record_survives_pickling_read_only(kind):
    sink = FakeSink()
    training(ONE, sink=sink).execute(spec_of("a", days=8))
    record = next(record for record in records_of(sink).values() if isinstance(record, kind))
    again = pickle.loads(pickle.dumps(record))
    assert again == record
    arrays = [getattr(again, field.name) for field in attrs.fields(type(again))]
    assert not any(array.flags.writeable for array in arrays if isinstance(array, np.ndarray))
