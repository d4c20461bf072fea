"""Trust: the posterior probability that a forecaster beats the benchmark, as it stands at the end of a run.

A Beta distribution over the chance to win, learning from each outcome in the batch in which it became known, and
forgetting at the start of each later batch. Source: the beta-Bernoulli model with exponential forgetting (power
prior, Ibrahim & Chen 2000); a weight of 1/h for h-step errors, which overlap.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel.bindings import posteriors
from pulse_core.kernel.special import beta_quantile

Array = NDArray[np.float64]

WON: Final = 2
TIED: Final = 1
LOST: Final = 0
UNKNOWN: Final = -1

DAYS_PER_DECAY: Final = 30
CREDIBLE: Final = (0.025, 0.975)


def batch_decay(trust_decay: float, batch_size_days: int) -> float:
    """Return g = trust_decay ** (batch_size_days / 30)."""
    return float(trust_decay ** (batch_size_days / DAYS_PER_DECAY))


def trust(alpha: Array, beta: Array) -> Array:
    """Return mean, bounds of the central 95 % credible interval, and effective trials; shape (..., 4)."""
    low, high = (beta_quantile(alpha, beta, share) for share in CREDIBLE)
    return np.stack([alpha / (alpha + beta), low, high, _trials(alpha, beta)], axis=-1)


def mean_trust(alpha: Array, beta: Array) -> Array:
    """Return the mean where an outcome is known, NaN elsewhere; shape as given."""
    return np.where(_trials(alpha, beta) == 0, np.nan, alpha / (alpha + beta))


def _trials(alpha: Array, beta: Array) -> Array:
    return (alpha - 1.0) + (beta - 1.0)


def trust_path(wins: Array, losses: Array, decay: float) -> Array:
    """Return the trust after each batch of wins and losses as weighted (batch, ...); (batch, ..., 4), see `trust`."""
    return trust(*posteriors(np.ascontiguousarray(wins), np.ascontiguousarray(losses), decay, len(wins)))
