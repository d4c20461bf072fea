"""The calendar that timestamps keep to: found, counted along, and continued."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core.data.calendars import Calendar, calendar_of

HOURS = 3_600_000_000
DAYS = 24 * HOURS


def stamps(first: str, count: int, unit: Any, step: int = 1) -> Any:
    return np.asarray((np.datetime64(first, unit) + step * np.arange(count)).astype("datetime64[us]"))


def business_days(count: int, first: str = "2020-01-01") -> np.ndarray:
    return np.asarray(np.busday_offset(first, np.arange(count), roll="forward").astype("datetime64[us]"))


@pytest.mark.parametrize(
    ("given_stamps", "name"),
    [
        (stamps("2020-01", 20, "M"), "months"),
        (stamps("2020-01", 20, "M", 3), "quarters"),
        (stamps("2020", 20, "Y"), "years"),
        (stamps("2020-01", 20, "M") + np.timedelta64(14, "D"), "months"),
        (stamps("2020-02", 20, "M") - np.timedelta64(1, "D"), "months"),
        (stamps("2020-01-01", 40, "D"), "days"),
        (stamps("2020-01-03", 20, "D", 7), "weeks"),
        (stamps("2020-01-03", 20, "D", 14), "every 2 weeks"),
        (business_days(40), "business days"),
        (business_days(40) + np.timedelta64(16, "h"), "business days"),
        (stamps("2020-01-01T00", 90, "h"), "hours"),
        (stamps("2020-01-01T00:00", 90, "m", 15), "every 15 minutes"),
    ],
)
def test_a_regular_variable_keeps_to_its_calendar(given_stamps, name):
    assert str(calendar_of(given_stamps)) == name


@pytest.mark.parametrize(
    "given_stamps", [stamps("2020-01-01", 2, "D"), stamps("2020-01-01", 30, "D")[[0, 3, 4, 9, 16, 25]]]
)
def test_few_or_irregular_timestamps_keep_to_none(given_stamps):
    assert calendar_of(given_stamps) is None


@given(st.sampled_from(["M", "D", "h"]), st.integers(1, 12), st.integers(4, 60), st.integers(1, 20))
def test_what_comes_next_is_what_a_longer_series_has(unit, step, count, ahead):
    longer = stamps("2020-01-01" if unit != "M" else "2020-01", count + ahead, unit, step)
    found = calendar_of(longer[:count])
    assert found is not None
    assert found.after(longer[count - 1], ahead).tolist() == longer[count:].tolist()


@given(st.integers(10, 60), st.integers(1, 20))
def test_business_days_go_on_over_weekends(count, ahead):
    longer = business_days(count + ahead)
    found = calendar_of(longer[:count])
    assert found == Calendar("business days", 1)
    assert found.after(longer[count - 1], ahead).tolist() == longer[count:].tolist()


def test_the_last_days_of_months_go_on():
    longer = stamps("2020-02", 20, "M") - np.timedelta64(1, "D")
    found = calendar_of(longer[:9])
    assert found == Calendar("months", 1, at_end=True)
    assert found.after(longer[8], 11).tolist() == longer[9:].tolist()


def test_the_thirtieth_of_a_month_is_the_last_day_of_february():
    assert Calendar("months", 1).after(np.datetime64("2021-01-30", "us"), 2).tolist() == [
        np.datetime64("2021-02-28", "us").item(),
        np.datetime64("2021-03-30", "us").item(),
    ]


@given(st.lists(st.integers(1, 4), min_size=3, max_size=40))
def test_positions_count_what_is_missing(steps):
    steps = [1] * len(steps) + steps
    found = Calendar("microseconds", DAYS)
    days = stamps("2020-01-01", 1, "D") + np.cumsum([0, *steps]) * np.timedelta64(1, "D")
    assert np.diff(found.positions(days)).tolist() == steps


def test_a_rare_weekend_does_not_hide_business_days():
    saturday = np.datetime64("2020-01-04", "us")
    found = calendar_of(np.sort(np.append(business_days(300), saturday)))
    assert found == Calendar("business days", 1)
