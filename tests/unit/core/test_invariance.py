"""Other units of measurement and a later release change no judgement."""

from __future__ import annotations

from datetime import timedelta

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Observations, RunSpec, TooLittleData, VariableSummary
from pulse_core.scores.measures import MEASURES
from tests.strategies import ALL_NAMES, DAY, replayed, values, whole_for
from tests.unit.core.real import real_series, released_late
from tests.unit.core.runs import FORECASTERS, ended, hindcasts, in_units

IN_UNITS = [index for index, name in enumerate(MEASURES) if in_units(name)]
LEARNED = (*("trust", "statistics", "verdicts", "reliability", "simple_skill", "trends", "weights", "regret", "bound"),)
ORDINARY = st.floats(1e-3, 1e6) | st.floats(-1e6, -1e-3) | st.integers(-3, 3).map(float)


def summary(observations: Observations, spec: RunSpec) -> VariableSummary | None:
    return next(iter(ended(observations, spec).variables), None)


@settings(max_examples=30)
@given(st.data(), st.integers(-950, 950))
def test_a_power_of_two_scales_errors_exactly_and_leaves_all_else_its_bits(data, power):
    observations = data.draw(replayed(ORDINARY))
    spec = data.draw(whole_for(observations))
    scaled = attrs.evolve(observations, values=np.ldexp(observations.values, power))
    before, after = summary(observations, spec), summary(scaled, spec)
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        expected = before.scores.copy()
        expected[..., IN_UNITS] = np.ldexp(expected[..., IN_UNITS], power)
        assert after.scores.tobytes() == expected.tobytes()
        assert all(getattr(after, name).tobytes() == getattr(before, name).tobytes() for name in LEARNED)


@pytest.fixture(scope="module")
def oil():
    observations = released_late(real_series("wti_price", 3000, 200))
    assert observations.known_at is not None
    first, last = (moment.astype("datetime64[D]").item() for moment in observations.known_at[[60, -1]])
    return observations, RunSpec(
        variables=("wti_price",), start=first, end=last, forecasters=ALL_NAMES, min_history=5, season=5
    )


@settings(max_examples=10)
@given(factor=st.floats(1e-9, 1e9))
def test_any_factor_scales_errors_and_leaves_all_else_as_it_was(oil, factor):
    observations, spec = oil
    before = summary(observations, spec)
    after = summary(attrs.evolve(observations, values=observations.values * factor), spec)
    assert before is not None
    assert after is not None
    units = np.ones(len(MEASURES))
    units[IN_UNITS] = factor
    np.testing.assert_allclose(after.scores, before.scores * units, rtol=1e-9, atol=1e-11 * min(1, factor))
    for name in LEARNED:
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("forecaster", FORECASTERS, ids=lambda forecaster: forecaster.name)
@settings(max_examples=15)
@given(data=st.data(), days=st.integers(1, 40))
def test_what_is_known_later_is_quoted_later_and_no_otherwise(forecaster, data, days):
    observations = data.draw(replayed(values()))
    assert observations.known_at is not None
    spec = attrs.evolve(data.draw(whole_for(observations)), batch_limit=None)
    later = attrs.evolve(observations, known_at=observations.known_at + days * DAY)
    try:
        before = hindcasts(forecaster, observations, spec)
    except TooLittleData:
        return
    after = hindcasts(forecaster, later, attrs.evolve(spec, end=spec.end + timedelta(days=days)))
    moved = {moment: after.get(moment + days * DAY) for moment in before}
    assert moved == before


@settings(max_examples=30)
@given(st.data(), st.integers(1, 400))
def test_a_release_and_a_period_that_are_both_later_change_no_score(data, days):
    observations = data.draw(replayed(values()))
    assert observations.known_at is not None
    spec = data.draw(whole_for(observations))
    later = attrs.evolve(observations, known_at=observations.known_at + days * DAY)
    wait = timedelta(days=days)
    before = summary(observations, spec)
    after = summary(later, attrs.evolve(spec, start=spec.start + wait, end=spec.end + wait))
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert before.digest() == after.digest()
        assert (before.benchmark, before.span) == (after.benchmark, after.span)
        assert all(getattr(after, name).tobytes() == getattr(before, name).tobytes() for name in LEARNED)


@settings(max_examples=30)
@given(st.data(), st.integers(1, 86_400_000_000 - 1))
def test_a_release_later_on_the_same_day_changes_no_score(data, microseconds):
    observations = data.draw(replayed(values()))
    assert observations.known_at is not None
    spec = data.draw(whole_for(observations))
    later = attrs.evolve(observations, known_at=observations.known_at + np.timedelta64(microseconds, "us"))
    before, after = summary(observations, spec), summary(later, spec)
    assert (before is None) == (after is None)
    assert before is None or after is None or before.digest() == after.digest()
