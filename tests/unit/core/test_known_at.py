"""The rules by which each row of a variable became known."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core import DataError, Observations
from pulse_core.data.known_at import KnownRows, resolve_known_at
from tests.strategies import daily
from tests.unit.core.runs import known, series

LATE = date(2100, 1, 1)


def stamped(first: str, months: int, count: int, wait: str = "0D") -> Observations:
    """Stamps on the first of every so many months; `wait` moves the last one."""
    stamps = (np.datetime64(first, "M") + months * np.arange(count)).astype("datetime64[us]")
    stamps[-1] += np.timedelta64(int(wait[:-1]), wait[-1])  # type: ignore[call-overload]
    return Observations("x", stamps, np.arange(float(count)))


def days_known(observations: Observations, rule: str = "auto", last: date = LATE) -> list[str]:
    resolved = resolve_known_at(observations, rule, last).known
    assert resolved.known_at is not None
    return [str(moment) for moment in resolved.known_at.astype("datetime64[D]")]


def applied(observations: Observations, rule: str = "auto", last: date = LATE) -> str:
    return resolve_known_at(observations, rule, last).rule


def test_a_known_at_column_is_not_changed():
    rows = known([(0, 1.0, 3), (1, 2.0, 9)])
    assert resolve_known_at(rows, "auto", LATE) == KnownRows(rows, "column")


@given(daily(1, 30))
def test_daily_data_are_known_at_their_timestamp(observations):
    resolved = resolve_known_at(observations, "auto", LATE)
    assert resolved.known.known_at is not None
    assert resolved.rule == "timestamp"
    assert resolved.known.known_at.tolist() == observations.timestamps.tolist()


@pytest.mark.parametrize(
    ("months", "rule", "first_known"),
    [
        (1, "period-end (1 months)", "2020-01-31"),
        (3, "period-end (3 months)", "2020-03-31"),
        (6, "period-end (6 months)", "2020-06-30"),
        (12, "period-end (12 months)", "2020-12-31"),
    ],
)
def test_data_stamped_at_period_starts_are_known_at_the_period_s_end(months, rule, first_known):
    observations = stamped("2020-01", months, 14)
    assert applied(observations) == rule
    assert days_known(observations)[0] == first_known


def test_a_leap_february_ends_on_its_29th():
    assert days_known(stamped("2020-01", 1, 12))[1] == "2020-02-29"


def test_a_missing_month_does_not_make_the_others_longer():
    full = stamped("2020-01", 1, 14)
    holed = Observations("x", np.delete(full.timestamps, 4), np.delete(full.values, 4))
    assert applied(holed) == "period-end (1 months)"


@pytest.mark.parametrize(("count", "rule"), [(11, "timestamp"), (12, "period-end (1 months)")])
def test_fewer_than_twelve_stamps_are_no_series_of_periods(count, rule):
    assert applied(stamped("2020-01", 1, count)) == rule


@pytest.mark.parametrize("wait", ["1D", "1h", "1s", "15D"])
def test_stamps_that_come_near_to_period_starts_and_miss_are_refused(wait):
    with pytest.raises(DataError, match="about the first of a month") as refused:
        applied(stamped("2020-01", 1, 20, wait))
    assert "--known-at period-end" in refused.value.hint


def test_stamps_after_the_last_day_do_not_count_towards_twelve():
    assert applied(stamped("2020-01", 1, 24), last=date(2020, 11, 30)) == "timestamp"


def test_a_month_that_ends_on_the_last_day_counts():
    assert applied(stamped("2020-01", 1, 24), last=date(2020, 12, 31)) == "period-end (1 months)"


@pytest.mark.parametrize(
    ("rule", "known_on"),
    [("timestamp", "2020-01-01"), ("period-end", "2020-01-31"), ("+0d", "2020-01-01"), ("+45d", "2020-02-15")],
)
def test_a_rule_overrides_the_period_of_the_stamps(rule, known_on):
    assert days_known(stamped("2020-01", 1, 12), rule)[0] == known_on


@pytest.mark.parametrize(("rule", "known_on"), [("timestamp", "2020-01-01"), ("+7d", "2020-01-08")])
def test_a_rule_overrides_a_column(rule, known_on):
    assert days_known(known([(0, 1.0, 3), (1, 2.0, 9)]), rule)[0] == known_on


@pytest.mark.parametrize("rule", ["timestamp", "+2d"])
def test_a_rule_that_would_make_a_revision_and_its_release_known_together_is_refused(rule):
    with pytest.raises(DataError, match=r"several releases.*Leave --known-at out"):
        resolve_known_at(known([(0, 1.0, 3), (0, 2.0, 9)]), rule, LATE)


@pytest.mark.parametrize("rule", ["auto", "timestamp", "period-end", "+3d"])
@given(observations=daily(1, 20), last=st.dates(date(2020, 1, 1), date(2020, 4, 1)))
def test_no_rule_makes_a_row_known_before_its_timestamp(rule, observations, last):
    resolved = resolve_known_at(observations, rule, last).known
    assert resolved.known_at is not None
    assert (resolved.known_at >= resolved.timestamps).all()


def test_a_stamp_late_on_the_last_day_of_its_period_is_known_at_itself():
    stamp = np.datetime64("2020-01-31T15:00", "us")
    resolved = resolve_known_at(Observations("x", [stamp], [1.0]), "period-end", LATE).known
    assert resolved.known_at is not None
    assert resolved.known_at[0] == stamp


def test_rows_known_by_a_day_are_those_until_its_end_under_the_same_rule():
    rows = resolve_known_at(series([1.0, 2.0, 3.0]), "+1d", LATE).by(date(2020, 1, 3))
    assert (rows.known.values.tolist(), rows.rule) == ([1.0, 2.0], "+1d")


@pytest.mark.parametrize("rule", ["timestamp", "period-end", "+3d"])
def test_the_rule_that_was_applied_is_reported(rule):
    assert applied(series([1.0, 2.0]), rule).startswith(rule)
