"""What is odd about a variable's rows is told; what is not, is not."""

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


def found(observations: Observations, now: np.datetime64 = NOW) -> dict[str, Finding]:
    return {finding.kind: finding for finding in quality(observations, now).findings}


@pytest.mark.parametrize("seed", range(5))
def test_a_sound_series_has_no_findings(seed):
    assert found(series(walk(seed=seed))) == {}


def test_what_there_is_is_told():
    one = attrs.evolve(series(walk(50)), absent=3)
    assert quality(one, NOW) == Quality("x", 50, 3, day(0), day(49), "days", vintages=False)


def test_a_gap_is_told_with_the_day_before_it():
    rows = series(walk(100))
    kept = np.delete(np.arange(100), [40, 41, 42, 80])
    finding = found(Observations("x", rows.timestamps[kept], rows.values[kept]))["gap"]
    assert (finding.count, finding.first, finding.note) == (2, day(39), False)
    assert "4 of the calendar's timestamps (days) are missing; the longest stretch, of 3" in finding.message


def business(count: int = 300) -> np.ndarray:
    return np.asarray(np.busday_offset("2020-01-01", np.arange(count), roll="forward").astype("datetime64[us]"))


@pytest.mark.parametrize(("missing", "gaps"), [([50], 0), ([50, 51], 0), ([50, 51, 52], 1)])
def test_holidays_are_no_gap(missing, gaps):
    rest = np.delete(business(), missing)
    assert len([kind for kind in found(Observations("x", rest, walk(len(rest)))) if kind == "gap"]) == gaps


def test_a_weekend_among_business_days_is_told():
    stamps = np.sort(np.append(business(), np.datetime64("2020-01-04", "us")))
    finding = found(Observations("x", stamps, walk(len(stamps))))["off calendar"]
    assert (finding.count, finding.first) == (1, np.datetime64("2020-01-04", "us"))


def test_irregular_timestamps_are_noted():
    steps = np.random.default_rng(3).integers(1, 40, 60)
    stamps = np.datetime64("2020-01-01", "us") + np.cumsum(steps) * np.timedelta64(1, "D")
    assert found(Observations("x", stamps, walk(60)))["no calendar"].note


def test_a_value_far_from_its_neighbours_is_told():
    numbers = walk()
    numbers[200] += 100
    finding = found(series(numbers))["outlier"]
    assert (finding.count, finding.first) == (1, day(200))


def test_a_shift_to_another_level_is_no_outlier():
    numbers = walk()
    numbers[200:] += 100
    assert "outlier" not in found(series(numbers))


def test_a_value_that_stands_still_unlike_the_others_is_told():
    numbers = walk()
    numbers[300:320] = numbers[300]
    finding = found(series(numbers))["stale"]
    assert (finding.count, finding.first) == (1, day(300))
    assert "20 times" in finding.message


def test_a_variable_that_often_stands_still_is_not_stale():
    numbers = np.repeat(walk(80), np.random.default_rng(5).geometric(0.3, 80))
    assert "stale" not in found(series(numbers))


def test_one_value_throughout_is_stale():
    assert found(series([5.0] * 100))["stale"].count == 1


def test_revisions_are_noted_with_their_size():
    rows = known([*((place, float(place), place) for place in range(30)), (5, 7.0, 40), (6, 6.0, 41)])
    both = found(rows)
    assert (both["revision"].count, both["revision"].first, both["revision"].note) == (1, day(5), True)
    assert "by 2 at the median" in both["revision"].message
    assert (both["repeat"].count, both["repeat"].first) == (1, day(6))


def test_rows_of_the_future_are_told():
    finding = found(series(walk(50)), now=day(47))["future"]
    assert (finding.count, finding.first) == (2, day(48))


@settings(max_examples=60)
@given(st.one_of(daily(), revised()))
def test_any_rows_can_be_looked_over(observations):
    looked = quality(observations, NOW)
    assert looked.observations == len(observations)
    assert all(finding.count > 0 for finding in looked.findings)
