"""Rows of a variable: sorted, refused where faulty, read-only, equal by content."""

from __future__ import annotations

import pickle

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core import MalformedData, Observations
from pulse_core.data.observations import end_of
from tests.strategies import FIRST_DAY, daily, replayed, resolved
from tests.unit.core.runs import day, known, series

COLUMNS = ("timestamps", "values", "known_at")


@given(st.data())
def test_rows_in_any_order_are_the_same_observations(data):
    ordered = data.draw(replayed())
    order = data.draw(st.permutations(range(len(ordered))))
    assert ordered.known_at is not None
    mixed = Observations("x", *(getattr(ordered, name)[list(order)] for name in COLUMNS))
    assert mixed == ordered


@given(replayed())
def test_rows_are_sorted_by_when_they_became_known_then_by_timestamp(observations):
    keys = list(zip(observations.known_at.tolist(), observations.timestamps.tolist(), strict=True))
    assert keys == sorted(keys)


@given(st.permutations(range(8)))
def test_rows_without_known_at_are_sorted_by_timestamp(numbers):
    mixed = Observations("x", [day(number) for number in numbers], [float(number) for number in numbers])
    assert mixed.values.tolist() == list(range(8))


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_read_only(name):
    with pytest.raises(ValueError, match="read-only"):
        getattr(known([(1, 1.0, 1), (0, 2.0, 2)]), name)[0] = getattr(known([(1, 1.0, 1)]), name)[0]


def test_columns_are_copies():
    numbers = np.array([1.0, 2.0])
    observations = Observations("x", [day(0), day(1)], numbers)
    numbers[0] = 9.0
    assert observations.values.tolist() == [1.0, 2.0]


@given(st.one_of(daily(), replayed()))
def test_observations_survive_pickling_equal_and_read_only(observations):
    again = pickle.loads(pickle.dumps(attrs.evolve(observations, absent=3, source="data.csv")))
    assert again == attrs.evolve(observations, absent=3)
    assert again.source == "data.csv"
    assert not any(getattr(again, name).flags.writeable for name in COLUMNS if getattr(again, name) is not None)


@pytest.mark.parametrize(
    "other",
    [
        known([(0, 1.0, 0), (1, 2.5, 1)]),
        known([(0, 1.0, 0), (1, 2.0, 2)]),
        known([(0, 1.0, 1), (1, 2.0, 1)]),
        known([(0, 1.0, 0)]),
        known([(0, 1.0, 0), (1, 2.0, 1)], "y"),
        attrs.evolve(known([(0, 1.0, 0), (1, 2.0, 1)]), absent=1),
        series([1.0, 2.0]),
    ],
    ids=["value", "known_at", "all known_at", "fewer rows", "name", "absent", "no known_at"],
)
def test_observations_that_differ_are_not_equal(other):
    assert known([(0, 1.0, 0), (1, 2.0, 1)]) != other


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value):
    with pytest.raises(MalformedData, match="not finite"):
        series([1.0, value])


def test_a_missing_time_is_refused():
    with pytest.raises(MalformedData, match="time is missing"):
        Observations("x", [day(0), np.datetime64("NaT")], [1.0, 2.0])


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(MalformedData, match="differ in length"):
        Observations("x", [day(0)], [1.0, 2.0])


def test_a_row_known_before_its_timestamp_is_refused():
    with pytest.raises(MalformedData, match="known before its timestamp"):
        known([(3, 1.0, 2)])


def test_a_timestamp_known_twice_at_one_moment_is_refused_and_named():
    with pytest.raises(MalformedData, match="2020-01-04"):
        known([(3, 1.0, 5), (3, 2.0, 5)])


def test_a_timestamp_that_comes_twice_without_known_at_is_refused():
    with pytest.raises(MalformedData, match="repeat"):
        Observations("x", [day(0), day(0)], [1.0, 2.0])


def test_several_faults_come_in_one_report():
    with pytest.raises(MalformedData, match=r"2 faults: .*not finite; .*missing"):
        Observations("x", [np.datetime64("NaT")], [np.inf])


def test_a_fault_names_the_source():
    with pytest.raises(MalformedData, match=r"^data/x\.csv: "):
        Observations("x", [day(0)], [np.nan], source="data/x.csv")


@given(st.data())
def test_rows_known_by_a_moment_are_those_and_no_others(data):
    observations = data.draw(replayed())
    moment = data.draw(st.sampled_from(list(observations.known_at)))
    past = observations.known_by(moment)
    assert len(past) == int((observations.known_at <= moment).sum())
    assert (past.known_at <= moment).all()


def test_rows_known_by_a_moment_need_a_known_at():
    with pytest.raises(ValueError, match="resolved"):
        series([1.0]).known_by(day(0))


@given(replayed())
def test_the_fingerprint_follows_the_rows_alone(observations):
    assert attrs.evolve(observations, variable="other", absent=7).fingerprint() == observations.fingerprint()


@pytest.mark.parametrize("rows", [[(0, 1.0, 0)], [(0, 2.0, 1)], [(1, 1.0, 1)], [(0, 1.0, 1), (2, 1.0, 2)]])
def test_the_fingerprint_follows_every_column(rows):
    assert known(rows).fingerprint() != known([(0, 1.0, 1)]).fingerprint()


def test_a_day_ends_with_its_last_microsecond():
    assert end_of(FIRST_DAY) == np.datetime64("2020-01-01T23:59:59.999999")


def test_no_rows_are_observations_too():
    assert len(resolved(series([]))) == 0
