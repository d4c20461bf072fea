"""The plain reference of trust is itself held to closed forms, symmetries and exact expectations."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from tests.plain_trust import (
    BETS,
    BenchmarkScale,
    Evidence,
    PlainPair,
    RootMeanSquare,
    Settings,
    Trust,
    WinRate,
    fading,
    replayed,
)

G = fading(500.0)
MISSING = math.nan


def pair_of(differences, horizon=1, settings=None):
    """A pair that has learned these d, each before the next forecast."""
    pair = PlainPair(horizon, settings or Settings())
    for difference in differences:
        pair.forecast(0.0, difference, 1.0, allowed=True)
        pair.learn()
    return pair


def signs(count, seed=1):
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=count).tolist()


def test_an_error_that_halves_every_step_has_a_scale_of_half_lives():
    scale = BenchmarkScale()
    assert math.isnan(scale.value)
    for error in (0.0, 0.0, -4.0):
        scale.learn(error)
    fade = fading(125.0)
    assert scale.value == pytest.approx(4.0 / (1 + fade + fade**2))


def test_zeros_alone_are_no_scale_and_a_missing_error_moves_no_mean():
    scale = BenchmarkScale()
    scale.learn(0.0)
    assert math.isnan(scale.value)
    scale.learn(2.0)
    before = scale.value
    scale.learn(MISSING)
    assert scale.value == pytest.approx(before)


def test_a_half_life_halves():
    assert fading(500.0) ** 500 == pytest.approx(0.5)


def test_sums_are_geometric_series():
    state = pair_of([3.0] * 40).state
    ones = (1 - G**40) / (1 - G)
    assert state["W"] == state["A"] == pytest.approx(ones)
    assert state["W2"] == pytest.approx((1 - G**80) / (1 - G**2))
    assert state["S1"] == pytest.approx(3 * ones)
    assert state["S2"] == pytest.approx(9 * ones)
    assert state["n"] == pytest.approx(ones**2 * (1 - G**2) / (1 - G**80))


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("sign", [1, -1])
def test_equal_differences_have_a_ratio_of_ten(sign, horizon):
    pair = pair_of([sign * 0.7] * 300, horizon)
    assert pair.state["r"] == sign * 10
    assert pair.probability == pytest.approx((1 + sign) / 2, abs=0.01)


def test_the_ratio_is_the_mean_over_the_sample_deviation():
    differences = np.random.default_rng(2).normal(0.3, 1.0, size=50)
    state = pair_of(differences, settings=Settings(half_life=1e12)).state
    assert state["r"] == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert state["n"] == pytest.approx(50)


def test_one_step_ahead_nothing_is_inflated():
    assert pair_of([1.0] * 20 + [-1.0] * 20).state["lambda_h"] == 1


@pytest.mark.parametrize("horizon", [2, 5, 20])
def test_inflation_starts_as_the_usual_one(horizon):
    assert PlainPair(horizon).state["lambda_h"] == pytest.approx((2 * horizon**2 + 1) / (3 * horizon))


@pytest.mark.parametrize(("horizon", "expected"), [(2, 1 + 2 * 0.5), (3, 1 + 2 * (2 / 3 + 1 / 3))])
def test_inflation_of_a_moving_average_tends_to_its_closed_form(horizon, expected):
    shocks = np.random.default_rng(3).normal(size=40_000)
    moving = np.convolve(shocks, np.ones(horizon), mode="valid")
    assert pair_of(moving, horizon, Settings(half_life=1e5)).state["lambda_h"] == pytest.approx(expected, rel=0.03)


def test_differences_that_alternate_do_not_deflate():
    assert pair_of([1.0, -1.0] * 500, horizon=2).state["lambda_h"] == 1


def test_correlations_are_weighed_by_their_pairs_and_bounded_below_with_the_usual_beside_them():
    """m = 0 and v = 1; the sums of products at lags 1 .. 4 are 7, 4, 1, -2 of 9 .. 6 pairs, and 3, -4, -7, -2."""
    settings = Settings(half_life=1e15)
    runs = [1.0] * 5 + [-1.0] * 5
    turning = [1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0, -1.0, -1.0]
    by_hand = 1 + 2 * (7 + 4 + 1 - 2) / 10
    assert pair_of(runs, 5, settings).state["lambda_h"] == pytest.approx((10 * by_hand + 10 * 3.4) / 20)
    assert pair_of(turning, 5, settings).state["lambda_h"] == pytest.approx((10 * 0.3 + 10 * 3.4) / 20)


def test_products_are_of_steps_that_lie_a_lag_apart_and_skip_what_is_missing():
    trust = Trust(3, Settings(half_life=1e15))
    for difference in (2.0, 3.0, MISSING, 5.0, 1e-12, 7.0, 11.0):
        trust.learn(difference)
    assert trust.lags[0] == pytest.approx((2 * 3 + 7 * 11, 2))
    assert trust.lags[1] == pytest.approx((3 * 5 + 5 * 7, 2))


def test_a_tie_counts_among_all_alone_and_a_missing_one_in_nothing():
    before = pair_of([1.0, -2.0, 3.0]).state
    tied, missing = (pair_of([1.0, -2.0, 3.0, last]).state for last in (0.5e-9, MISSING))
    for name in ("W", "S1", "S2"):
        assert tied[name] == missing[name] == pytest.approx(G * before[name])
    assert missing["A"] == pytest.approx(G * before["A"])
    assert tied["A"] == pytest.approx(G * before["A"] + 1)
    assert tied["K_prime"] < missing["K_prime"]


def test_ties_shorten_the_span():
    assert pair_of([1.0, 0.0] * 4000).state["K_prime"] == pytest.approx(125, rel=0.01)
    assert pair_of([0.0] * 4000).state["K_prime"] == 1
    assert PlainPair(1, Settings(span=52)).state["K_prime"] == 52


def test_trust_is_null_before_three_differences():
    assert pair_of([]).probability is None
    assert pair_of([1.0, 2.0, -1.0]).probability is None  # the first has faded
    assert pair_of([1.0, 2.0, -1.0, 1.0]).probability is not None
    assert pair_of([0.0] * 100).probability is None
    assert pair_of([]).state["r"] is None


def test_without_a_difference_in_the_mean_trust_is_below_a_half():
    probability = pair_of([1.0, -1.0] * 500).probability
    assert 0.1 < probability < 0.45


def test_trust_of_no_difference_is_the_mixture_by_hand():
    """After n fair signs r is near 0 and s = 1/n; checked against mpmath's t distribution."""
    pair = pair_of(signs(900))
    r, n, span = (pair.state[name] for name in ("r", "n", "K_prime"))
    expected, total = mpmath.mpf(0), mpmath.mpf(0)
    for weight, mean, sd in ((1 / 3, -0.05, 0.015), (2 / 3, -0.15, 0.25)):
        variance = sd**2 + 1 / n
        likelihood = weight * mpmath.npdf(r, mean, mpmath.sqrt(variance))
        posterior = (mean / sd**2 + r * n) / (1 / sd**2 + n)
        spread = mpmath.sqrt(1 / (1 / sd**2 + n) + 1 / span + 0.08**2)
        expected += likelihood * t_cdf(posterior / spread, min(max(n, 2), 200))
        total += likelihood
    assert pair.probability == pytest.approx(float(expected / total), rel=1e-11)


