"""What must be true of any right method, whatever the code: known answers and symmetries."""

from __future__ import annotations

import math
from datetime import timedelta

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Observations, RunSpec, TooLittleData
from pulse_core.scores.evidence import discoveries, log10_evidence
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.verdict import BETTER
from tests.strategies import replayed, specs_for
from tests.unit.method.running import replay, series, spec_of, train, whole_roster

WALKS = 400
SEASON = 3
RIVALS = ("drift", "mean", "ses", "theta", "ar", "ensemble")


def autoregressive(phi: float, count: int, seed: int) -> np.ndarray:
    values = np.zeros(count)
    for time, shock in enumerate(np.random.default_rng(seed).normal(size=count - 1), 1):
        values[time] = phi * values[time - 1] + shock
    return values


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_the_skill_of_autoregression_tends_to_what_theory_says(phi):
    spec = spec_of(days=12_000, first=500, horizon=1, forecasters=("naive", "ar"), batch_size_days=100)
    scores = train([series(autoregressive(phi, 12_000, 71))], spec).variables[0].scores
    assert scores[1, 0, MEASURES.index("skill_mse")] == pytest.approx((1 - phi) / 2, abs=0.015)


def random_walks(count: int, length: int, seed: int) -> list[Observations]:
    steps = np.random.default_rng(seed).normal(size=(count, length))
    return [series(100 + np.cumsum(member), f"walk{index:03}") for index, member in enumerate(steps)]


@pytest.fixture(scope="module")
def walks():
    """Four hundred random walks, and a spec in which nobody can beat naive."""
    members = random_walks(WALKS, 330, 72)
    names = [member.variable for member in members]
    spec = spec_of(*names, days=330, first=30, horizon=3, forecasters=("naive", *RIVALS), batch_size_days=30)
    return members, spec


@pytest.fixture(scope="module")
def trained(walks):
    return train(*walks, unit_size=WALKS).variables


@pytest.mark.parametrize("ahead", [1, 2, 3])
@pytest.mark.parametrize("name", RIVALS)
def test_on_random_walks_nobody_is_called_better_more_often_than_one_time_in_twenty(trained, name, ahead):
    index = trained[0].forecasters.index(name)
    codes = [summary.verdicts[index, ahead - 1] for summary in trained]
    assert np.mean(np.array(codes) == BETTER) <= 0.05


@pytest.mark.parametrize("ahead", [1, 2, 3])
@pytest.mark.parametrize("name", RIVALS)
def test_on_random_walks_a_win_rate_s_interval_lies_above_a_half_one_time_in_twenty_at_most(trained, name, ahead):
    index = trained[0].forecasters.index(name)
    low = [summary.shown("win_rate_low")[index, ahead - 1] for summary in trained]
    assert np.mean(np.array(low) > 0.5) <= 0.05


@pytest.fixture(scope="module")
def evidence(walks):
    """log10 of e after each outcome at horizon 1, (forecaster, walk, origin)."""
    members, spec = walks
    won, lost = (
        np.stack(counts, axis=1) for counts in zip(*(counts_of(member, spec) for member in members), strict=True)
    )
    pairs, inverse = np.unique(np.stack([won.ravel(), lost.ravel()]), axis=1, return_inverse=True)
    return log10_evidence(*pairs.astype(float))[inverse].reshape(won.shape)


def counts_of(walk: Observations, spec: RunSpec) -> tuple[np.ndarray, np.ndarray]:
    """How often each forecaster had won and lost at horizon 1 after each outcome; (forecaster, origin)."""
    output = replay(walk, spec)
    errors = np.abs(output.origins.released[:, :1] - output.hindcasts.forecasts[:, :, 0]).T
    counted = output.origins.batch >= 0
    won, lost = (np.cumsum(outcome & counted, axis=1) for outcome in (errors < errors[0], errors > errors[0]))
    return won, lost


@pytest.mark.parametrize("name", RIVALS)
def test_on_random_walks_evidence_of_twenty_is_ever_seen_one_time_in_twenty_at_most(walks, evidence, name):
    sofar = evidence[walks[1].forecasters.index(name)]
    assert np.mean((sofar >= math.log10(20)).any(axis=1)) <= 0.05


def test_on_random_walks_a_run_discovers_something_one_time_in_twenty_at_most(trained):
    evidence = np.stack([summary.shown("log10_e") for summary in trained])
    runs = evidence.reshape(40, 10, *evidence.shape[1:])
    assert np.mean([discoveries(run).any() for run in runs]) <= 0.05


