"""The learners, scores and tests of METHOD.md once more, in plain loops; nothing is shared with the core."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from statistics import NormalDist

import attrs
import numpy as np

TAUS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
ETA = 0.05
INTERVALS = {50: (0.25, 0.75), 80: (0.1, 0.9), 90: (0.05, 0.95), 95: (0.025, 0.975)}


@attrs.frozen
class Hindcast:
    """One forecast: when it was made, what it said, what came and when that became known (never: None)."""

    made: int
    point: float
    scale: float
    actual: float
    known: int | None
    newest: float = math.nan

    @property
    def error(self) -> float:
        return self.actual - self.point


def learned_at(hindcasts: Sequence[Hindcast], origin: int) -> list[Hindcast]:
    """Those whose actual has become known since the origin before, in order."""
    now = hindcasts[origin].made
    before = hindcasts[origin - 1].made if origin else -math.inf
    return [
        hindcast for hindcast in hindcasts[:origin] if hindcast.known is not None and before < hindcast.known <= now
    ]


def tracked(hindcasts: Sequence[Hindcast], horizon: int) -> list[list[float]]:
    """The nine quantiles at each origin, by the tracker of conformal PID control."""
    u = [1.2533 * NormalDist().inv_cdf(tau) for tau in TAUS]
    size, quotes = math.nan, []
    for origin, here in enumerate(hindcasts):
        for learned in learned_at(hindcasts, origin):
            if not (math.isfinite(size) and math.isfinite(learned.error)):
                continue
            z = learned.error / size if size else math.copysign(math.inf, learned.error) if learned.error else 0.0
            u = [old + ETA * (tau - (z <= q)) for old, q, tau in zip(u, pooled(u), TAUS, strict=True)]
            size = 0.97 * size + 0.03 * abs(learned.error) if size else abs(learned.error)
        if math.isnan(size) and math.isfinite(here.point):
            size = here.scale * math.sqrt(horizon) if here.scale > 0 else 0.0
        quotes.append([here.point + size * offset for offset in pooled(u)])
    return quotes


def pooled(values: Sequence[float]) -> list[float]:
    """The nearest values that do not fall, by pooling adjacent violators."""
    blocks: list[list[float]] = []
    for value in values:
        blocks.append([value])
        while len(blocks) > 1 and math.fsum(blocks[-2]) / len(blocks[-2]) > math.fsum(blocks[-1]) / len(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    return [math.fsum(block) / len(block) for block in blocks for _ in block]


def empirical(hindcasts: Sequence[Hindcast]) -> list[list[float]]:
    """The nine quantiles at each origin, of all errors known by then."""
    quotes, errors = [], []
    for origin, here in enumerate(hindcasts):
        errors += [learned.error for learned in learned_at(hindcasts, origin) if math.isfinite(learned.error)]
        offsets = np.quantile(errors, TAUS).tolist() if errors else [math.nan] * len(TAUS)
        quotes.append([here.point + offset for offset in offsets])
    return quotes


@attrs.define
class Weighed:
    """ML-Poly's weights and forecast at each origin, and its regret against each forecaster at the end."""

    weights: list[list[float]]
    forecasts: list[float]
    regrets: list[float]


def ml_poly(members: Sequence[Sequence[Hindcast]]) -> Weighed:
    """Members' hindcasts at the same origins; a NaN point sleeps."""
    count = len(members)
    regrets, squares, largest = [0.0] * count, [0.0] * count, 0.0
    result = Weighed([], [], regrets)
    first = members[0]
    for origin, here in enumerate(first):
        for learned in learned_at(first, origin):
            past = next(index for index, hindcast in enumerate(first) if hindcast is learned)
            loss = abs(learned.actual - result.forecasts[past]) / learned.scale if learned.scale > 0 else math.nan
            spared = [
                loss - abs(member[past].error) / learned.scale if learned.scale > 0 else math.nan for member in members
            ]
            spared = [less if math.isfinite(less) else 0.0 for less in spared]
            largest = max(largest, *(less * less for less in spared))
            for index, less in enumerate(spared):
                regrets[index] += less
                squares[index] += less * less
        awake = [math.isfinite(member[origin].point) for member in members]
        gains = [
            max(regret, 0.0) / (largest + square) if up and largest + square > 0 else 0.0
            for regret, square, up in zip(regrets, squares, awake, strict=True)
        ]
        if math.fsum(gains) == 0:
            gains = [float(up) for up in awake]
        total = math.fsum(gains)
        weights = [gain / total if total else 0.0 for gain in gains]
        result.weights.append(weights)
        points = [weight * member[origin].point for weight, member in zip(weights, members, strict=True) if weight]
        result.forecasts.append(math.fsum(points) if any(awake) else math.nan)
        assert here.made == here.made
    return result


def pinball(actual: float, quantile: float, tau: float) -> float:
    return tau * (actual - quantile) if actual >= quantile else (1 - tau) * (quantile - actual)


def trapezoid(actual: float, quantiles: Sequence[float]) -> float:
    """The integral of twice the pinball loss, which is zero at 0 and 1."""
    knots = [(0.0, 0.0), *((t, 2 * pinball(actual, q, t)) for t, q in zip(TAUS, quantiles, strict=True)), (1.0, 0.0)]
    return math.fsum((b - a) * (fa + fb) / 2 for (a, fa), (b, fb) in itertools.pairwise(knots))


def winkler(actual: float, low: float, high: float, miss: float = 0.05) -> float:
    return high - low + 2 / miss * (max(low - actual, 0.0) + max(actual - high, 0.0))


def diebold_mariano(losses: Iterable[float], benchmark: Iterable[float], horizon: int) -> float | None:
    """Two-sided p-value by Harvey, Leybourne & Newbold (1997), eqs. 1-9; None where the variance is not positive."""
    from scipy.stats import t

    differences = [loss - rival for loss, rival in zip(losses, benchmark, strict=True)]
    n = len(differences)
    mean = math.fsum(differences) / n

    def autocovariance(lag: int) -> float:
        pairs = zip(differences[lag:], differences[: n - lag], strict=True)
        return math.fsum((now - mean) * (then - mean) for now, then in pairs) / n

    variance = (autocovariance(0) + 2 * math.fsum(autocovariance(lag) for lag in range(1, horizon))) / n
    if variance <= 0:
        return None
    statistic = mean / math.sqrt(variance)
    corrected = math.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n) * statistic
    return float(2 * t.sf(abs(corrected), n - 1))


def evidence(won: int, lost: int) -> Fraction:
    """The mean of (2p)^won (2(1-p))^lost over p in (1/2, 1]: with p = (1+x)/2, of (1+x)^won (1-x)^lost over x."""
    coefficients = [1]
    for sign in [1] * won + [-1] * lost:
        above = [0, *coefficients]
        coefficients = [low + sign * high for low, high in zip([*coefficients, 0], above, strict=True)]
    return sum((Fraction(c, power + 1) for power, c in enumerate(coefficients)), Fraction(0))


def log10_of(value: Fraction) -> float:
    """The logarithm of a fraction that may be beyond floats."""
    shift = value.numerator.bit_length() - value.denominator.bit_length()
    scaled = value / Fraction(2) ** shift
    return math.log10(float(scaled)) + shift * math.log10(2)
