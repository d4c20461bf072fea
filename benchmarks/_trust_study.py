"""Trust and evidence of many pairs at once in numpy: the rule of docs/method.md without the kernel, for studies of it.

tests/plain_trust.py says the same in loops; `agrees` holds one to the other. Arrays are (origin, pair), or (pair,) at
one origin; there is one origin a step, and an actual is known `horizon` origins later.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from tests.plain_trust import (
    BETS,
    DRIFT,
    FIRST_BET,
    LEAST,
    MOST,
    PRIOR,
    RMS_HALF_LIFE,
    SCALE_HALF_LIFE,
    TIE,
    BenchmarkScale,
    PlainPair,
    Settings,
    fading,
)

Array = NDArray[np.float64]

SETTINGS: Final = Settings()


@attrs.frozen(eq=False)
class Quotes:
    """Trust (quoted origin, pair), NaN where null, and log10 of e in both directions (origin, pair)."""

    trust: Array
    evidence: Array
    evidence_against: Array


class TrustSums:
    """The discounted sums of many pairs."""

    def __init__(self, pairs: int, horizon: int, settings: Settings) -> None:
        self.horizon, self.settings = horizon, settings
        self.sums = np.zeros((5, pairs))  # W, W2, S1, S2, A
        self.lags = np.zeros((2, horizon - 1, pairs))  # C_j, N_j
        self.past = np.zeros((horizon - 1, pairs))  # 0 where there is none; the newest first
        g = fading(settings.half_life)
        self.fades = np.array([g, g * g, g, g, g])[:, None]

    def learn(self, difference: Array) -> None:
        """One step; NaN is missing."""
        known = np.isfinite(difference)
        counted = known & (np.abs(difference) >= TIE)
        d = np.where(counted, difference, 0.0)
        self.sums = self.fades * self.sums + np.stack([counted, counted, d, d * d, known])
        self.lags = self.fades[0] * self.lags + np.stack([d * self.past, (self.past != 0.0) & counted])
        self.past = np.concatenate([d[None], self.past])[: self.horizon - 1]

    def probability(self) -> Array:
        """Trust; NaN where null."""
        weight, squared_weight, total, squares, all_weight = self.sums
        mean = total / weight
        variance = squares / weight - mean * mean
        degenerate = variance <= 1e-12 * squares / weight
        ratio = mean / np.sqrt(variance * weight / (weight - 1.0))
        ratio = np.where(degenerate, np.where(mean == 0.0, np.nan, 10.0 * np.sign(mean)), ratio)
        count = weight * weight / squared_weight
        inflation = self._inflation(count, mean, np.where(degenerate, np.inf, variance))
        span = np.maximum(1.0, self.settings.span * (weight + 1.0) / (all_weight + 1.0))
        return np.asarray(np.where(weight >= 3.0, self._mixture(ratio, count, inflation, span), np.nan))

    def _inflation(self, count: Array, mean: Array, variance: Array) -> Array:
        h = self.horizon
        if h == 1:
            return np.ones_like(count)
        products, pairs = self.lags
        correlations = (products / np.maximum(pairs, 1e-300) - mean * mean) / variance
        correlations = np.clip(correlations * np.minimum(1.0, pairs / self.sums[0]), -1.0, 1.0)
        measured = 1.0 + 2.0 * np.where(pairs > 0.0, correlations, 0.0).sum(axis=0)
        usual = (2 * h * h + 1) / (3 * h)
        return np.asarray(np.maximum(1.0, (count * np.maximum(measured, 0.3) + 2 * h * usual) / (count + 2 * h)))

    def _mixture(self, ratio: Array, count: Array, inflation: Array, span: Array) -> Array:
        weight, mean, sd = np.array(PRIOR).T[:, :, None]  # (part, pair) from here on
        sampling = inflation / count
        variance = sd * sd + sampling
        logarithm = np.log(weight) - (ratio - mean) ** 2 / (2 * variance) - np.log(variance) / 2
        likelihood = np.exp(logarithm - logarithm.max(axis=0))
        kappa = sd * sd / variance
        z = ((1.0 - kappa) * mean + kappa * ratio) / np.sqrt(kappa * sampling + inflation / span + DRIFT**2)
        chance = stdtr(np.clip(count / self.horizon, 2.0, 200.0), z)
        return np.asarray((likelihood * chance).sum(axis=0) / likelihood.sum(axis=0))


class Bets:
    """The products of bets of many pairs in both directions, and the root mean square that they go by."""

    def __init__(self, pairs: int, horizon: int) -> None:
        self.horizon = horizon
        self.squares, self.weight, self.count = np.zeros((3, pairs))
        self.products = np.ones((horizon, 2, len(BETS), pairs))
        self.steps = np.array([1.0, -1.0])[:, None, None] * np.array(BETS)[None, :, None]

    def root_mean_square(self) -> Array:
        """NaN before there is any to bet by."""
        return np.where(self.count >= FIRST_BET, np.sqrt(self.squares / self.weight), np.nan)

    def learn(self, origin: int, difference: Array, root_mean_square: Array) -> None:
        """The differences of an origin, and the root mean squares as they were known there."""
        counted = np.abs(difference) >= TIE
        x = np.clip(difference / (5.0 * root_mean_square), -1.0, 1.0)
        process = self.products[origin % self.horizon]
        process *= 1.0 + self.steps * np.where(counted & np.isfinite(x), x, 0.0)
        np.clip(process, LEAST, MOST, out=process)
        fade = np.where(counted, fading(RMS_HALF_LIFE), 1.0)
        self.squares = fade * self.squares + np.where(counted, difference * difference, 0.0)
        self.weight = fade * self.weight + counted
        self.count += counted

    def log10(self) -> Array:
        """(direction, pair)."""
        return np.asarray(np.log10(self.products.mean(axis=2).mean(axis=0)))


def scaled_differences(losses: Array, benchmark_losses: Array, horizon: int) -> Array:
    """d (origin, pair): the differences of losses in units of c_o; NaN where there is none."""
    scale, total, weight = np.full_like(losses, np.nan), np.zeros(losses.shape[1]), np.zeros(losses.shape[1])
    for origin in range(horizon, len(losses)):
        error = np.abs(benchmark_losses[origin - horizon])
        known = np.isfinite(error)
        total = fading(SCALE_HALF_LIFE) * total + np.where(known, error, 0.0)
        weight = fading(SCALE_HALF_LIFE) * weight + known
        scale[origin] = np.where(total > 0.0, total / weight, np.nan)
    return (benchmark_losses - losses) / scale


def quote(
    losses: Array, benchmark_losses: Array, horizon: int, origins: Collection[int], settings: Settings = SETTINGS
) -> Quotes:
    """Replay losses (origin, pair), which are absolute errors; trust is made at some `origins`, evidence at each."""
    count, pairs = losses.shape
    with np.errstate(all="ignore"):
        differences = scaled_differences(losses, benchmark_losses, horizon)
        sums, bets = TrustSums(pairs, horizon, settings), Bets(pairs, horizon)
        trust, evidence, sizes = [], np.zeros((2, count, pairs)), np.empty_like(losses)
        for origin in range(count):
            if origin >= horizon:
                sums.learn(differences[origin - horizon])
                bets.learn(origin - horizon, differences[origin - horizon], sizes[origin - horizon])
            sizes[origin] = bets.root_mean_square()
            evidence[:, origin] = bets.log10()
            if origin in origins:
                trust.append(sums.probability())
    return Quotes(np.array(trust).reshape(-1, pairs), *evidence)


def agrees(losses: Array, benchmark_losses: Array, horizon: int) -> bool:
    """Whether tests/plain_trust.py quotes the same of a few pairs at every origin."""
    quotes = quote(losses, benchmark_losses, horizon, range(len(losses)))
    vectorised = np.stack([quotes.trust, quotes.evidence, quotes.evidence_against])
    plain = [_plain(*losses_of_pair, horizon) for losses_of_pair in zip(losses.T, benchmark_losses.T, strict=True)]
    return np.allclose(vectorised, np.stack(plain, axis=2), rtol=1e-9, atol=1e-11, equal_nan=True)


def _plain(losses: Array, benchmark_losses: Array, horizon: int) -> Array:
    """Trust and both evidences (3, origin) of one pair by the plain loops."""
    pair, scale, quotes = PlainPair(horizon, SETTINGS), BenchmarkScale(), []
    for origin, (loss, benchmark_loss) in enumerate(zip(losses.tolist(), benchmark_losses.tolist(), strict=True)):
        if origin >= horizon:
            pair.learn()
            scale.learn(float(benchmark_losses[origin - horizon]))
        pair.forecast(loss, benchmark_loss, scale.value, allowed=True)
        quotes.append((np.nan if pair.probability is None else pair.probability, *pair.evidence))
    return np.array(quotes).T