def test_a_forecaster_that_is_better_is_discovered():
    members = [series(autoregressive(0.2, 400, 73 + index), f"ar{index}") for index in range(3)]
    spec = spec_of(
        *(member.variable for member in members), days=400, first=100, horizon=1, forecasters=("naive", "ar")
    )
    result = train(members, spec)
    assert all(flags[1].all() for flags in result.discoveries().values())
    assert all(member.verdicts[1, 0] == BETTER for member in result.variables)


def complete(observations: Observations, spec: RunSpec) -> RunSpec:
    return attrs.evolve(
        spec, forecasters=whole_roster(SEASON), season=SEASON, benchmark="naive", variables=(observations.variable,)
    )


@settings(max_examples=30)
@given(st.data(), st.integers(1, 400))
def test_what_is_known_later_is_quoted_later_and_no_otherwise(data, days):
    observations = data.draw(replayed())
    assert observations.known_at is not None
    spec = complete(observations, data.draw(specs_for(observations)))
    wait = timedelta(days=days)
    later = attrs.evolve(observations, known_at=observations.known_at + np.timedelta64(days, "D"))
    shifted = attrs.evolve(spec, start=spec.start + wait, end=spec.end + wait)
    try:
        before = replay(observations, spec)
    except TooLittleData:
        return
    after = replay(later, shifted)
    assert np.array_equal(after.point.origin_known_at, before.point.origin_known_at + np.timedelta64(days, "D"))
    assert after.hindcasts.forecasts.tobytes() == before.hindcasts.forecasts.tobytes()
    assert after.quantiles.tobytes() == before.quantiles.tobytes()
    assert after.sums.tobytes() == before.sums.tobytes()
    assert after.states.tobytes() == before.states.tobytes()
    assert [side.tobytes() for side in after.evidence] == [side.tobytes() for side in before.evidence]
    if before.span == after.span:
        assert after.trust.tobytes() == before.trust.tobytes()


def scale_free(measure: str) -> bool:
    return measure in {
        "n",
        "mase",
        "rmsse",
        "smape",
        "hit_rate",
        "hit_rate_count",
        "msis",
        "dm_p",
    } or measure.startswith(("skill", "coverage"))


LEARNED = (*("trust", "statistics", "verdicts", "reliability", "simple_skill", "trends", "weights", "regret", "bound"),)

ORDINARY = st.floats(1e-3, 1e6) | st.floats(-1e6, -1e-3) | st.integers(-3, 3).map(float)


@settings(max_examples=30)
@given(st.data(), st.integers(-900, 900))
def test_a_power_of_two_moves_no_bit_but_the_exponent(data, power):
    observations = data.draw(replayed(ORDINARY))
    spec = complete(observations, data.draw(specs_for(observations)))
    scaled = attrs.evolve(observations, values=np.ldexp(observations.values, power))
    before, after = (train([member], spec).variables for member in (observations, scaled))
    assert len(before) == len(after)
    for member, other in zip(before, after, strict=True):
        factor = np.array([0 if scale_free(name) else power for name in MEASURES])
        assert other.scores.tobytes() == np.ldexp(member.scores, factor).tobytes()
        for field in LEARNED:
            assert getattr(other, field).tobytes() == getattr(member, field).tobytes(), field


@pytest.mark.parametrize("factor", [1e-9, 0.1, 1 / 3, 7.0, 12345.678])
@pytest.mark.parametrize("calibration", ["conformal", "empirical"])
def test_any_factor_changes_a_billionth_at_most(factor, calibration):
    values = 100 + np.cumsum(np.random.default_rng(74).normal(size=300))
    # from two values on many points of a grid forecast the same third one, and their roundings choose among them
    spec = spec_of(days=300, first=100, horizon=3, season=SEASON, calibration=calibration, min_history=4)
    before, after = (train([series(values * scale)], spec).variables[0] for scale in (1.0, factor))
    units = np.array([1.0 if scale_free(name) else factor for name in MEASURES])
    np.testing.assert_allclose(after.scores, before.scores * units, rtol=1e-9, atol=1e-9 * min(1, factor))
    np.testing.assert_allclose(after.trust, before.trust, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(after.verdicts, before.verdicts)
    np.testing.assert_allclose(after.simple_skill, before.simple_skill, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(after.trends, before.trends)
    np.testing.assert_allclose(after.weights, before.weights, atol=1e-9)
    np.testing.assert_allclose(after.regret, before.regret, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("factor", [0.1, 1 / 3, 7.0])
def test_any_factor_leaves_it_open_whether_a_line_can_be_tested(factor):
    # naive errs by the same step every time, drift not at all: no variance, whatever the unit
    spec = spec_of(days=60, horizon=1, forecasters=("naive", "drift"))
    scores = train([series(factor * np.arange(60))], spec).variables[0].scores
    assert np.isnan(scores[1, 0, MEASURES.index("dm_p")])
