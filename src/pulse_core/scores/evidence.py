"""Evidence: e-values of wins and losses against the benchmark, which are valid at any stopping time."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel.bindings import evidence_behind, sequence_counts
from pulse_core.kernel.special import beta_sf, log, log_beta
from pulse_core.scores.trust import LOST, WON

Array = NDArray[np.float64]
Outcomes = NDArray[np.int8]

FALSE_DISCOVERY_RATE: Final = 0.05


def evidence(outcomes: Outcomes, benchmark: int) -> Array:
    """Return log10 e-values (forecaster, horizon) of outcomes (origin, forecaster, horizon), NaN for the benchmark.

    The e-value of horizon h is the average over h interleaved sequences, each of every h-th origin.
    """
    horizons = outcomes.shape[2]
    sequences = log10_evidence(*sequence_counts(outcomes))
    ends = np.cumsum(np.arange(1, horizons + 1))
    log10_e = np.stack([average_evidence(sequences[end - step : end]) for step, end in enumerate(ends, 1)], axis=-1)
    log10_e[benchmark] = np.nan
    return log10_e


def evidence_path(outcomes: Outcomes, known_counts: NDArray[np.int64]) -> Array:
    """Return the log10 e-values as they stood at some moments; (moment, forecaster, horizon).

    `outcomes` (origin, forecaster, horizon) begin with the first origin of the period; `known_counts` (moment, horizon)
    is the number of origins, from that first one on, whose outcome at the horizon was known at the moment.
    """
    path = np.zeros((len(known_counts), *outcomes.shape[1:]))
    for step in range(1, outcomes.shape[2] + 1):
        sequences = _sequence_paths(outcomes[:, :, step - 1], step)
        last = known_counts[:, step - 1, None] - 1
        # the newest known origin of each sequence (moment, sequence); a sequence without one has the e-value 1
        newest = last - (last - np.arange(step)) % step
        log10_e = np.where((newest >= 0)[..., None], sequences[np.maximum(newest, 0)], 0.0)
        path[:, :, step - 1] = average_evidence(np.moveaxis(log10_e, 1, 0))
    return path


def _sequence_paths(outcomes: Outcomes, step: int) -> Array:
    """Return the log10 e-values of each origin's sequence up to that origin; (origin, forecaster), as `outcomes`."""
    counts = np.zeros((2, *outcomes.shape))
    for first in range(min(step, len(outcomes))):
        for side, code in zip(counts, (WON, LOST), strict=True):
            side[first::step] = np.cumsum(outcomes[first::step] == code, axis=0)
    # the e-value is a sum that takes time, and there are few distinct pairs of wins and losses
    size = len(outcomes) + 1
    pairs, inverse = np.unique((counts[0] * size + counts[1]).astype(np.int64), return_inverse=True)
    won, lost = np.divmod(pairs, size)
    return log10_evidence(won.astype(np.float64), lost.astype(np.float64))[inverse].reshape(outcomes.shape)


def log10_evidence(won: Array, lost: Array) -> Array:
    """Return log10 of the e-values of counts of wins and losses; the three shapes are the same.

    The hypothesis is that the chance to win is at most 1/2. The e-value of w wins and l losses is the mean over p,
    uniform on (1/2, 1], of (2p)^w (2(1-p))^l, which is the sum over i = 0..w of C(n+1, i) / ((n+1) C(n, w)), n = w + l.
    Source: Ville (1939); Choe & Ramdas (2024), Comparing sequential forecasters, Operations Research 72.
    """
    is_behind = won <= lost
    log_behind = log(evidence_behind(np.where(is_behind, won, 0.0), np.where(is_behind, lost, 0.0)))
    # where wins lead, the sum may exceed a float64, so the logarithm is of 2^(n+1) B(w+1, l+1) P(Beta(w+1, l+1) > 1/2),
    # whose probability is at least 1/2
    above_half = beta_sf(won + 1.0, lost + 1.0, 0.5)
    log_ahead = (won + lost + 1.0) * math.log(2.0) + log_beta(won + 1.0, lost + 1.0) + log(above_half)
    return np.asarray(np.where(is_behind, log_behind, log_ahead) / math.log(10.0))


def average_evidence(log10_e: Array) -> Array:
    """Return log10 of the mean over the first axis of e-values, given as log10.

    The mean over interleaved sequences is an e-value itself.

    Source: Arnold, Henzi & Ziegel (2023), Sequentially valid tests for forecast calibration, AOAS 17.
    """
    largest = log10_e.max(axis=0)
    total = np.zeros(largest.shape)
    for sequence in log10_e:
        total = total + np.array([10.0**power for power in (sequence - largest).ravel().tolist()]).reshape(total.shape)
    logs = np.array([math.log10(value) for value in (total / len(log10_e)).ravel().tolist()]).reshape(total.shape)
    return np.asarray(largest + logs)


def discoveries(log10_e: Array, rate: float = FALSE_DISCOVERY_RATE) -> NDArray[np.bool_]:
    """Return which of a run's e-values are discoveries by e-BH at a false discovery rate; a NaN is no hypothesis.

    With e_(k) the k-th largest of m e-values, the discoveries are the k largest for the largest k with
    e_(k) >= m/(rate k). Source: Wang & Ramdas (2022), False discovery rate control with e-values, JRSS B 84.
    """
    is_hypothesis = np.isfinite(log10_e)
    ordered = np.sort(log10_e[is_hypothesis])[::-1]
    ranks = np.arange(1, len(ordered) + 1)
    thresholds = np.array([math.log10(len(ordered) / (rate * rank)) for rank in ranks.tolist()])
    passing = np.flatnonzero(ordered >= thresholds)
    if not len(passing):
        return np.zeros(log10_e.shape, dtype=bool)
    return np.asarray(is_hypothesis & (np.where(is_hypothesis, log10_e, -np.inf) >= ordered[passing[-1]]))
