"""Trust: the posterior probability that a forecaster beats the benchmark."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pulse_core.kernel.bindings import posteriors
from pulse_core.results import TRUST
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.trust import LOST, TIED, WON, batch_decay, trust
from tests.strategies import ALL_NAMES
from tests.unit.core.models import Fixed, custom
from tests.unit.core.runs import REFERENCE, known, recorded, run, series, spec_of

WEIGHTS = st.lists(st.tuples(st.floats(0, 30), st.floats(0, 30)), min_size=1, max_size=12)
RISING = series(float(n * n) for n in range(12))


def posterior_after(won: list[float], lost: list[float], decay: float, batches: int) -> tuple[float, float]:
    alpha, beta = posteriors(np.array(won)[:, None], np.array(lost)[:, None], decay, batches)
    return float(alpha[-1, 0]), float(beta[-1, 0])


@given(WEIGHTS)
def test_without_forgetting_trust_counts_wins_and_losses(outcomes):
    won, lost = ([pair[side] for pair in outcomes] for side in (0, 1))
    assert posterior_after(won, lost, 1.0, len(outcomes)) == pytest.approx((1 + sum(won), 1 + sum(lost)), rel=1e-12)


@given(WEIGHTS, st.floats(0.1, 0.999), st.integers(0, 10))
def test_each_later_batch_forgets_by_the_decay_once(outcomes, decay, empty):
    won, lost = ([pair[side] for pair in outcomes] for side in (0, 1))
    batches = len(outcomes) + empty
    ages = [batches - 1 - batch for batch in range(len(outcomes))]
    expected = tuple(
        1 + sum(weight * decay**age for weight, age in zip(side, ages, strict=True)) for side in (won, lost)
    )
    assert posterior_after(won, lost, decay, batches) == pytest.approx(expected, rel=1e-12)


def test_before_any_outcome_all_is_open():
    assert posterior_after([0.0, 0.0], [0.0, 0.0], 0.9, 5) == (1.0, 1.0)


def test_outcomes_after_the_last_batch_are_not_posterior_after():
    assert posterior_after([1.0, 5.0], [0.0, 7.0], 0.5, 1) == (2.0, 1.0)


@pytest.mark.parametrize(("days", "expected"), [(30, 0.99), (60, 0.99**2), (15, 0.99**0.5), (1, 0.99 ** (1 / 30))])
def test_the_decay_is_that_of_thirty_days(days, expected):
    assert batch_decay(0.99, days) == pytest.approx(expected, rel=1e-15)


def wins_and_losses(loss: float, benchmark: float) -> tuple[list[float], list[float]]:
    """What is won and lost, batch by batch of a day, where two forecasters have these losses at every origin."""
    forecaster, rival = custom(Fixed([loss]), "tests:Forecaster"), custom(Fixed([benchmark]), "tests:Rival")
    names = (rival.name, forecaster.name)
    spec = spec_of(days=6, horizon=1, batch_size_days=1, forecasters=names, benchmark=rival.name)
    record = recorded(series([0.0] * 6), spec, forecaster, rival)
    assert record is not None
    return record.wins[:, 1, 0].tolist(), record.losses[:, 1, 0].tolist()


@pytest.mark.parametrize(
    ("loss", "benchmark", "code"),
    [(1.0, 2.0, WON), (3.0, 2.0, LOST), (2.0, 2.0, TIED), (0.0, 0.0, TIED), (1.0, 1.0 + 1e-15, WON)],
)
def test_the_smaller_loss_wins_and_equal_ones_tie(loss, benchmark, code):
    # the first origin is day 1, and its outcome is known on day 2
    expected = [0.0] * 2 + [code / WON] * 4, [0.0] * 2 + [1.0 - code / WON] * 4
    assert wins_and_losses(loss, benchmark) == expected


@pytest.mark.parametrize(("loss", "benchmark"), [(np.nan, 1.0), (1.0, np.nan), (np.nan, np.nan)])
def test_without_both_errors_there_is_no_outcome(loss, benchmark):
    assert wins_and_losses(loss, benchmark) == ([0.0] * 6, [0.0] * 6)


def beta_below(bound: float, alpha: int, beta: int) -> float:
    """The Beta's distribution function at whole numbers: the chance of at least alpha heads in alpha + beta - 1."""
    tosses = alpha + beta - 1
    chances = (
        math.comb(tosses, heads) * bound**heads * (1 - bound) ** (tosses - heads) for heads in range(alpha, tosses + 1)
    )
    return math.fsum(chances)


