"""Outcomes, their counts by batch and by interleaved sequence, and posteriors, to the bit."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core.backtest.custom_quantiles import CustomQuantiles
from pulse_core.kernel import bindings
from tests.unit.kernel.pass_inputs import pass_inputs
from tests.unit.kernel.passes import PassInput, assert_same_bits, bits, origins_of, run
from tests.unit.kernel.plain_outcomes import LOST, TIED, UNKNOWN, WON, Posterior, faded
from tests.unit.kernel.plain_pass import plain


@pytest.mark.parametrize("trust_loss", ["absolute", "crps"])
@settings(max_examples=30)
@given(data=st.data())
def test_outcomes_and_trust_are_those_of_plain_loops(trust_loss, data):
    case = data.draw(pass_inputs(trust_loss=trust_loss))
    assert_same_bits(run(case), plain(case))


def outcomes_of(forecasts: list[float], actual: float, **fields: Any) -> list[float]:
    """The outcomes of forecasts of one origin, against the first."""
    case = PassInput(forecasts=np.array(forecasts)[None, :, None], origins=origins_of(np.array([[actual]])), **fields)
    return [float(code) for code in run(case).outcomes[0, :, 0]]


def test_who_comes_closer_wins_and_the_benchmark_ties_with_itself():
    assert outcomes_of([2.0, 1.0, 3.0, -2.0, np.nan], 0.0) == [TIED, WON, LOST, TIED, UNKNOWN]


def test_without_a_forecast_of_the_benchmark_or_an_actual_nothing_is_known():
    assert outcomes_of([np.nan, 1.0], 0.0) == [UNKNOWN, UNKNOWN]
    assert outcomes_of([1.0, 1.0], np.nan) == [UNKNOWN, UNKNOWN]


def test_quantiles_that_are_nearer_win_by_crps_where_points_tie():
    near, far = np.arange(-4.0, 5.0), 10 * np.arange(-4.0, 5.0)
    custom = CustomQuantiles((0, 1), (2, 3), np.stack([far, near], axis=1)[None, :, :, None].copy(), np.ones((1, 2, 1)))
    by_crps = outcomes_of([0.0] * 4, 0.5, custom=custom, trust_loss="crps")
    assert by_crps[:2] == [TIED, WON]
    assert outcomes_of([0.0] * 4, 0.5, custom=custom)[:2] == [TIED, TIED]


def test_without_quantiles_there_is_no_crps_to_win_by():
    assert outcomes_of([1.0, 1.0], 0.0, trust_loss="crps", calibration="empirical") == [UNKNOWN, UNKNOWN]


def test_an_outcome_counts_in_the_batch_in_which_it_became_known():
    released = np.zeros((4, 2))
    forecasts = np.tile(np.array([1.0, 0.5])[None, :, None], (4, 1, 2))
    case = PassInput(forecasts=forecasts, origins=origins_of(released, batch=[0, 0, 2, 2]))
    output = run(case)
    # one step ahead: known at origins 1, 2, 3; two steps ahead: at origins 2 and 3; a win counts two
    assert output.wins[:, 1].tolist() == [[2, 0], [0, 0], [4, 4]]
    assert output.trials[:, 1].tolist() == [[1, 0], [0, 0], [2, 2]]


def test_what_was_forecast_before_the_period_earns_no_trust():
    forecasts = np.tile(np.array([1.0, 0.5])[None, :, None], (5, 1, 1))
    output = run(PassInput(forecasts=forecasts, origins=origins_of(np.zeros((5, 1)), batch=[-1, -1, 0, 0, 0])))
    np.testing.assert_array_equal(output.trust[:, 1, 0], [np.nan, np.nan, np.nan, 2 / 3, 3 / 4])
    assert output.trials[0, 1, 0] == 2


def test_trust_fades_from_batch_to_batch_those_without_origins_too():
    forecasts = np.tile(np.array([1.0, 0.5])[None, :, None], (4, 1, 1))
    output = run(
        PassInput(forecasts=forecasts, origins=origins_of(np.zeros((4, 1)), batch=[0, 0, 0, 3]), trust_decay=0.5)
    )
    alpha, beta = 3.0, 1.0
    for _ in range(3):
        alpha, beta = faded(alpha, 0.5), faded(beta, 0.5)
    # the outcome that became known in the new batch has not faded
    assert output.trust[3, 1, 0] == (alpha + 1.0) / ((alpha + 1.0) + beta)


def test_h_steps_ahead_an_outcome_weighs_one_hth():
    forecasts = np.tile(np.array([1.0, 0.5])[None, :, None], (4, 1, 3))
    output = run(PassInput(forecasts=forecasts, origins=origins_of(np.zeros((4, 3)))))
    assert output.trust[3, 1].tolist() == [4 / 5, 2 / 3, (1 + 1 / 6 * 2) / ((1 + 1 / 6 * 2) + 1)]


@settings(max_examples=60)
@given(
    st.integers(0, 6), st.integers(1, 8), st.integers(1, 5), st.sampled_from([1.0, 0.99, 0.5]), st.integers(0, 1 << 32)
)
def test_posteriors_are_those_of_plain_loops(recorded, batches, cells, decay, seed):
    won, lost = np.random.default_rng(seed).integers(0, 9, (2, max(recorded, 1), cells)) * 0.5
    alpha, beta = bindings.posteriors(won, lost, decay, batches)
    for cell in range(cells):
        plain_alpha, plain_beta = 1.0, 1.0
        for batch in range(batches):
            if batch:
                plain_alpha, plain_beta = faded(plain_alpha, decay), faded(plain_beta, decay)
            if batch < len(won):
                plain_alpha, plain_beta = plain_alpha + won[batch, cell], plain_beta + lost[batch, cell]
            assert bits([alpha[batch, cell], beta[batch, cell]]) == bits([plain_alpha, plain_beta])


def test_a_posterior_of_outcomes_is_that_of_their_counts_by_batch():
    case = attrs.evolve(
        PassInput(
            forecasts=np.random.default_rng(5).normal(size=(40, 2, 1)),
            origins=origins_of(np.random.default_rng(6).normal(size=(40, 1)), batch=sorted([*range(20)] * 2)),
        ),
        trust_decay=0.5,
    )
    output = run(case)
    won = 0.5 * output.wins
    alpha, beta = bindings.posteriors(won, output.trials - won, 0.5, 20)
    np.testing.assert_allclose(output.trust[1::2], alpha / (alpha + beta), rtol=1e-14)


@settings(max_examples=80)
@given(st.integers(0, 40), st.integers(1, 6), st.integers(1, 13), st.integers(0, 1 << 32))
def test_wins_and_losses_are_counted_by_sequences_of_origins_congruent_mod_h(origins, forecasters, horizons, seed):
    codes = np.random.default_rng(seed).integers(-1, 3, (origins, forecasters, horizons)).astype(np.int8)
    won, lost = bindings.sequence_counts(codes)
    row = 0
    for horizon in range(1, horizons + 1):
        for first in range(horizon):
            sequence = codes[first::horizon, :, horizon - 1]
            assert won[row].tolist() == (sequence == WON).sum(axis=0).tolist()
            assert lost[row].tolist() == (sequence == LOST).sum(axis=0).tolist()
            row += 1
    assert len(won) == len(lost) == row


def test_a_plain_posterior_counts_a_tie_as_half_a_win():
    posterior = Posterior(1, 1.0)
    posterior.learn(TIED)
    assert posterior.mean() == 0.5