def t_cdf(z, nu):
    """By the incomplete Beta integral."""
    tail = mpmath.betainc(nu / 2, 0.5, 0, nu / (nu + z * z), regularized=True) / 2
    return 1 - tail if z > 0 else tail


def test_trust_rises_with_the_mean_and_with_the_number():
    noise = np.array(signs(600))
    by_mean = [pair_of(noise + mean).probability for mean in (-0.3, -0.1, 0.0, 0.1, 0.3)]
    assert by_mean == sorted(by_mean)
    by_number = [pair_of((noise + 0.3)[:count]).probability for count in (20, 100, 600)]
    assert by_number == sorted(by_number)


def test_trust_and_evidence_know_no_unit():
    differences = np.random.default_rng(4).normal(0.1, 1.0, size=200)
    pair, scaled = pair_of(differences, 2), pair_of(1e4 * differences, 2)
    assert scaled.probability == pytest.approx(pair.probability, rel=1e-9)
    assert scaled.evidence == pytest.approx(pair.evidence, rel=1e-9)
    assert scaled.win_rate == pytest.approx(pair.win_rate)


def test_exchanged_pairs_exchange_evidence_and_wins():
    differences = np.random.default_rng(5).normal(0.1, 1.0, size=200)
    pair, other = pair_of(differences, 3), pair_of(-differences, 3)
    assert other.evidence == pair.evidence[::-1]
    mean, low, high, trials = pair.win_rate
    assert other.win_rate == pytest.approx((1 - mean, 1 - high, 1 - low, trials))
    assert other.state["r"] == -pair.state["r"]