@pytest.mark.parametrize(("alpha", "beta"), [(1, 1), (2, 1), (1, 900), (30, 12), (170, 290)])
@pytest.mark.parametrize(("index", "share"), [(1, 0.025), (2, 0.975)])
def test_the_interval_s_bounds_are_quantiles_of_the_beta(alpha, beta, index, share):
    bound = float(trust(np.array(float(alpha)), np.array(float(beta)))[index])
    assert beta_below(bound, alpha, beta) == pytest.approx(share, rel=1e-10)


@pytest.mark.parametrize(("alpha", "beta"), [(1.5, 1.0), (1.0, 2.25), (30.7, 12.2), (1.01, 1.02), (400.3, 0.9 + 1)])
def test_the_interval_equals_that_of_scipy(alpha, beta):
    expected = stats.beta.interval(0.95, alpha, beta)
    assert trust(np.array(alpha), np.array(beta))[1:3].tolist() == pytest.approx(expected, rel=1e-12)


@given(st.floats(1, 1e4), st.floats(1, 1e4))
def test_the_mean_lies_within_its_interval_and_trials_are_what_was_added(alpha, beta):
    mean, low, high, trials = trust(np.array(alpha), np.array(beta)).tolist()
    assert 0 <= low <= mean <= high <= 1
    assert mean == pytest.approx(alpha / (alpha + beta), rel=1e-14)
    assert trials == pytest.approx(alpha + beta - 2, rel=1e-12, abs=1e-9)


def test_an_h_step_outcome_weighs_one_hth_and_enters_in_the_batch_in_which_it_became_known():
    record = recorded(RISING, spec_of(days=12, batch_size_days=1, horizon=3, min_history=4))
    assert record is not None
    drift = record.wins[:, ALL_NAMES.index("drift")]
    # the first origin is day 3, so an h-step outcome is first known on day 3 + h
    for ahead in (1, 2, 3):
        assert drift[:, ahead - 1].tolist() == [0.0] * (3 + ahead) + [1 / ahead] * (9 - ahead)


def test_what_is_won_and_lost_together_is_the_weight_of_all_outcomes():
    # those that can forecast from the first origin on
    spec = spec_of(days=12, batch_size_days=1, horizon=3, min_history=4, forecasters=REFERENCE)
    record = recorded(RISING, spec)
    assert record is not None
    both = record.wins + record.losses
    assert (both == both[:, :1]).all()


def test_trust_learns_from_first_releases_whatever_actuals_are_reported():
    rows = [(n, float(n * n), n) for n in range(12)] + [(n, -1e6, 11) for n in range(6, 11)]
    first, latest = (
        run(known(rows), spec_of(days=12, actuals=actuals)).variables[0] for actuals in ("first", "latest")
    )
    assert first.trust.tobytes() == latest.trust.tobytes()
    assert first.scores.tobytes() != latest.scores.tobytes()


@pytest.mark.parametrize("benchmark", ALL_NAMES)
def test_the_benchmark_has_no_trust_in_itself(benchmark):
    summary = run(RISING, spec_of(days=12, benchmark=benchmark)).variables[0]
    silent = np.asarray(np.isnan(summary.trust).all(axis=(1, 2)))
    assert [name for name, none in zip(summary.forecasters, silent.tolist(), strict=True) if none] == [benchmark]


def test_a_forecaster_without_a_forecast_has_neither_scores_nor_trust():
    silent = custom(Fixed([np.nan, np.nan]))
    spec = spec_of(days=12, forecasters=("naive", silent.name))
    summary = run(RISING, spec, forecasters=(silent,)).variables[0]
    assert summary.scores[1, :, MEASURES.index("n")].tolist() == [0.0, 0.0]
    assert np.isnan(summary.scores[1, :, 1:]).all()
    assert np.isnan(summary.trust[1]).all()


def test_empty_batches_at_the_end_of_the_period_forget_too():
    short, long = (run(RISING, spec_of(days=days, batch_size_days=6)).variables[0] for days in (12, 24))
    trials = [summary.trust[1, 0, TRUST.index("trials")] for summary in (short, long)]
    assert trials[1] == pytest.approx(trials[0] * batch_decay(0.99, 6) ** 2, rel=1e-12)
