"""Calendars of timestamps: recognised, counted along, and continued."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
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
def test_regular_timestamps_have_a_calendar(given_stamps, name):
    assert str(calendar_of(given_stamps)) == name


@pytest.mark.parametrize(
    "given_stamps", [stamps("2020-01-01", 2, "D"), stamps("2020-01-01", 30, "D")[[0, 3, 4, 9, 16, 25]]]
)
def test_few_or_irregular_timestamps_have_no_calendar(given_stamps):
    assert calendar_of(given_stamps) is None


@given(st.sampled_from(["M", "D", "h"]), st.integers(1, 12), st.integers(4, 60), st.integers(1, 20))
def test_a_calendar_continues_with_the_timestamps_of_a_longer_series(unit, step, count, ahead):
    longer = stamps("2020-01-01" if unit != "M" else "2020-01", count + ahead, unit, step)
    calendar = calendar_of(longer[:count])
    assert calendar is not None
    assert calendar.after(longer[count - 1], ahead).tolist() == longer[count:].tolist()


@given(st.integers(10, 60), st.integers(1, 20))
def test_business_days_go_on_over_weekends(count, ahead):
    longer = business_days(count + ahead)
    calendar = calendar_of(longer[:count])
    assert calendar == Calendar("business days", 1)
    assert calendar.after(longer[count - 1], ahead).tolist() == longer[count:].tolist()


def test_the_last_days_of_months_go_on():
    longer = stamps("2020-02", 20, "M") - np.timedelta64(1, "D")
    calendar = calendar_of(longer[:9])
    assert calendar == Calendar("months", 1, at_end=True)
    assert calendar.after(longer[8], 11).tolist() == longer[9:].tolist()


def test_the_thirtieth_of_a_month_is_the_last_day_of_february():
    assert Calendar("months", 1).after(np.datetime64("2021-01-30", "us"), 2).tolist() == [
        np.datetime64("2021-02-28", "us").item(),
        np.datetime64("2021-03-30", "us").item(),
    ]


@given(st.lists(st.integers(1, 4), min_size=3, max_size=40))
def test_positions_count_missing_timestamps(steps):
    steps = [1] * len(steps) + steps
    calendar = Calendar("microseconds", DAYS)
    days = stamps("2020-01-01", 1, "D") + np.cumsum([0, *steps]) * np.timedelta64(1, "D")
    assert np.diff(calendar.positions(days)).tolist() == steps


def test_a_rare_weekend_does_not_hide_business_days():
    saturday = np.datetime64("2020-01-04", "us")
    calendar = calendar_of(np.sort(np.append(business_days(300), saturday)))
    assert calendar == Calendar("business days", 1)


def zoned(frequency: str, zone: str, count: int, hour: int = 0) -> np.ndarray:
    index = pd.date_range(f"2019-01-01 {hour:02d}:00", periods=count, freq=frequency, tz=zone)
    return np.array(index.tz_convert("UTC").tz_localize(None).values, "M8[us]")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Europe/London", "Pacific/Auckland"])
@pytest.mark.parametrize(
    ("frequency", "name"),
    [("MS", "months"), ("D", "days"), ("B", "business days"), ("W", "weeks"), ("ME", "months"), ("QS", "quarters")],
)
def test_the_calendar_is_found_and_continued_by_the_clocks_of_its_zone(frequency, name, zone):
    stamps = zoned(frequency, zone, 400)
    calendar = calendar_of(stamps[:380])
    assert str(calendar) == f"{name} in {zone}"
    assert calendar is not None
    assert calendar.after(stamps[379], 20).tolist() == stamps[380:].tolist()
    assert (np.diff(calendar.positions(stamps)) == 1).all()


@pytest.mark.parametrize(("zone", "offset"), [("Asia/Shanghai", "UTC+08:00"), ("Asia/Kolkata", "UTC+05:30")])
@pytest.mark.parametrize(("frequency", "name"), [("MS", "months"), ("B", "business days")])
def test_dates_further_east_are_found_where_there_is_no_daylight_saving(frequency, name, zone, offset):
    stamps = zoned(frequency, zone, 60)
    calendar = calendar_of(stamps[:50])
    assert str(calendar) == f"{name} in {offset}"
    assert calendar is not None
    assert calendar.after(stamps[49], 10).tolist() == stamps[50:].tolist()


def test_closing_hours_are_business_days_of_their_zone():
    assert str(calendar_of(zoned("B", "America/New_York", 500, hour=16))) == "business days in America/New_York"


@pytest.mark.parametrize("frequency", ["h", "15min", "D"])
def test_even_steps_in_utc_have_no_other_zone(frequency):
    calendar = calendar_of(zoned(frequency, "UTC", 500, hour=21))
    assert calendar is not None
    assert calendar.zone == "UTC"


@pytest.mark.parametrize("step", ["D", "M"])
def test_no_calendar_goes_beyond_the_year_9999(step):
    last = np.array("9999-12" if step == "M" else "9999-12-28", f"M8[{step}]")
    stamps = np.asarray((last - np.arange(30)[::-1]).astype("M8[us]"))
    calendar = calendar_of(stamps)
    assert calendar is not None
    following = calendar.after(stamps[-1], 6)
    left = 3 if step == "D" else 0
    assert np.isnat(following).tolist() == [False] * left + [True] * (6 - left)


def test_the_day_before_a_month_s_last_stays_that():
    months = np.arange("2019-01", "2022-01", dtype="M8[M]")
    stamps = ((months + 1).astype("M8[D]") - 2).astype("M8[us]")
    calendar = calendar_of(stamps[:24])
    assert calendar is not None
    assert calendar.after(stamps[23], 12).tolist() == stamps[24:].tolist()
