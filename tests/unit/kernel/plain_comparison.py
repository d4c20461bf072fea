"""Diebold-Mariano statistics, measures and evidence once more, in plain loops, each operation in its written order."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.unit.kernel.plain_calibration import over
from tests.unit.kernel.plain_sums import CRPS_WEIGHTS

WAYS = 32


def total(terms: Sequence[float]) -> float:
    """The sum: the rest beyond whole rows of 32 first, then row by row, 32 side by side, at last half upon half."""
    odd = len(terms) % WAYS
    sums = [*terms[len(terms) - odd :], *[0.0] * (WAYS - odd)]
    for first in range(0, len(terms) - odd, WAYS):
        sums = [before + term for before, term in zip(sums, terms[first : first + WAYS], strict=True)]
    while len(sums) > 1:
        half = len(sums) // 2
        sums = [low + high for low, high in zip(sums[:half], sums[half:], strict=True)]
    return sums[0]


def diebold_mariano(differences: Sequence[float], horizon: int) -> float:
    """Mean over the root of its long-run variance at lags 0..horizon-1, corrected for small samples; NaN for none."""
    count = len(differences)
    if count < 2:
        return math.nan
    n, h = float(count), float(horizon)
    correction = (count + 1 - 2 * horizon + h * (h - 1.0) / n) / n
    if correction <= 0:
        return math.nan
    mean = total(differences) / n
    centred = [difference - mean for difference in differences]
    variance = size = total([value * value for value in centred])
    for lag in range(1, min(horizon, count)):
        pairs = zip(centred[lag:], centred, strict=False)
        products = 2.0 * total([now * before for now, before in pairs])
        variance, size = variance + products, size + abs(products)
    if not (variance > 1e-20 * n * mean * mean and variance > 1e-13 * size):
        return math.nan
    return over(mean * math.sqrt(correction), math.sqrt(max(variance / n / n, 0.0)))


def common_losses(own: Sequence[float], rival: Sequence[float]) -> tuple[float, float]:
    """Sums of absolute errors of both where both have one, in order."""
    both = [(abs(e), abs(r)) for e, r in zip(own, rival, strict=True) if math.isfinite(e) and math.isfinite(r)]
    sums = (0.0, 0.0)
    for e, r in both:
        sums = (sums[0] + e, sums[1] + r)
    return sums


def measures(sums: Sequence[float]) -> list[float]:
    """The scores of one forecaster at one horizon, from its sums."""
    count, certain = sums[0], sums[13]
    losses = [ratio(sums[14 + k], certain) for k in range(9)]
    crps, all_levels = CRPS_WEIGHTS[0] * losses[0], losses[0]
    for k in range(1, 9):
        crps = crps + CRPS_WEIGHTS[k] * losses[k]
        all_levels = all_levels + losses[k]
    return [
        count,
        ratio(sums[1], count),
        ratio(sums[2], count),
        root(ratio(sums[3], count)),
        ratio(sums[4], count),
        root(ratio(sums[5], count)),
        ratio(sums[6], count),
        ratio(sums[7], sums[8]),
        sums[8],
        1.0 - ratio(sums[9], sums[10]),
        1.0 - ratio(sums[11], sums[12]),
        crps,
        1.0 - ratio(sums[32], sums[33]),
        2.0 * all_levels / 9,
        *losses,
        *(ratio(sums[23 + i], certain) for i in range(4)),
        *(ratio(sums[27 + i], certain) for i in range(4)),
        2.0 / 0.05 * (losses[0] + losses[8]),
        ratio(sums[31], certain),
    ]


def ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else math.nan


def root(square: float) -> float:
    return math.sqrt(square) if square >= 0 else math.nan


def evidence_behind(won: float, lost: float) -> float:
    """e = the sum over i = 0..w of C(n+1, i) / ((n+1) C(n, w)), from i = w down, until terms no longer count."""
    trials = won + lost
    term = (trials + 1.0) / (lost + 1.0)
    e = term
    index = won
    while index > 0:
        term = term * index / (trials + 2.0 - index)
        if not term > e * 1e-18:
            break
        e = e + term
        index -= 1.0
    return e / (trials + 1.0)
