"""Diebold-Mariano, evidence and discoveries against independent arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core.results import STATISTICS
from pulse_core.scores import evidence as subject
from pulse_core.scores.comparison import diebold_mariano, p_values
from pulse_core.scores.evidence import average_evidence, discoveries, evidence_of_wins, log10_evidence
from tests.unit.method.plain_learning import diebold_mariano as plain_test
from tests.unit.method.plain_learning import evidence, log10_of
from tests.unit.method.running import backtest_of, replay, series, spec_of


def losses(count: int, seed: int) -> np.ndarray:
    """Losses of overlapping forecasts: a moving average, a little better than another."""
    generator = np.random.default_rng(seed)
    return np.abs(np.convolve(generator.normal(0.1, 1, count + 4), np.ones(5) / 3, "valid"))


@pytest.mark.parametrize("horizon", [1, 2, 3, 6, 12])
@pytest.mark.parametrize("count", [14, 30, 200])
def test_the_test_statistic_is_that_of_the_papers(horizon, count):
    loss, benchmark_loss = losses(count, 61), losses(count, 62)
    result = diebold_mariano(loss - benchmark_loss, horizon)
    assert result == pytest.approx(plain_test(loss, benchmark_loss, horizon) or math.nan, rel=1e-10, nan_ok=True)


@settings(max_examples=200)
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=25), st.integers(1, 8))
def test_the_test_says_nothing_exactly_where_its_variance_is_not_positive(differences, horizon):
    count = len(differences)
    horizon = min(horizon, count)
    corrected = count + 1 - 2 * horizon + Fraction(horizon * (horizon - 1), count)
    result = diebold_mariano(np.array(differences, dtype=float), horizon)
    assert math.isnan(result) == (exact_variance(differences, horizon) <= 0 or corrected <= 0)
    if not math.isnan(result):
        assert result == pytest.approx(plain_test(differences, [0] * count, horizon), rel=1e-7, abs=1e-12)


def exact_variance(differences: list[int], horizon: int) -> Fraction:
    mean = Fraction(sum(differences), len(differences))
    centred = [loss - mean for loss in differences]
    pairs = [(lag, zip(centred[lag:], centred, strict=False)) for lag in range(horizon)]
    return sum(((2 if lag else 1) * now * then for lag, both in pairs for now, then in both), Fraction(0))


@pytest.mark.parametrize("horizon", [1, 5])
@pytest.mark.parametrize("difference", [0.0, 1.5, 0.1, 0.7e-9])
def test_losses_that_always_differ_by_the_same_have_no_test(difference, horizon):
    count = 20
    assert math.isnan(diebold_mariano(np.full(count, difference), horizon))


def test_the_result_holds_the_test_on_absolute_losses_of_common_origins():
    values = 50 + np.cumsum(np.random.default_rng(63).normal(size=200))
    spec = spec_of(days=200, horizon=3, min_history=1, forecasters=("naive", "mean", "drift", "ar"))
    output = replay(series(values), spec)
    statistics = backtest_of(series(values), spec).record.statistics
    result = p_values(statistics[..., STATISTICS.index("dm_statistic") :])
    for row in range(1, 4):
        for ahead in range(3):
            errors = np.abs(output.origins.released[:, [ahead]] - output.hindcasts.forecasts[:, :, ahead]).T
            both = np.isfinite(errors[row]) & np.isfinite(errors[0])
            reference = plain_test(errors[row, both], errors[0, both], ahead + 1)
            assert result[row, ahead] == pytest.approx(reference or math.nan, rel=1e-8, nan_ok=True)


@pytest.mark.parametrize("lost", [0, 1, 2, 7, 30, 80])
@pytest.mark.parametrize("won", [0, 1, 2, 7, 30, 80])
def test_evidence_is_that_of_exact_arithmetic(won, lost):
    result = log10_evidence(np.array([float(won)]), np.array([float(lost)]))[0]
    assert result == pytest.approx(log10_of(evidence(won, lost)), rel=1e-12, abs=1e-12)


@settings(max_examples=60)
@given(st.integers(0, 250), st.integers(0, 250))
def test_evidence_of_many_outcomes_is_that_of_exact_arithmetic(won, lost):
    result = log10_evidence(np.array([float(won)]), np.array([float(lost)]))[0]
    assert result == pytest.approx(log10_of(evidence(won, lost)), rel=1e-11, abs=1e-12)


@pytest.mark.parametrize(("won", "lost"), [(3, 5), (20, 12), (60, 70)])
def test_evidence_is_the_mean_over_a_uniform_chance_to_win(won, lost):
    from scipy.integrate import quad

    def ratio(chance: float) -> float:
        return math.prod([2.0, (2 * chance) ** won, (2 * (1 - chance)) ** lost])

    reference, _ = quad(ratio, 0.5, 1.0, epsabs=0, epsrel=1e-10)
    assert log10_evidence(np.array([float(won)]), np.array([float(lost)]))[0] == pytest.approx(math.log10(reference))


@pytest.mark.parametrize(("won", "lost"), [(100_000, 0), (0, 100_000), (52_000, 50_000), (50_000, 52_000)])
def test_evidence_of_a_very_long_run_is_a_number(won, lost):
    log10_e = log10_evidence(np.array([float(won)]), np.array([float(lost)]))[0]
    assert math.isfinite(log10_e)
    assert (log10_e > 0) == (won > lost)


def test_evidence_is_fair_when_the_chance_to_win_is_a_half():
    # its expectation over all outcomes of n fair games is 1: that is what makes it an e-value
    for games in (1, 5, 12):
        total = sum(math.comb(games, won) * evidence(won, games - won) for won in range(games + 1))
        assert total / 2**games == 1


@given(st.lists(st.floats(-50, 400), min_size=1, max_size=6))
def test_the_average_of_evidence_is_that_of_the_values(logs):
    exact = sum((Fraction(10) ** round(log * 16) for log in logs), Fraction(0))
    result = average_evidence(np.array([float(round(log * 16)) for log in logs]), np.array([len(logs)]))[0]
    assert result == pytest.approx(log10_of(exact / len(logs)), rel=1e-12, abs=1e-12)


def test_evidence_far_ahead_averages_over_interleaved_origins():
    values = 50 + np.cumsum(np.random.default_rng(64).normal(0.4, 1.0, 150))
    spec = spec_of(days=150, first=50, horizon=4, forecasters=("naive", "drift", "mean"))
    output = replay(series(values), spec)
    result = backtest_of(series(values), spec).record.evidence[..., 2]
    counted = np.flatnonzero(output.origins.batch >= 0)
    for row in (1, 2):
        for ahead in range(1, 5):
            gaps = np.abs(output.origins.released[:, [ahead - 1]] - output.hindcasts.forecasts[:, :, ahead - 1])[
                counted
            ]
            shares = []
            for first in range(ahead):
                loss, rival = gaps[first::ahead, row], gaps[first::ahead, 0]
                shares.append(evidence(int((loss < rival).sum()), int((loss > rival).sum())))
            assert result[row, ahead - 1] == pytest.approx(log10_of(sum(shares, Fraction(0)) / ahead), rel=1e-9)


def test_ties_are_no_evidence():
    values = [float(day % 3 == 0) for day in range(60)]
    spec = spec_of(days=60, horizon=1, forecasters=("naive", "seasonal-naive(1)"))
    result = backtest_of(series(values), spec).record
    assert result.evidence[1, 0].tolist() == [0.0] * 3
    assert result.won.sum(axis=0)[1, 0] == result.lost.sum(axis=0)[1, 0] == 0
    compared = result.statistics[1, 0, STATISTICS.index("compared")]
    assert compared > 50


def by_definition(values: list[float], rate: float) -> set[int]:
    """e-BH: reject those with e >= m/(rate k) for the largest k of which at least k are."""
    m = len(values)
    for k in range(m, 0, -1):
        large = {index for index, value in enumerate(values) if value >= m / (rate * k)}
        if len(large) >= k:
            return large
    return set()


@settings(max_examples=300)
@given(st.lists(st.sampled_from([0.1, 5.0, 19.9, 20.1, 39.0, 41.0, 60.5, 80.5, 120.5, 1e4]), min_size=1, max_size=12))
def test_discoveries_are_those_of_the_definition(values):
    survivors = discoveries(np.log10(values))
    assert set(np.flatnonzero(survivors).tolist()) == by_definition(values, 0.05)


def test_what_has_no_evidence_is_no_hypothesis():
    logs = np.array([[math.log10(30), np.nan], [np.nan, math.log10(0.5)]])
    assert discoveries(logs).tolist() == [[False, False], [False, False]]
    logs[0, 0] = math.log10(40.1)
    assert discoveries(logs).tolist() == [[True, False], [False, False]]


def test_evidence_that_just_suffices_is_a_discovery():
    assert discoveries(np.array([math.log10(20.0)])).tolist() == [True]


def test_a_smaller_rate_discovers_less():
    logs = np.log10([12.0, 25.0, 300.0])
    assert [int(discoveries(logs, rate).sum()) for rate in (0.2, 0.05, 0.005)] == [3, 1, 0]


def test_of_many_sequences_the_evidence_comes_from_a_table_with_the_same_bits(monkeypatch):
    generator = np.random.default_rng(7)
    differences = generator.choice([-1.0, 0.0, 1.0, np.nan], size=(90, 12, 5), p=[0.3, 0.1, 0.5, 0.1])
    at_once = evidence_of_wins(differences)
    for few, sequences in ((4, 3), (8, 20), (256, 1)):
        monkeypatch.setattr(subject, "_FEW", few)
        monkeypatch.setattr(subject, "_SEQUENCES", sequences)
        assert evidence_of_wins(differences).tobytes() == at_once.tobytes()
