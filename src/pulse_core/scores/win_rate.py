"""The win rate: the chance that a forecaster comes closer than the benchmark at one origin.

Half of the forecasters that matter little win half of their comparisons: the prior is a mass at 1/2 and, for the rest,
a Beta(10, 10). Source: the two-sided Bayesian test of a binomial rate (Jeffreys 1961, Theory of Probability, 5.1), with
exponential forgetting (power prior, Ibrahim & Chen 2000) and a weight of 1/sqrt(h) for h-step errors, which overlap.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel.special import beta_cdf, beta_quantile, exp, log, log_beta

Array = NDArray[np.float64]

EVEN: Final = 0.8
"""The prior probability that the chance to win is 1/2."""

SHAPE: Final = 10.0
"""Both shapes of the prior of the chance to win where it is not 1/2."""

INTERVAL: Final = (0.025, 0.975)


def win_rates(wins: Array, losses: Array) -> Array:
    """Return the mean, the ends of the 95 % interval, and the number of trials of faded wins and losses; (.., 4).

    NaN without a trial.
    """
    odds = (1.0 - EVEN) / EVEN
    evidence = (wins + losses) * log(2.0) + log_beta(SHAPE + wins, SHAPE + losses) - log_beta(SHAPE, SHAPE)
    even = 1.0 / (1.0 + odds * exp(evidence))
    trials = wins + losses
    mean = even / 2.0 + (1.0 - even) * (SHAPE + wins) / (2.0 * SHAPE + trials)
    low, high = (_quantile(even, SHAPE + wins, SHAPE + losses, share) for share in INTERVAL)
    rates = np.stack([mean, low, high, trials], axis=-1)
    rates[~(trials > 0)] = np.nan
    return rates


def _quantile(even: Array, alpha: Array, beta: Array, share: float) -> Array:
    """Return the quantile of the mixture of a mass `even` at 1/2 and a Beta distribution."""
    rest = 1.0 - even
    below = rest * beta_cdf(alpha, beta, 0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        is_below, is_above = below > share, below + even < share
        inside = np.where(is_above, (share - even) / rest, share / rest)
    is_smooth = is_below | is_above
    quantile = np.full(even.shape, 0.5)
    quantile[is_smooth] = beta_quantile(
        alpha[is_smooth], beta[is_smooth], np.minimum(np.maximum(inside[is_smooth], 0.0), 1.0)
    )
    return quantile
