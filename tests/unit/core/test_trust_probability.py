"""Trust from the states of pairs: what plain loops make of the same sums, and what must be true of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pulse_core.data.calendars import Calendar
from pulse_core.scores.trust import DRIFT, LEAST_WEIGHT, STATE, span_of, trust_probability
from tests.plain_trust import Settings, Trust

shares = st.floats(0.01, 1.0)


@st.composite
def plain_trusts(draw: st.DrawFn) -> Trust:
    """The sums of a pair, as after any differences; few, or none that differ, among them."""
    trust = Trust(draw(st.integers(1, 12)), Settings(span=draw(st.sampled_from([1, 12, 250, 365]))))
    weight = draw(st.floats(0.0, 4.0) | st.floats(3.0, 720.0))
    mean, deviation = draw(st.floats(-3.0, 3.0)), draw(st.sampled_from([0.0, 1e-9, 0.3, 1.0, 20.0]))
    trust.weight, trust.all_weight = weight, weight / draw(shares)
    trust.squared_weight = max(weight * draw(shares), weight * weight / 720.0)
    trust.total, trust.squares = weight * mean, weight * (mean * mean + deviation * deviation)
    trust.lags = [(weight * draw(st.floats(-5.0, 20.0)), weight * draw(shares)) for _ in trust.lags]
    return trust


def state_of(trust: Trust) -> list[float]:
    """The numbers of STATE; wins and losses are of no use to trust."""
    ratio = math.nan if trust.ratio is None else trust.ratio
    return [ratio, trust.count, trust.inflation, trust.weight, trust.all_weight, math.nan, math.nan]


def trust_in(*pairs: list[float], horizon: int = 1, span: int = 250) -> np.ndarray:
    """The trust of pairs at a horizon; at those before it stand other numbers."""
    states = np.full((len(STATE), horizon, len(pairs)), 5.0)
    states[:, -1] = np.array(pairs).T
    return np.asarray(trust_probability(states, span)[-1])


@given(plain_trusts())
def test_trust_is_that_of_plain_loops(trust):
    (probability,) = trust_in(state_of(trust), horizon=trust.horizon, span=trust.settings.span)
    expected = math.nan if trust.probability is None else trust.probability
    assert float(probability) == pytest.approx(expected, rel=1e-10, abs=1e-300, nan_ok=True)


@given(st.lists(plain_trusts().map(state_of), min_size=1, max_size=8), st.integers(1, 4), st.integers(1, 3))
def test_trust_in_one_has_the_same_bits_whoever_stands_beside_it(states, horizons, marks):
    together = np.resize(np.array(states), (marks, horizons, len(states), len(STATE)))
    table = trust_probability(np.moveaxis(together, -1, 1), 250)
    assert table.shape == (marks, horizons, len(states))
    for mark in range(marks):
        for horizon in range(horizons):
            alone = trust_in(*together[mark, horizon].tolist(), horizon=horizon + 1)
            assert table[mark, horizon].tobytes() == alone.tobytes()


def test_below_a_weight_of_three_and_without_a_ratio_there_is_no_trust():
    assert LEAST_WEIGHT == 3.0
    below = math.nextafter(3.0, 0.0)
    few, enough = [0.1, below, 1.0, below, 3.0, 0.0, 0.0], [0.1, 3.0, 1.0, 3.0, 3.0, 0.0, 0.0]
    none = [math.nan, 50.0, 1.0, 50.0, 50.0, 0.0, 0.0]
    assert np.isnan(trust_in(few, enough, none)).tolist() == [True, False, True]


@pytest.mark.parametrize("ratio", [-1.0, -0.3, 0.3, 0.5, 1.0])
def test_once_all_is_known_only_drift_is_left(ratio):
    # far from the mean of the narrow part, the wide one says what was seen
    endless = [ratio, 1e12, 1.0, 1e12, 1e12, 0.0, 0.0]
    (probability,) = trust_in(endless, span=10**12)
    assert probability == pytest.approx(stats.t.cdf(ratio / DRIFT, 200), rel=1e-4)


def test_who_always_differs_by_the_same_is_all_but_certain():
    certain = [[sign * 10.0, count, 1.0, count, count, 0.0, 0.0] for sign in (1, -1) for count in (3.0, 700.0)]
    for probability, is_better in zip(trust_in(*certain), [True, True, False, False], strict=True):
        assert 0.8 < probability <= 1.0 if is_better else 0.0 <= probability < 0.2


@given(st.floats(100.0, 700.0), st.floats(1.0, 5.0))
def test_ties_that_leave_less_to_come_make_trust_less_sure(weight, share):
    all_count, few_count = ([0.4, weight, 1.0, weight, compared, 0.0, 0.0] for compared in (weight, weight * share))
    sure, less = trust_in(all_count, few_count)
    assert sure >= less - 1e-12


def test_without_skill_trust_is_below_one_half_before_much_is_known():
    # a forecaster pays for its parameters
    assert trust_in([0.0, 3.0, 1.0, 3.0, 3.0, 0.0, 0.0])[0] < 0.5


@pytest.mark.parametrize(
    ("calendar", "span"),
    [
        (Calendar("business days", 1), 250),
        (Calendar("microseconds", 86_400_000_000), 365),
        (Calendar("microseconds", 7 * 86_400_000_000), 52),
        (Calendar("months", 1), 12),
        (Calendar("months", 3, at_end=True), 4),
        (Calendar("months", 12), 1),
    ],
)
def test_the_span_of_a_common_calendar_is_a_year_of_it(calendar, span):
    assert span_of(calendar, 77) == span


@pytest.mark.parametrize("calendar", [None, Calendar("months", 2), Calendar("microseconds", 3_600_000_000)])
@pytest.mark.parametrize(("last_year", "span"), [(0, 12), (12, 12), (13, 13), (8760, 8760)])
def test_the_span_of_any_other_is_what_became_known_in_the_year_before_at_least_twelve(calendar, last_year, span):
    assert span_of(calendar, last_year) == span
