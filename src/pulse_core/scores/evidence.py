"""Evidence: e-values of wins and losses against the benchmark, which may be looked at at any time."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel.bindings import evidence_behind, sequence_counts
from pulse_core.scores.trust import LOST, WON

Array = NDArray[np.float64]
Outcomes = NDArray[np.int8]

FALSE_DISCOVERY_RATE: Final = 0.05


def evidence(outcomes: Outcomes, benchmark: int) -> Array:
    """Return log10 e-values (forecaster, horizon) of outcomes (origin, forecaster, horizon), NaN for the benchmark.

    For horizon h: averages over the h sequences of origins that are congruent mod h.
    """
    horizons = outcomes.shape[2]
    sequences = log10_evidence(*sequence_counts(outcomes))
    ends = np.cumsum(np.arange(1, horizons + 1))
    log10_e = np.stack([average_evidence(sequences[end - step : end]) for step, end in enumerate(ends, 1)], axis=-1)
    log10_e[benchmark] = np.nan
    return log10_e


def evidence_path(outcomes: Outcomes, known: NDArray[np.int64]) -> Array:
    """Return the log10 e-values as they stood at some origins; (origin, forecaster, horizon).

    `outcomes` (origin, forecaster, horizon) from the first of the period; `known` (origin asked for, horizon): of how
    many origins the outcome so many steps ahead was known then.
    """
    path = np.zeros((len(known), *outcomes.shape[1:]))
    for step in range(1, outcomes.shape[2] + 1):
        sequences = _sequence_paths(outcomes[:, :, step - 1], step)
        count = known[:, step - 1]
        # the newest known origin of each sequence: 0 where it has none, which is an e-value of 1
        newest = count[:, None] - 1 - (count[:, None] - 1 - np.arange(step)) % step
        members = np.where((newest >= 0)[..., None], sequences[np.maximum(newest, 0)], 0.0)
        path[:, :, step - 1] = average_evidence(np.moveaxis(members, 1, 0))
    return path


def _sequence_paths(outcomes: Outcomes, step: int) -> Array:
    """Return the log10 e-value of each origin's sequence after it; (origin, forecaster)."""
    counts = np.zeros((2, *outcomes.shape))
    for first in range(min(step, len(outcomes))):
        for side, code in zip(counts, (WON, LOST), strict=True):
            side[first::step] = np.cumsum(outcomes[first::step] == code, axis=0)
    # few pairs of wins and losses differ, and each costs a series
    size = len(outcomes) + 1
    pairs, inverse = np.unique((counts[0] * size + counts[1]).astype(np.int64), return_inverse=True)
    won, lost = np.divmod(pairs, size)
    return log10_evidence(won.astype(np.float64), lost.astype(np.float64))[inverse].reshape(outcomes.shape)


def log10_evidence(won: Array, lost: Array) -> Array:
    """Return log10 of the e-process of wins and losses, against "the chance to win is at most 1/2"; shape as given.

    e is the mean over p, uniform on (1/2, 1], of (2p)^w (2(1-p))^l, which is the sum over i = 0..w of
    C(n+1, i) / ((n+1) C(n, w)), n = w + l. Source: Ville (1939); Choe & Ramdas (2024), Comparing sequential
    forecasters, Operations Research 72.
    """
    from scipy.special import betainc, betaln, xlogy  # scalar routines, whose bits do not change with the array

    # where wins lead the sum may exceed a float64: logarithms there
    behind = won <= lost
    few = xlogy(1.0, evidence_behind(np.where(behind, won, 0.0), np.where(behind, lost, 0.0)))
    # 2^(n+1) B(w+1, l+1) P(Beta(w+1, l+1) > 1/2), and the probability is at least 1/2 there
    above = 1.0 - betainc(won + 1.0, lost + 1.0, 0.5)
    many = (won + lost + 1.0) * math.log(2.0) + betaln(won + 1.0, lost + 1.0) + xlogy(1.0, above)
    return np.asarray(np.where(behind, few, many) / math.log(10.0))


def average_evidence(log10_e: Array) -> Array:
    """Return log10 of the mean of e-values over the first axis: of interleaved sequences, an e-value itself.

    Source: Arnold, Henzi & Ziegel (2023), Sequentially valid tests for forecast calibration, AOAS 17.
    """
    largest = log10_e.max(axis=0)
    total = np.zeros(largest.shape)
    for one in log10_e:
        total = total + np.array([10.0**power for power in (one - largest).ravel().tolist()]).reshape(total.shape)
    logs = np.array([math.log10(value) for value in (total / len(log10_e)).ravel().tolist()]).reshape(total.shape)
    return np.asarray(largest + logs)


def discoveries(log10_e: Array, rate: float = FALSE_DISCOVERY_RATE) -> NDArray[np.bool_]:
    """Return which of a run's e-values survive e-BH at a false discovery rate; NaN ones are no hypotheses.

    With e_(k) the k-th largest of m: all down to the last k with e_(k) >= m/(rate k).
    Source: Wang & Ramdas (2022), False discovery rate control with e-values, JRSS B 84.
    """
    there = np.isfinite(log10_e)
    ordered = np.sort(log10_e[there])[::-1]
    ranks = np.arange(1, len(ordered) + 1)
    needed = np.array([math.log10(len(ordered) / (rate * rank)) for rank in ranks.tolist()])
    passed = np.flatnonzero(ordered >= needed)
    if not len(passed):
        return np.zeros(log10_e.shape, dtype=bool)
    return np.asarray(there & (np.where(there, log10_e, -np.inf) >= ordered[passed[-1]]))
