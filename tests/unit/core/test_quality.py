"""Quality checks report the oddities of a variable's rows, and only those."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Observations
from pulse_core.data.quality import Finding, Quality, quality
from tests.strategies import daily, revised
from tests.unit.core.runs import day, known, series

NOW = np.datetime64("2040-01-01", "us")


def walk(count: int = 400, seed: int = 1) -> np.ndarray:
    return np.asarray(100 + np.cumsum(np.random.default_rng(seed).normal(size=count)))


def findings(observations: Observations, now: np.datetime64 = NOW) -> dict[str, Finding]:
    """Findings by kind, without the note on the season."""
    return {finding.kind: finding for finding in quality(observations, now).findings if finding.kind != "season"}


@pytest.mark.parametrize("seed", range(5))
def test_a_sound_series_has_no_findings(seed):
    assert findings(series(walk(seed=seed))) == {}


def test_size_and_span_are_reported():
    observations = attrs.evolve(series(walk(50)), absent=3)
    (season,) = quality(observations, NOW).findings
    assert quality(observations, NOW) == Quality(
        "x", 50, 3, day(0), day(49), "days", vintages=False, findings=(season,)
    )


def test_the_season_that_a_run_would_find_is_a_note():
    weekly = walk(60) + 20.0 * (np.arange(60) % 7 == 0)
    notes = [quality(series(values), NOW).findings[-1] for values in (weekly, walk(60))]
    assert [(note.kind, note.note, note.message.split(" ")[0]) for note in notes] == [
        ("season", True, "7"),
        ("season", True, "none"),
    ]


def test_a_gap_is_reported_with_the_day_before_it():
    rows = series(walk(100))
    index = np.delete(np.arange(100), [40, 41, 42, 80])
    finding = findings(Observations("x", rows.timestamps[index], rows.values[index]))["gap"]
    assert (finding.count, finding.first, finding.note) == (2, day(39), False)
    assert "4 of the calendar's timestamps (days) are missing; the longest gap, of 3" in finding.message


def business(count: int = 300) -> np.ndarray:
    return np.asarray(np.busday_offset("2020-01-01", np.arange(count), roll="forward").astype("datetime64[us]"))


@pytest.mark.parametrize(("missing", "gaps"), [([50], 0), ([50, 51], 0), ([50, 51, 52], 1)])
def test_holidays_are_no_gap(missing, gaps):
    stamps = np.delete(business(), missing)
    assert len([kind for kind in findings(Observations("x", stamps, walk(len(stamps)))) if kind == "gap"]) == gaps


def test_a_weekend_among_business_days_is_reported():
    stamps = np.sort(np.append(business(), np.datetime64("2020-01-04", "us")))
    finding = findings(Observations("x", stamps, walk(len(stamps))))["off calendar"]
    assert (finding.count, finding.first) == (1, np.datetime64("2020-01-04", "us"))


def test_irregular_timestamps_are_noted():
    steps = np.random.default_rng(3).integers(1, 40, 60)
    stamps = np.datetime64("2020-01-01", "us") + np.cumsum(steps) * np.timedelta64(1, "D")
    assert findings(Observations("x", stamps, walk(60)))["no calendar"].note


def test_a_value_far_from_its_neighbours_is_reported():
    numbers = walk()
    numbers[200] += 100
    finding = findings(series(numbers))["outlier"]
    assert (finding.count, finding.first) == (1, day(200))


def test_a_shift_to_another_level_is_no_outlier():
    numbers = walk()
    numbers[200:] += 100
    assert "outlier" not in findings(series(numbers))


def test_a_run_of_equal_values_is_reported():
    numbers = walk()
    numbers[300:320] = numbers[300]
    finding = findings(series(numbers))["stale"]
    assert (finding.count, finding.first) == (1, day(300))
    assert "20 times" in finding.message


def test_a_variable_with_many_equal_values_is_not_stale():
    numbers = np.repeat(walk(80), np.random.default_rng(5).geometric(0.3, 80))
    assert "stale" not in findings(series(numbers))


def test_one_value_throughout_is_stale():
    assert findings(series([5.0] * 100))["stale"].count == 1


def test_revisions_are_noted_with_their_size():
    rows = known([*((number, float(number), number) for number in range(30)), (5, 7.0, 40), (6, 6.0, 41)])
    reported = findings(rows)
    assert (reported["revision"].count, reported["revision"].first, reported["revision"].note) == (1, day(5), True)
    assert "by 2 at the median" in reported["revision"].message
    assert (reported["repeat"].count, reported["repeat"].first) == (1, day(6))


def test_rows_of_the_future_are_reported():
    finding = findings(series(walk(50)), now=day(47))["future"]
    assert (finding.count, finding.first) == (2, day(48))


@settings(max_examples=60)
@given(st.one_of(daily(), revised()))
def test_any_rows_can_be_checked(observations):
    report = quality(observations, NOW)
    assert report.observations == len(observations)
    assert all(finding.count > 0 for finding in report.findings)
