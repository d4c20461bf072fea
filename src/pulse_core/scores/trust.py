"""Trust: the posterior probability that a forecaster beats the benchmark, as it stands at the end of a run.

A Beta distribution over the chance to win, learning from each outcome in the batch in which it became known, and
forgetting at the start of each later batch. Source: the beta-Bernoulli model with exponential forgetting (power
prior, Ibrahim & Chen 2000); a weight of 1/h for h-step errors, which overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel.special import beta_quantile

Array = NDArray[np.float64]
Outcome = NDArray[np.int8]

WON: Final = 2
TIED: Final = 1
LOST: Final = 0
UNKNOWN: Final = -1

DAYS_PER_DECAY: Final = 30
CREDIBLE: Final = (0.025, 0.975)


def batch_decay(trust_decay: float, batch_size_days: int) -> float:
    """Return g = trust_decay ** (batch_size_days / 30)."""
    return float(trust_decay ** (batch_size_days / DAYS_PER_DECAY))


def outcome(loss: Array, benchmark: Array) -> Outcome:
    """Return WON where the loss is less than the benchmark's, TIED where equal, else LOST; UNKNOWN without both."""
    less, no_more = loss < benchmark, loss <= benchmark
    unknown = np.isnan(loss) | np.isnan(benchmark)
    return np.asarray(less.view(np.int8) + no_more.view(np.int8) - unknown.view(np.int8))


def posteriors(won: Array, lost: Array, decay: float, batches: int) -> Iterator[tuple[Array, Array]]:
    """Fold weighted wins and losses (batch, ...); yield alpha and beta after each of `batches` batches, empty ones too.

    From Beta(1, 1); at the start of each later batch alpha <- 1 + g (alpha - 1), beta alike.
    """
    alpha, beta = np.ones(won.shape[1:]), np.ones(won.shape[1:])
    for batch in range(batches):
        if batch:
            alpha, beta = faded(alpha, decay), faded(beta, decay)
        if batch < len(won):
            alpha, beta = alpha + won[batch], beta + lost[batch]
        yield alpha, beta


def faded(parameter: Array, decay: float) -> Array:
    """Return what forgetting leaves of alpha or beta: 1 + g (alpha - 1)."""
    return 1.0 + decay * (parameter - 1.0)


def posterior(won: Array, lost: Array, decay: float, batches: int) -> tuple[Array, Array]:
    """Return alpha and beta after all `batches` (at least one); see `posteriors`."""
    *_, last = posteriors(won, lost, decay, batches)
    return last


def trust(alpha: Array, beta: Array) -> Array:
    """Return mean, bounds of the central 95 % credible interval, and effective trials; shape (..., 4)."""
    low, high = (beta_quantile(alpha, beta, share) for share in CREDIBLE)
    return np.stack([alpha / (alpha + beta), low, high, (alpha - 1.0) + (beta - 1.0)], axis=-1)
