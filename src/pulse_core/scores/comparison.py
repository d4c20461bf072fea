"""Is a forecaster better than the benchmark? A test at the end, and evidence that may be looked at at any time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel.special import beta_sf, log, log_beta, student_t_cdf

Array = NDArray[np.float64]

ROUNDING: Final = 1e-20
"""A variance below this share of the squared mean is rounding: the losses always differ by the same."""

FALSE_DISCOVERY_RATE: Final = 0.05

LANES: Final = 32
"""How many sums are taken side by side; a power of two."""


def compare(losses: Array, benchmark: int) -> Array:
    """Return the Diebold-Mariano p-values (forecaster, horizon) of losses (forecaster, origin, horizon).

    On the origins scored for both; NaN for the benchmark.
    """
    differences = losses - losses[benchmark]
    p_values = np.full((losses.shape[0], losses.shape[2]), np.nan)
    for place in range(losses.shape[2]):
        for alike, scored in _alike(np.isfinite(differences[:, :, place])):
            p_values[alike, place] = diebold_mariano(differences[alike, :, place][:, scored].T, place + 1)
    p_values[benchmark] = np.nan
    return p_values


def _alike(known: NDArray[np.bool_]) -> Iterator[tuple[list[int], NDArray[np.bool_]]]:
    """Yield the forecasters that are scored on the same origins, with these; nearly always all of them."""
    groups: dict[bytes, list[int]] = {}
    for forecaster, scored in enumerate(known):
        groups.setdefault(scored.tobytes(), []).append(forecaster)
    for members in groups.values():
        yield members, known[members[0]]


def diebold_mariano(differences: Array, horizon: int) -> Array:
    """Return the two-sided p-value that mean loss differences are zero; NaN where the variance is not above rounding.

    `differences` (origin, ...) in order of time, of `horizon`-step losses; their long-run variance takes lags
    0..horizon-1 with equal weight, and the statistic is corrected for small samples and compared with t(n-1).
    Source: Diebold & Mariano (1995), JBES 13; Harvey, Leybourne & Newbold (1997), IJF 13.
    """
    count = len(differences)
    correction = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count if count else 0.0
    if count < 2 or correction <= 0:
        return np.full(differences.shape[1:], np.nan)
    mean = _total(differences) / count
    centred = differences - mean
    variance = _total(centred * centred)
    for lag in range(1, min(horizon, count)):
        variance = variance + 2.0 * _total(centred[lag:] * centred[:-lag])
    varied = variance > ROUNDING * count * mean * mean
    variance = variance / count / count
    statistic = np.full(mean.shape, np.nan)
    np.divide(mean * math.sqrt(correction), np.sqrt(np.maximum(variance, 0.0)), out=statistic, where=varied)
    return np.asarray(2.0 * student_t_cdf(count - 1, -np.abs(statistic)))


def log10_evidence(won: Array, lost: Array) -> Array:
    """Return log10 of the e-process of wins and losses, against "the chance to win is at most 1/2"; shape as given.

    e is the mean over p, uniform on (1/2, 1], of (2p)^w (2(1-p))^l, which is the sum over i = 0..w of
    C(n+1, i) / ((n+1) C(n, w)), n = w + l. Source: Ville (1939); Choe & Ramdas (2024), Comparing sequential
    forecasters, Operations Research 72.
    """
    # where wins lead the sum may exceed a float64: logarithms there
    behind = won <= lost
    few = log(_evidence(np.where(behind, won, 0.0), np.where(behind, lost, 0.0)))
    # 2^(n+1) B(w+1, l+1) P(Beta(w+1, l+1) > 1/2), and the probability is at least 1/2 there
    above = beta_sf(won + 1.0, lost + 1.0, 0.5)
    many = (won + lost + 1.0) * math.log(2.0) + log_beta(won + 1.0, lost + 1.0) + log(above)
    return np.asarray(np.where(behind, few, many) / math.log(10.0))


def _evidence(won: Array, lost: Array) -> Array:
    """Add up the terms from i = w down; each is i/(n + 2 - i) of the one before."""
    trials = won + lost
    term = (trials + 1.0) / (lost + 1.0)
    total, place = term.copy(), won.copy()
    while (place > 0).any():  # half of all trials at most, and far fewer where these are many
        term = term * np.maximum(place, 0.0) / (trials + 2.0 - place)
        if not (term > total * 1e-18).any():
            break
        total, place = total + term, place - 1.0
    return total / (trials + 1.0)


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


def _total(values: Array) -> Array:
    """Add over the first axis in an order that its length alone decides; sum's changes with the layout."""
    rows, rest = divmod(len(values), LANES)
    lanes = np.zeros((LANES, *values.shape[1:]))
    lanes[:rest] = values[len(values) - rest :]
    for row in range(rows):
        np.add(lanes, values[row * LANES : (row + 1) * LANES], out=lanes)
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = lanes[:half] + lanes[half:]
    return np.asarray(lanes[0])
