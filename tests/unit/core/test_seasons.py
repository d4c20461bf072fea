"""Seasons: proposed by the calendar, tested on what the first origin of the period knows, and by nothing later."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pulse_core import Observations, RunSpec
from pulse_core.data.calendars import calendar_of
from pulse_core.data.observations import end_of
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.data.seasons import (
    LEAST_HISTORY,
    NORMAL_90,
    NORMAL_99,
    candidates,
    f_limit,
    least_history,
    means_of_steps,
    season_test,
    seasonality,
)
from pulse_core.errors import TooLittleData
from tests.plain_seasons import plain_limit, plain_test, without_means
from tests.strategies import replayed, rewritten_after, specs_for, values

FIRST = np.datetime64("2015-01-01", "us")
DAYS = np.datetime64("2015-01-05") + np.arange(60)
CALENDARS = {
    "years": (np.datetime64("1950-01", "M") + 12 * np.arange(40), (), 8),
    "half years": (np.datetime64("1950-01", "M") + 6 * np.arange(40), (2,), 8),
    "quarters": (np.datetime64("1950-01", "M") + 3 * np.arange(40), (4,), 8),
    "months": (np.datetime64("1950-01", "M") + np.arange(40), (12,), 28),
    "five months": (np.datetime64("1950-01", "M") + 5 * np.arange(40), (), 8),
    "weeks": (np.datetime64("2015-01-05") + 7 * np.arange(40), (52,), 8),
    "two weeks": (np.datetime64("2015-01-05") + 14 * np.arange(40), (26,), 8),
    "three weeks": (np.datetime64("2015-01-05") + 21 * np.arange(40), (), 8),
    "days": (FIRST + np.arange(40) * np.timedelta64(1, "D"), (7,), 18),
    "two days": (FIRST + np.arange(40) * np.timedelta64(2, "D"), (), 8),
    "business days": (DAYS[np.is_busday(DAYS)][:40], (5,), 14),
    "six hours": (FIRST + np.arange(40) * np.timedelta64(6, "h"), (4, 28), 12),
    "hours": (FIRST + np.arange(40) * np.timedelta64(1, "h"), (24, 168), 52),
    "half hours": (FIRST + np.arange(40) * np.timedelta64(30, "m"), (48, 336), 100),
    "ten minutes": (FIRST + np.arange(40) * np.timedelta64(10, "m"), (144, 1008), 100),
    "minutes": (FIRST + np.arange(40) * np.timedelta64(1, "m"), (1440,), 100),
    "seven hours": (FIRST + np.arange(40) * np.timedelta64(7, "h"), (), 8),
    "seconds": (FIRST + np.arange(40) * np.timedelta64(1, "s"), (), 8),
}


def stamps_of(name: str) -> Any:
    return CALENDARS[name][0].astype("datetime64[us]")


@pytest.mark.parametrize("name", CALENDARS)
def test_the_calendar_proposes_the_steps_of_a_year_a_week_or_a_day(name):
    calendar = calendar_of(stamps_of(name))
    assert calendar is not None
    assert candidates(calendar) == CALENDARS[name][1]


@pytest.mark.parametrize("name", CALENDARS)
def test_the_least_history_is_two_seasons_and_four_but_short_for_long_steps(name):
    assert least_history(calendar_of(stamps_of(name))) == CALENDARS[name][2]


@pytest.mark.parametrize(
    ("name", "is_open", "periods"),
    [
        ("nights and weekends closed", lambda hour, day: (hour >= 9) & (hour < 17) & (day < 5), (8, 40)),
        ("weekends closed", lambda hour, day: day < 5, (24, 120)),
        ("nights closed", lambda hour, day: hour >= 6, (18, 126)),
        ("a day missing", lambda hour, day: np.arange(len(hour)) // 24 != 30, (24, 168)),
    ],
)
def test_days_and_weeks_that_are_not_filled_have_the_steps_that_they_hold(name, is_open, periods):
    count = np.arange(24 * 60)
    hours = (np.datetime64("2015-01-05T00", "h") + count).astype("datetime64[us]")  # from a Monday on
    stamps = hours[is_open(count % 24, count // 24 % 7)]
    assert candidates(calendar_of(stamps), stamps) == periods, name


def test_no_week_is_proposed_while_days_are_not_filled_and_none_is_known():
    count = np.arange(24 * 5)
    stamps = (np.datetime64("2015-01-05T00", "h") + count).astype("datetime64[us]")[count % 24 < 8]
    assert candidates(calendar_of(stamps), stamps) == (8,)


@pytest.mark.parametrize("name", CALENDARS)
def test_timestamps_without_gaps_change_nothing_of_what_the_calendar_proposes(name):
    stamps = stamps_of(name)
    long = stamps[0] + np.arange(6000) * (stamps[1] - stamps[0])
    for known in (stamps, long):
        calendar = calendar_of(known)
        assert candidates(calendar, known) == candidates(calendar)


def test_a_run_over_hours_of_business_finds_the_season_of_a_day_of_business():
    count = np.arange(24 * 90)
    hours = (np.datetime64("2015-01-05T00", "h") + count).astype("datetime64[us]")
    stamps = hours[(count % 24 >= 9) & (count % 24 < 17) & (count // 24 % 7 < 5)]
    numbers = pattern(8, len(stamps)) + np.random.default_rng(3).normal(0, 0.1, len(stamps))
    point = point_in_time(
        Observations("x", stamps, numbers, stamps), spec_of(start=date(2015, 3, 1), end=date(2015, 4, 1))
    )
    assert point.seasonality.periods[0] == 8


def test_timestamps_without_a_calendar_propose_nothing():
    assert candidates(None) == ()
    assert least_history(None) == LEAST_HISTORY
    assert seasonality(np.arange(50.0), None).periods == ()


@pytest.mark.parametrize("normal", [NORMAL_90, NORMAL_99], ids=["90 %", "99 %"])
@pytest.mark.parametrize("within", [7, 11, 24, 60, 500, 20_000])
@pytest.mark.parametrize("between", [1, 3, 6, 11, 47, 288])
def test_the_limit_is_the_quantile_of_the_f_distribution(between, within, normal):
    limit = f_limit(between, within, normal)
    assert limit == pytest.approx(plain_limit(between, within, normal), rel=1e-12)
    assert limit == pytest.approx(stats.f.ppf(stats.norm.cdf(normal), between, within), rel=0.05)


@given(
    st.lists(values(-100, 100), min_size=40, max_size=90),
    st.sampled_from([(5, 1), (12, 1), (12, 4), (12, 5)]),
    st.sampled_from([NORMAL_90, NORMAL_99]),
)
def test_the_test_is_an_analysis_of_variance_in_plain_python(numbers, periods, normal):
    period, shorter = periods
    differences = np.diff(numbers)
    assert means_of_steps(differences, period) == pytest.approx(
        [step - rest for step, rest in zip(differences, without_means(differences, period), strict=True)], abs=1e-9
    )
    test = season_test(differences, period, shorter, normal)
    if float(np.ptp(differences)) < 1e-6 or test.share > 1 - 1e-9:
        return
    expected = plain_test(numbers, period, shorter if period % shorter == 0 else 1, normal)
    assert attrs.astuple(test) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_of_one_season_the_statistic_is_scipy_s():
    differences = np.random.default_rng(1).normal(size=95)
    groups = [differences[first::12] for first in range(12)]
    assert season_test(differences, 12, 1, NORMAL_90).statistic == pytest.approx(stats.f_oneway(*groups).statistic)


def pattern(period: int, count: int, seed: int = 0, size: float = 3.0) -> Any:
    return np.resize(np.random.default_rng(seed).normal(0, size, period), count)


def test_a_season_under_a_trend_and_noise_is_found():
    generator = np.random.default_rng(2)
    history = 100 + 0.5 * np.arange(60) + pattern(12, 60) + generator.normal(size=60)
    found = seasonality(history, calendar_of(stamps_of("months")))
    assert (found.periods, found.source) == ((12,), "test")
    assert found.reason.startswith("months: 12 found (F ")


def test_a_season_that_multiplies_is_found():
    history = 100 * 1.01 ** np.arange(80) * (1 + 0.1 * pattern(4, 80, size=1.0))
    assert seasonality(history, calendar_of(stamps_of("quarters"))).periods == (4,)


def test_seasons_of_the_day_and_of_the_week_are_both_found_where_both_are_there():
    noise = np.random.default_rng(3).normal(size=2000)
    calendar = calendar_of(stamps_of("hours"))
    day, week = pattern(24, 2000), pattern(168, 2000, seed=9)
    assert seasonality(day + week + noise, calendar).periods == (24, 168)
    assert seasonality(day + noise, calendar).periods == (24,)
    assert seasonality(noise.cumsum(), calendar).periods == ()


@pytest.mark.parametrize(
    ("name", "most"), [("months", 0.16), ("quarters", 0.16), ("business days", 0.02), ("days", 0.02)]
)
def test_random_walks_have_no_season_but_for_the_level_of_the_test(name, most):
    calendar = calendar_of(stamps_of(name))
    walks = np.random.default_rng(4).normal(size=(300, 200)).cumsum(axis=1)
    assert sum(seasonality(walk, calendar).periods != () for walk in walks) <= most * len(walks)


@pytest.mark.parametrize("count", [1, 2, 8, 35])
def test_a_history_too_short_for_a_test_has_the_calendar_s_season_but_none_of_days_and_weeks(count):
    history = np.random.default_rng(5).normal(size=count)
    months = seasonality(history, calendar_of(stamps_of("months")))
    assert (months.periods, months.source) == ((12,), "calendar")
    assert seasonality(history, calendar_of(stamps_of("half hours"))).periods == (48, 336)
    assert seasonality(history, calendar_of(stamps_of("weeks"))).periods == ()
    assert seasonality(history[:14], calendar_of(stamps_of("business days"))).periods == ()


@pytest.mark.parametrize("number", [0.0, 7.0, 1e300, -1e300])
def test_a_constant_has_no_season(number):
    assert seasonality(np.full(100, number), calendar_of(stamps_of("months"))).periods == ()


def test_what_repeats_exactly_has_a_season():
    assert seasonality(pattern(12, 120), calendar_of(stamps_of("months"))).periods == (12,)


@given(st.lists(st.floats(-1e200, 1e200), min_size=36, max_size=60), st.sampled_from(["months", "days", "hours"]))
def test_any_values_have_a_season_or_none(numbers, name):
    with np.errstate(all="ignore"):
        found = seasonality(np.array(numbers), calendar_of(stamps_of(name)))
    assert found.periods in ((), candidates(calendar_of(stamps_of(name))), candidates(calendar_of(stamps_of(name)))[:1])
    assert found.reason


def monthly(numbers: Any, variable: str = "x") -> Observations:
    stamps = (np.datetime64("2000-01", "M") + np.arange(len(numbers))).astype("datetime64[us]")
    return Observations(variable, stamps, numbers, stamps)


def spec_of(**fields: Any) -> RunSpec:
    period: dict[str, Any] = {"variables": ("x",), "start": date(2005, 1, 1), "end": date(2009, 12, 31), "horizon": 2}
    return RunSpec(**period | fields)


def test_what_is_given_is_taken_untested():
    walk = monthly(np.random.default_rng(6).normal(size=120).cumsum())
    assert point_in_time(walk, spec_of()).seasonality.periods == ()
    for season, periods in (({"*": "none", "x": (6, 12)}, (6, 12)), ({"y": "auto", "*": 5}, (5,)), (None, ())):
        found = point_in_time(walk, spec_of(season=season)).seasonality
        assert (found.periods, found.source) == (periods, "given")


def test_a_season_is_that_of_the_target():
    level = monthly(np.random.default_rng(6).normal(size=120).cumsum() + pattern(12, 120))
    for target in ("level", "change"):
        assert point_in_time(level, spec_of(target=target)).seasonality.periods == (12,)


def test_the_season_is_found_by_what_the_first_origin_of_the_period_knows():
    numbers = np.random.default_rng(7).normal(size=120).cumsum()
    numbers[60:] += pattern(12, 60, size=20.0)
    assert point_in_time(monthly(numbers), spec_of()).seasonality.periods == ()
    assert point_in_time(monthly(numbers), spec_of(start=date(2008, 1, 1))).seasonality.periods == (12,)


def test_the_least_history_is_the_calendar_s_unless_it_is_given():
    observations = monthly(np.random.default_rng(8).normal(size=120).cumsum())
    for least, expected in ((None, 28), (5, 5), (40, 40)):
        point = point_in_time(observations, spec_of(start=date(2000, 1, 1), min_history=least))
        assert point.min_history == expected
        assert int(point.origin_length[0]) == expected


@pytest.mark.parametrize(("days", "least"), [("days", 18), ("business days", 14)])
def test_a_variable_by_day_that_begins_in_the_period_waits_until_its_season_can_be_tested(days, least):
    tested = 21  # eight business days read as days
    stamps = stamps_of(days)
    week = np.resize([0.0, 0.0, 0.0, 0.0, 9.0, 9.0, 9.0][: 7 if days == "days" else 5], len(stamps))
    observations = Observations("x", stamps, week + np.random.default_rng(9).normal(size=len(stamps)), stamps)
    point = point_in_time(observations, spec_of(end=date(2016, 1, 1)))
    assert (point.min_history, point.seasonality.source) == (tested, "test")
    assert point.seasonality.periods == candidates(point.calendar) != ()
    begun = stamps[tested - 1].astype("datetime64[D]").item()
    assert point_in_time(observations, spec_of(start=begun, end=date(2016, 1, 1))).min_history == least
    given = spec_of(end=date(2016, 1, 1), season=(3,))
    assert point_in_time(observations, given).min_history < tested


def test_no_season_at_all_needs_no_two_of_them():
    observations = monthly(np.random.default_rng(8).normal(size=20))
    with pytest.raises(TooLittleData, match="and 28 timestamps in all"):
        point_in_time(observations, spec_of(start=date(2000, 1, 1)))
    assert point_in_time(observations, spec_of(start=date(2000, 1, 1), season="none")).min_history == LEAST_HISTORY


def point_of(observations: Observations, spec: RunSpec) -> PointInTime | None:
    try:
        return point_in_time(observations, spec)
    except TooLittleData:
        return None


@settings(max_examples=60)
@given(st.data())
def test_rows_known_after_the_first_origin_of_the_period_change_no_season_and_no_least_history(data):
    observations = data.draw(replayed(values()))
    spec = data.draw(specs_for(observations))
    least = data.draw(st.sampled_from([None, None, 3]))
    spec = attrs.evolve(spec, season="auto", min_history=least, batch_limit=None)
    before = point_of(observations, spec)
    if before is None:
        return
    start = np.datetime64(spec.start, "us")
    first = before.origin_known_at[np.searchsorted(before.origin_known_at, start)]
    others = [data.draw(rewritten_after(observations, first)), observations.known_by(first)]
    for other in others:
        point = point_of(other, spec)
        assert point is not None
        assert (point.seasonality, point.min_history) == (before.seasonality, before.min_history)
    longer = attrs.evolve(spec, end=spec.end + timedelta(days=400))
    point = point_of(observations.known_by(end_of(longer.end)), longer)
    assert point is not None
    assert (point.seasonality, point.min_history) == (before.seasonality, before.min_history)
