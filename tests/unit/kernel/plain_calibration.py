"""Calibration once more, in plain loops over Python floats, each operation in its written order.

Conformal: u += rate (tau - 1{z <= q}) for the error z over the scale, q the isotonic fit of u. Empirical: the quantiles
of all errors, linearly interpolated.
"""

from __future__ import annotations

import math
from bisect import insort_right
from collections.abc import Sequence
from statistics import NormalDist

import attrs

TAUS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
RATE = 0.05
DECAY = 0.97
NORMAL_OVER_MEAN_ABSOLUTE = 1.2533
NORMAL = (-1.9599639845400545, -1.6448536269514729, -1.2815515655446004, -0.6744897501960817, 0.0)
START = [NORMAL_OVER_MEAN_ABSOLUTE * z for z in (*NORMAL, 0.6744897501960817, 1.2815515655446004)]
START += [NORMAL_OVER_MEAN_ABSOLUTE * z for z in (1.6448536269514722, 1.9599639845400545)]
assert all(abs(1.2533 * NormalDist().inv_cdf(tau) - start) < 1e-9 for tau, start in zip(TAUS, START, strict=True))


def over(dividend: float, divisor: float) -> float:
    """Divide as IEEE 754 does; Python raises where the divisor is zero."""
    if divisor != 0:
        return dividend / divisor
    if dividend == 0 or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


@attrs.define
class Conformal:
    """Quantiles of one forecaster at one horizon by conformal PID control."""

    raw: list[float] = attrs.field(factory=lambda: list(START))
    offsets: list[float] = attrs.field(factory=lambda: list(START))
    size: float = math.nan

    def learn(self, error: float) -> None:
        if not (math.isfinite(error) and math.isfinite(self.size)):
            return
        # while nothing has moved, an error that is not zero is beyond all quantiles
        beyond = math.copysign(math.inf, error) if error != 0 else 0.0
        relative = error / self.size if self.size > 0 else beyond
        for k, tau in enumerate(TAUS):
            up = RATE * tau
            self.raw[k] = self.raw[k] + (-RATE + up if relative <= self.offsets[k] else up)
        self.offsets = uncrossed(self.raw)
        self.size = DECAY * self.size + (1.0 - DECAY) * abs(error) if self.size > 0 else abs(error)

    def predict(self, expected: float, forecast: float) -> tuple[list[float], float]:
        if math.isnan(self.size) and math.isfinite(forecast):
            self.size = expected if expected > 0 else 0.0
        return self.offsets, self.size


def uncrossed(raw: Sequence[float]) -> list[float]:
    """The isotonic fit: pairs that cross are pooled, and where that does not do, all blocks are."""
    offsets = list(raw)
    for k in reversed(range(len(raw) - 1)):
        if raw[k + 1] < raw[k]:
            offsets[k] = offsets[k + 1] = (raw[k] + raw[k + 1]) / 2.0
    falls = any(offsets[k + 1] < offsets[k] for k in range(len(raw) - 1))
    return isotonic(raw) if falls else offsets


def isotonic(raw: Sequence[float]) -> list[float]:
    """The nearest numbers that do not fall; what is pooled is equal to the bit."""
    best = best_means(raw)
    fitted = [best[0]]
    for level in range(1, len(best)):
        fitted.append(best[level] if best[level] - best[level - 1] > 1e-9 else fitted[-1])
    return fitted


def best_means(raw: Sequence[float]) -> list[float]:
    """At each level the largest, over where a stretch begins, of the least mean, over where it ends."""
    count = len(raw)
    sums = [0.0]
    for value in raw:
        sums.append(sums[-1] + value)

    def mean(first: int, last: int) -> float:
        return raw[first] if first == last else (sums[last + 1] - sums[first]) / (last - first + 1)

    return [
        max(min(mean(first, last) for last in range(level, count)) for first in range(level + 1))
        for level in range(count)
    ]


@attrs.define
class Empirical:
    """The quantiles of all errors so far, type 7 of Hyndman & Fan."""

    errors: list[float] = attrs.field(factory=list)

    def learn(self, error: float) -> None:
        if math.isfinite(error):
            insort_right(self.errors, error)

    def predict(self, expected: float, forecast: float) -> tuple[list[float], float]:
        if not self.errors:
            return [0.0] * len(TAUS), math.nan
        offsets = []
        for tau in TAUS:
            position = tau * (len(self.errors) - 1)
            low = int(position)
            high = min(low + 1, len(self.errors) - 1)
            offsets.append(between(self.errors[low], self.errors[high], position - low))
        return offsets, 1.0


def between(low: float, high: float, share: float) -> float:
    """The number so far on the way from low to high; their gap may be beyond a float64."""
    gap = high - low
    return low + share * gap if math.isfinite(gap) else (1.0 - share) * low + share * high


Calibrator = Conformal | Empirical
CALIBRATORS: dict[str, type[Calibrator]] = {"conformal": Conformal, "empirical": Empirical}