def test_no_bet_is_no_evidence():
    assert PlainPair(4).evidence == (0, 0)
    assert pair_of([1.0] * 8).evidence == (0, 0)
    assert pair_of([0.0] * 100).evidence == (0, 0)


def test_the_ninth_difference_is_the_first_that_is_bet_on():
    expected = sum(1 + bet / 5 for bet in BETS) / 3
    against = sum(1 - bet / 5 for bet in BETS) / 3
    assert pair_of([1.0] * 9).evidence == pytest.approx((math.log10(expected), math.log10(against)))


def test_a_bet_goes_by_what_was_known_when_it_was_made():
    """Nine forecasts before anything is known: no bet, whatever is learned in the meantime."""
    pair = PlainPair(1)
    for _ in range(30):
        pair.forecast(0.0, 1.0, 1.0, allowed=True)
    for _ in range(30):
        pair.learn()
    assert pair.evidence == (0, 0)


def test_a_bet_that_is_not_allowed_is_not_made():
    pair = pair_of([1.0] * 20)
    before = pair.evidence
    pair.forecast(0.0, 1.0, 1.0, allowed=False)
    pair.learn()
    assert pair.evidence == before


def test_a_large_difference_is_clipped():
    expected = sum(1 + bet for bet in BETS) / 3
    pair = pair_of([1.0] * 8)
    pair.forecast(0.0, 1e6, 1.0, allowed=True)
    pair.learn()
    assert 10 ** pair.evidence[0] == pytest.approx(expected)


def test_an_interleaved_process_takes_each_hth_origin():
    """Gains at the origins of one process alone: its products grow, the others' stay."""
    evidence = Evidence(4, 1)
    for origin in range(2, 400, 4):
        evidence.learn(origin, 1.0)
    assert [process == [1.0] * 3 for process in evidence.products] == [True, True, False, True]
    assert evidence.log10 == pytest.approx(math.log10((3 + sum((1 + bet) ** 100 for bet in BETS) / 3) / 4))


@pytest.mark.parametrize("direction", [1, -1])
def test_products_stay_within_their_bounds(direction):
    evidence = Evidence(1, direction)
    for origin in range(20_000):
        evidence.learn(origin, 1.0)
    (products,) = evidence.products
    assert products == [1e300 if direction > 0 else 1e-300] * 3
    assert evidence.log10 == pytest.approx(direction * 300)


@pytest.mark.parametrize("horizon", [1, 2, 3])
def test_on_average_over_all_fair_signs_evidence_is_one(horizon):
    """e is a martingale: its mean over the 2^8 continuations of a common past is what it was."""
    history = signs(12, seed=6)
    evidence = [
        pair_of([*history, *continuation], horizon).evidence
        for continuation in itertools.product((-1.0, 1.0), repeat=8)
    ]
    start = pair_of(history, horizon).evidence
    for direction in (0, 1):
        assert np.mean([10 ** logs[direction] for logs in evidence]) == pytest.approx(10 ** start[direction])


def test_on_average_over_all_fair_signs_from_the_start_evidence_is_one():
    evidence = [pair_of(sequence).evidence for sequence in itertools.product((-1.0, 1.0), repeat=13)]
    assert np.mean([10**logs for logs, _ in evidence]) == pytest.approx(1, rel=1e-12)


def test_evidence_on_signs_of_unequal_sizes_is_one_on_average():
    """Sizes that depend on the past, fair signs: clipping is symmetric, so that the mean stays 1."""

    def differences(sequence):
        size, result = 1.0, []
        for sign in sequence:
            result.append(sign * size)
            size = size * 3.0 if sign > 0 else max(size / 2.0, 0.1)
        return result

    evidence = [pair_of(differences(sequence)).evidence for sequence in itertools.product((-1.0, 1.0), repeat=13)]
    assert np.mean([10**logs for logs, _ in evidence]) == pytest.approx(1, rel=1e-12)


