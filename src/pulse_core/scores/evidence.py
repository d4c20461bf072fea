"""Evidence: e-values that a forecaster's loss is lower than the benchmark's, by sizes and by wins alone.

By sizes: bets of a tenth, three tenths and six tenths of the capital on x = d over five root mean squares of earlier d,
clipped to -1 .. 1 (see kernel/trust.c). Where the expected x, given the past, is not above 0, each capital is a
non-negative supermartingale, and so is their mean: it ever reaches 20 with a probability of at most 1/20 (Ville 1939).
Beyond one step ahead h interleaved processes are averaged, which is an e-value at a fixed time; see
scores.verdict.anytime. Source: Waudby-Smith & Ramdas (2024), Estimating means of bounded random variables by betting,
JRSS B 86; Choe & Ramdas (2024), Comparing sequential forecasters, Operations Research 72.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel.bindings import add_sequence_counts, evidence_behind, no_sequence_counts
from pulse_core.kernel.special import beta_sf, exp, log, log_beta

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

FALSE_DISCOVERY_RATE: Final = 0.05

_SEQUENCES: Final = 1 << 14
"""Sequences whose evidence is averaged at a time, or those of one horizon."""

_FEW: Final = 256
"""Numbers of wins and of losses below which evidence comes from a table, where sequences outnumber its entries."""

_LOG_2: Final = 0.6931471805599453
_LOG_10: Final = 2.302585092994046


def log10_of(e_values: Array) -> Array:
    """Return the decimal logarithms of e-values, with the same bits on every machine."""
    return log(e_values) / _LOG_10


def evidence_of_wins(differences: Array) -> Array:
    """Return log10 e-values (horizon, forecaster) of wins and losses alone, whatever their sizes.

    `differences` (origin, horizon, forecaster): above 0 for a win. The e-value of horizon h is the average over h
    interleaved sequences, each of every h-th origin.
    """
    counts = no_sequence_counts(*differences.shape[1:])
    add_sequence_counts(differences, 0, counts)
    return evidence_of_sequences(counts)


def evidence_of_sequences(counts: Array) -> Array:
    """Return the same from the wins and losses of the sequences, horizon after horizon; (2, sequence, forecaster)."""
    won, lost = counts
    horizons = math.isqrt(2 * len(won))
    sizes = np.arange(1, horizons + 1)
    ends = np.cumsum(sizes)
    means, begin = [], 0
    while begin < len(sizes):  # some horizons at a time: far ones have many sequences
        first = ends[begin] - sizes[begin]
        end = max(begin + 1, int(np.searchsorted(ends, first + _SEQUENCES, side="right")))
        rows = slice(first, ends[end - 1])
        means.append(average_evidence(log10_evidence(won[rows], lost[rows]), sizes[begin:end]))
        begin = end
    return np.concatenate(means)


def log10_evidence(won: Array, lost: Array) -> Array:
    """Return log10 of the e-values of counts of wins and losses; the three shapes are the same.

    The hypothesis is that the chance to win is at most 1/2. The e-value of w wins and l losses is the mean over p,
    uniform on (1/2, 1], of (2p)^w (2(1-p))^l, which is the sum over i = 0..w of C(n+1, i) / ((n+1) C(n, w)), n = w + l.
    Source: Ville (1939); Choe & Ramdas (2024), Comparing sequential forecasters, Operations Research 72.
    """
    if won.size <= _FEW * _FEW:
        return _log10_evidence(won, lost)
    # the shorter sequences are many, and have few outcomes
    is_short = (won < _FEW) & (lost < _FEW)
    outcomes = (won[is_short] * _FEW + lost[is_short]).astype(np.int64)
    distinct = np.flatnonzero(np.bincount(outcomes, minlength=1))
    table = np.empty(_FEW * _FEW)
    table[distinct] = _log10_evidence(np.floor(distinct / _FEW), np.asarray(distinct % _FEW, dtype=np.float64))
    logs = np.empty(won.shape)
    logs[is_short] = table[outcomes]
    logs[~is_short] = _log10_evidence(won[~is_short], lost[~is_short])
    return logs


def _log10_evidence(won: Array, lost: Array) -> Array:
    is_behind = won <= lost
    is_ahead = ~is_behind
    logs = np.empty(won.shape)
    logs[is_behind] = log(evidence_behind(won[is_behind], lost[is_behind]))
    # where wins lead, the sum may exceed a float64, so the logarithm is of 2^(n+1) B(w+1, l+1) P(Beta(w+1, l+1) > 1/2),
    # whose probability is at least 1/2
    alpha, beta = won[is_ahead] + 1.0, lost[is_ahead] + 1.0
    logs[is_ahead] = (alpha + beta - 1.0) * _LOG_2 + log_beta(alpha, beta) + log(beta_sf(alpha, beta, 0.5))
    return np.asarray(logs / _LOG_10)


def average_evidence(log10_e: Array, sizes: Positions) -> Array:
    """Return log10 of the means of groups of e-values; (group, ..).

    `log10_e` (e-value, ..) are those of one group after another's, `sizes` (group,) the numbers of each, nondecreasing.
    The mean over interleaved sequences is an e-value itself.

    Source: Arnold, Henzi & Ziegel (2023), Sequentially valid tests for forecast calibration, AOAS 17.
    """
    first = np.cumsum(sizes) - sizes
    largest = np.maximum.reduceat(log10_e, first)
    values = exp((log10_e - np.repeat(largest, sizes, axis=0)) * _LOG_10)
    total = np.zeros(largest.shape)
    for number in range(sizes[-1]):  # in order: sums of numpy take an order of their own
        groups = int(np.searchsorted(sizes, number, side="right"))
        total[groups:] += values[first[groups:] + number]
    means = total / sizes.reshape(-1, *(1,) * (total.ndim - 1))
    return np.asarray(largest + log(means) / _LOG_10)


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
