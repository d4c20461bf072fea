import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_adapters.stores.formats.cells import moment, number

NEW_YEAR = 1_577_836_800_000_000  # 2020-01-01T00:00Z in microseconds


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("2020-01-01", 0),
        (" 2020-01-01 ", 0),
        ("2020-01-01T12", 43_200_000_000),
        ("2020-01-01T12:30", 45_000_000_000),
        ("2020-01-01 12:30:15", 45_015_000_000),
        ("2020-01-01T12:30:15.5", 45_015_500_000),
        ("2020-01-01T12:30:15.000001", 45_015_000_001),
        ("2020-01-01T12:30:15.000001000", 45_015_000_001),
        ("2020-01-01T12:30:15Z", 45_015_000_000),
        ("2020-01-01T12:30+02:00", 37_800_000_000),
        ("2020-01-01T12:30+0200", 37_800_000_000),
        ("2020-01-01T12:30-02", 52_200_000_000),
        ("2020-01-01T00:00-23:59", 86_340_000_000),
    ],
)
def test_iso_times_are_read_as_utc(text, after):
    assert moment(text) == NEW_YEAR + after


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2000-01", "2000-01-01"), (" 2024-02 ", "2024-02-01"), ("0001-12", "0001-12-01"),
        ("2000-01-01T00:00:00.123456000", "2000-01-01T00:00:00.123456"),
        ("2000-01-01T00:00:00.100000000000Z", "2000-01-01T00:00:00.1"),
    ],
)  # fmt: skip
def test_a_month_is_its_first_day_and_zeros_below_a_microsecond_are_none(text, day):
    assert moment(text) == int(np.datetime64(day, "us").astype(int))


@pytest.mark.parametrize("text", ["2020-01-01T00:00:00.0000001", "2000-01-01T00:00:00.123456789+02:00"])
def test_digits_below_a_microsecond_are_refused_with_what_is_expected(text):
    with pytest.raises(ValueError, match="is finer than a microsecond: at most six digits, then zeros"):
        moment(text)


@pytest.mark.parametrize("text", ["2000-00", "2000-13", "2000-1", "2000", "2000-01Z", "2000-01T00", "2000-01-"])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(ValueError, match=r"is no (ISO )?date"):
        moment(text)


@pytest.mark.parametrize(
    "text",
    [
        "2020-13-01", "2020-02-30", "2019-02-29", "2020-1-1", "20200101", "01/02/2020", "2020-W01-1", "2020-001",
        "2020-01-01T24:00", "2020-01-01T12:60", "2020-01-01T23:59:60", "2020-01-01T", "2020-01-01Z", "NaT", "NA",
        "today", "43831",
        "2020-01-01T00:00+24:00", "2020-01-01T00:00+02:60", "0000-01-01", "٢٠٢٠-01-01",
        "2020-01-01\x00", "-2020-01-01", "12020-01-01",
    ],
)  # fmt: skip
def test_a_date_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match=r"is no (ISO )?date"):
        moment(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+00:01", "9999-12-31T23:59-00:01"])
def test_an_offset_that_leads_out_of_the_calendar_is_refused(text):
    with pytest.raises(ValueError, match="outside the years"):
        moment(text)


@pytest.mark.parametrize("cell", [None, "", " "])
def test_a_blank_time_is_missing(cell):
    with pytest.raises(ValueError, match="is missing"):
        moment(cell)


@pytest.mark.parametrize("cell", [20200101, 1.5, True, ["2020-01-01"], {}])
def test_a_time_that_is_no_text_is_refused(cell):
    with pytest.raises(ValueError, match="is no ISO date"):
        moment(cell)


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),  # noqa: DTZ001  # the zone is drawn
        max_value=datetime(9998, 12, 31),  # noqa: DTZ001  # the zone is drawn
        timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
)
def test_what_python_writes_is_read_to_the_microsecond(when):
    assert moment(when.isoformat()) == (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize("cell", ["", " ", ".", "NA", "na", "NaN", "nan", "NAN", " NA ", None, math.nan])
def test_absent_observations_are_nan(cell):
    assert math.isnan(number(cell))


@pytest.mark.parametrize(
    "text",
    ["1", "+1", "-0.0", ".5", "5.", "1e5", "1E-5", " 7 ", "0.1", "5e-324", "1.7976931348623157e308", "1e-400",
     "9007199254740993", "2.2250738585072011e-308", "0." + "1" * 400],
)  # fmt: skip
def test_numbers_are_rounded_as_python_does(text):
    assert number(text).hex() == float(text).hex()


@pytest.mark.parametrize(
    "cell",
    ["abc", "1_000", "1,5", "1 2", "0x10", "1e", "e5", "--1", "\u0661", "n/a", "null", "None", "-", "true", "1d5",
     True, False, [1], {"a": 1}, b"1"],
)  # fmt: skip
def test_text_where_a_number_is_due_is_refused(cell):
    with pytest.raises(ValueError, match="is no number"):
        number(cell)


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "+INF", math.inf, -math.inf])
def test_infinities_are_refused(cell):
    with pytest.raises(ValueError, match="is infinite"):
        number(cell)


@pytest.mark.parametrize("text", ["1e999", "-1e309", "1" + "0" * 400])
def test_numbers_too_large_for_a_float64_are_refused(text):
    with pytest.raises(ValueError, match="too large"):
        number(text)


def test_a_long_cell_is_shown_cut():
    with pytest.raises(ValueError, match="…") as refused:
        number("x" * 100_000)
    assert len(str(refused.value)) < 100