def test_the_root_mean_square_is_of_equal_weights_while_little_fades():
    rms = RootMeanSquare()
    for difference in (1.0, -7.0, 1.0, 1.0, 1.0, 1.0, 1.0):
        rms.learn(difference)
    assert math.isnan(rms.value)
    rms.learn(-1.0)
    assert rms.value == pytest.approx(math.sqrt(56 / 8), rel=0.01)


def test_without_outcomes_the_win_rate_is_a_half_and_its_interval_lies_around_it():
    mean, low, high, trials = PlainPair(1).win_rate
    assert mean == 0.5
    assert trials == 0
    assert low == pytest.approx(1 - high)
    # of the mass of 1/5 that is Beta(10, 10), an eighth lies below
    assert float(mpmath.betainc(10, 10, 0, low, regularized=True)) == pytest.approx(0.125)


def test_quantiles_of_the_win_rate_have_their_probability_or_stand_on_the_mass():
    rate = WinRate(1)
    for difference in signs(300, seed=7) + [1.0] * 40:
        rate.learn(difference)
    _, low, high, _ = rate.summary
    for quantile, probability in ((low, 0.025), (high, 0.975)):
        on_mass = quantile == 0.5 and rate.below(0.5 - 1e-12) <= probability <= rate.below(0.5)
        assert on_mass or rate.below(quantile) == pytest.approx(probability, rel=1e-9)


def test_a_quantile_stands_on_the_mass_of_a_half():
    rate = WinRate(1)
    for difference in [1.0, -1.0] * 400 + [1.0] * 70:
        rate.learn(difference)
    mean, low, high, _ = rate.summary
    assert low == 0.5 < mean < high
    assert rate.below(0.5 - 1e-12) < 0.025


def test_the_weight_of_an_even_rate_is_its_bayes_factor():
    """P is prior times likelihood of even coins, over the same plus that of a rate drawn from Beta(10, 10)."""
    rate = WinRate(1, wins=30.0, losses=18.0)
    even = Fraction(4, 5) / 2**48
    drawn = Fraction(1, 5) * mixed(39, 27) / mixed(9, 9)
    assert rate.equal == pytest.approx(float(even / (even + drawn)), rel=1e-11)


def mixed(wins, losses):
    """The integral of p^wins (1 - p)^losses, term by term."""
    return sum(Fraction((-1) ** k * math.comb(losses, k), wins + k + 1) for k in range(losses + 1))


def test_trials_weigh_the_less_the_farther_ahead():
    assert pair_of([1.0], horizon=4).win_rate[3] == pytest.approx(0.5)
    assert pair_of([1.0, 0.0, MISSING]).win_rate[3] == pytest.approx(fading(1000.0) ** 2)


def test_one_that_always_wins_has_a_win_rate_near_one():
    mean, low, high, trials = pair_of([1.0] * 8000).win_rate
    assert trials == pytest.approx(1 / (1 - fading(1000.0)), rel=0.01)
    assert mean == pytest.approx((10 + trials) / (20 + trials))
    assert low < mean < high


def test_losses_are_compared_in_units_of_the_scale_as_it_was_at_the_origin():
    losses, benchmark_losses = [1.0, 1.0, 1.0], [2.0, 4.0, 4.0]
    state = replayed(losses, benchmark_losses).state
    fade = fading(125.0)
    second, third = 3 / 2.0, 3 / ((fade * 2 + 4) / (fade + 1))
    assert state["W"] == pytest.approx(G + 1)  # at the first origin nothing is known
    assert state["S1"] == pytest.approx(G * second + third)


def test_an_actual_is_learned_h_steps_late():
    pair = replayed([1.0] * 5, [2.0] * 5, horizon=3)
    assert pair.state["W"] == pytest.approx(G + 1)  # the scale is known from the fourth origin on


def test_missing_forecasts_are_no_losses():
    losses = [1.0, MISSING, 1.0, 1.0]
    assert replayed([1.0] * 4, [2.0] * 4).state["W"] == pytest.approx(G**2 + G + 1)
    assert replayed(losses, [2.0] * 4).state["W"] == pytest.approx(G + 1)
    assert replayed([1.0] * 4, [MISSING] * 4).state["A"] == 0
