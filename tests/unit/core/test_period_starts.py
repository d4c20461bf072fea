"""Period starts are found in any one time zone, or refused; what is refused is never guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core import DataError, Observations
from pulse_core.data.known_at import resolve_known_at, settled_by
from pulse_core.data.period_starts import period_starts
from pulse_core.data.quality import quality

LATE = date(2100, 1, 1)
FIRST = datetime.fromisoformat("2010-01-01")
ZONES = (
    *("Europe/Berlin", "America/New_York", "Europe/London", "Asia/Shanghai", "Asia/Kolkata", "Pacific/Auckland"),
    *("Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Kiritimati", "Asia/Tehran"),
)


def months(zone: str, count: int = 60, step: int = 1, hour: int = 0, day: int = 1, first: int = 2010) -> list[datetime]:
    """A day of every so many months at a local hour, plainly, one by one."""
    numbers = range(0, count * step, step)
    stamps = [datetime(first + n // 12, n % 12 + 1, day, hour, tzinfo=ZoneInfo(zone)) for n in numbers]
    return [stamp.astimezone(UTC).replace(tzinfo=None) for stamp in stamps]


def month_ends(zone: str, hour: int, minute: int = 0, count: int = 60) -> list[datetime]:
    starts = [FIRST.replace(year=2010 + n // 12, month=n % 12 + 1) for n in range(1, count + 1)]
    ends = [start - timedelta(days=1) + timedelta(hours=hour, minutes=minute) for start in starts]
    return [end.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None) for end in ends]


def observed(stamps: list[datetime]) -> Observations:
    return Observations("x", np.array(stamps, "M8[us]"), np.arange(float(len(stamps))))


def rule(stamps: list[datetime], last: date = LATE) -> str:
    return resolve_known_at(observed(stamps), "auto", last).rule


def moments(stamps: list[datetime]) -> np.ndarray:
    return np.array(stamps, "M8[us]")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("step", "hour"), [(1, 0), (3, 0), (12, 0), (1, 12)])
def test_local_period_starts_are_known_when_the_same_dates_in_utc_are(zone, step, hour):
    there = resolve_known_at(observed(months(zone, 40, step, hour)), "auto", LATE)
    here = resolve_known_at(observed(months("UTC", 40, step)), "auto", LATE)
    assert there.rule.startswith(f"period-end ({step} months")
    assert there.known.releases.tolist() == here.known.releases.tolist()


def test_the_rule_names_the_zone_where_it_is_not_utc():
    assert rule(months("UTC")) == "period-end (1 months)"
    assert rule(months("UTC", hour=12)) == "period-end (1 months)"
    assert rule(months("Europe/Berlin")) == "period-end (1 months, Europe/Berlin)"
    assert rule(months("America/New_York", step=3)) == "period-end (3 months, America/New_York)"
    assert rule(months("Asia/Shanghai")) == "period-end (1 months, UTC+08:00)"


def test_any_one_time_of_day_on_the_first_will_do():
    assert rule(months("America/New_York", hour=9)) == "period-end (1 months, America/New_York)"


@given(st.sampled_from(ZONES), st.integers(1970, 2035), st.integers(12, 60))
def test_every_month_of_a_zone_is_its_own_month(zone, first, count):
    stamps = moments(months(zone, count, first=first))
    starts = period_starts(stamps)
    expected = (np.datetime64(f"{first}-01", "M") + np.arange(count)).tolist()
    assert starts.months(stamps).tolist() == expected


@pytest.mark.parametrize("local_rule", ["auto", "period-end"])
def test_the_rule_period_end_counts_from_the_local_month(local_rule):
    known = resolve_known_at(observed(months("Europe/Berlin")), local_rule, LATE).known
    assert str(known.releases[0]) == "2010-01-31T00:00:00.000000"  # stamped in 2009, in UTC


@pytest.mark.parametrize(
    "stamps",
    [
        month_ends("UTC", 0), month_ends("UTC", 23, 59), month_ends("Europe/Berlin", 23, 59),
        month_ends("America/New_York", 16),
        [stamp - timedelta(days=max(0, stamp.weekday() - 4)) for stamp in month_ends("UTC", 21)],
        months("Europe/Berlin", day=15), months("UTC", day=4),
        [FIRST + timedelta(days=n) for n in range(900)],
        [FIRST + timedelta(weeks=n) for n in range(200)],
        sorted([*months("UTC"), *months("UTC", day=15)]),
        months("Europe/Berlin", 11),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_comes_nowhere_near_is_known_at_its_timestamp(stamps):
    assert rule(stamps) == "timestamp"


def test_an_hour_that_is_midnight_on_the_first_further_east_counts_as_that():
    # the text of the rule: any one time zone; known a month later than a month's end would be, never earlier
    assert rule(month_ends("UTC", 21)) == "period-end (1 months, UTC+03:00)"
    assert rule(month_ends("UTC", 20, 59)) == "timestamp"


def moved(stamps: list[datetime], row: int, **by: int) -> list[datetime]:
    return [stamp + timedelta(**by) if number == row else stamp for number, stamp in enumerate(stamps)]


NEAR = {
    "an odd hour": moved(months("Europe/Berlin"), 30, hours=1),
    "an odd day": moved(months("Europe/Berlin"), 30, days=9),
    "an odd day in UTC": moved(months("UTC"), 30, days=9),
    "an odd second": moved(months("UTC"), 59, seconds=1),
    "two zones": [*months("Europe/Berlin")[:30], *months("America/New_York")[30:]],
    "no daylight saving in one year": [*months("Europe/Berlin")[:36], *months("Africa/Lagos")[36:]],
    "first days of business": [
        stamp + timedelta(days=(7 - stamp.weekday()) % 7 if stamp.weekday() > 4 else 0) for stamp in months("UTC")
    ],
}


@pytest.mark.parametrize("case", NEAR)
def test_what_comes_near_and_misses_is_refused_with_a_hint(case):
    with pytest.raises(DataError, match="about the first of a month") as refused:
        rule(NEAR[case])
    assert "--known-at" in refused.value.hint


@pytest.mark.parametrize("case", NEAR)
@pytest.mark.parametrize("said", ["timestamp", "period-end", "+5d"])
def test_a_rule_that_is_said_needs_no_dates(case, said):
    assert resolve_known_at(observed(NEAR[case]), said, LATE).rule.startswith(said)


def test_a_near_miss_is_known_no_earlier_than_its_nearest_month_ends_where_period_end_is_said():
    known = resolve_known_at(observed(NEAR["an odd hour"]), "period-end", LATE).known
    assert str(known.releases[0]) == "2010-01-31T00:00:00.000000"


@pytest.mark.parametrize("case", NEAR)
def test_the_check_of_the_data_tells_of_a_near_miss(case):
    found = [finding.kind for finding in quality(observed(NEAR[case]), np.datetime64("2100-01-01", "us")).findings]
    assert "period" in found


def test_rows_whose_period_has_not_ended_do_not_decide():
    stamps = moved(months("Europe/Berlin"), 59, days=9)
    assert rule(stamps, date(2014, 11, 30)) == "period-end (1 months, Europe/Berlin)"
    assert not settled_by(observed(stamps), "auto", date(2014, 11, 30))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC"])
def test_data_are_settled_when_their_last_local_month_has_ended(zone):
    rows = observed(months(zone))
    assert not settled_by(rows, "auto", date(2014, 12, 30))
    assert settled_by(rows, "auto", date(2014, 12, 31))


def test_the_first_and_the_last_years_that_there_are_have_no_zone():
    stamps = np.array([f"{year:04d}-{month:02d}-01" for year in (1, 9999) for month in range(1, 13)], "M8[us]")
    assert period_starts(stamps).zone == "UTC"
    assert period_starts(np.asarray(stamps[12:] - np.timedelta64(2, "h"), "M8[us]")).zone == "UTC+02:00"
