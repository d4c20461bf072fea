"""Trust, win rate and evidence of METHOD.md once more, in plain loops; nothing is shared with the core.

Time runs as in a replay: at each origin first `learn` for every actual that has become known, then `forecast`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import attrs
from scipy.special import betainc, stdtr

TIE = 1e-9
"""Differences that are smaller carry nothing."""

SCALE_HALF_LIFE = 125.0
RMS_HALF_LIFE = 250.0
WIN_HALF_LIFE = 1000.0

FIRST_BET = 8
"""How many differences the root mean square is made of before anything is bet."""

BETS = (0.1, 0.3, 0.6)
LEAST, MOST = 1e-300, 1e300
"""A product of bets stays between them."""

PRIOR = ((1 / 3, -0.05, 0.015), (2 / 3, -0.15, 0.25))
"""Weight, mean and standard deviation of two normals: the mean difference in units of the differences' own."""

DRIFT = 0.08
SHARE_OF_EQUALS = 0.8
"""Prior probability that the win rate is 1/2; otherwise it is Beta(STRENGTH, STRENGTH)."""

STRENGTH = 10.0

RateSummary = tuple[float, float, float, float]
"""Mean, 2.5 % and 97.5 % quantile of the win rate, trials."""


@attrs.frozen
class Settings:
    """Half-life of trust in origins, and the span K over which trust has to come true."""

    half_life: float = 500.0
    span: int = 250


def fading(half_life: float) -> float:
    """The factor of one step."""
    return float(0.5 ** (1.0 / half_life))


def clipped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


@attrs.define
class BenchmarkScale:
    """c_o: the discounted mean of the benchmark's absolute errors at one horizon that are known by now."""

    total: float = 0.0
    weight: float = 0.0

    def learn(self, error: float) -> None:
        """One more error; a NaN (no forecast, no actual) fades the others and adds nothing."""
        self.total *= fading(SCALE_HALF_LIFE)
        self.weight *= fading(SCALE_HALF_LIFE)
        if not math.isnan(error):
            self.total += abs(error)
            self.weight += 1.0

    @property
    def value(self) -> float:
        """NaN while no error is known, or none but zeros."""
        return self.total / self.weight if self.total > 0.0 else math.nan


@attrs.define
class Trust:
    """The discounted sums of one pair at one horizon, and the probability that they make.

    `lags` are the sums of products C_j and their weights N_j, j = 1 .. h - 1; `past` the newest h - 1 differences, the
    newest first, with None where a step had none or a tie.
    """

    horizon: int
    settings: Settings
    weight: float = 0.0  # W
    squared_weight: float = 0.0  # W2
    total: float = 0.0  # S1
    squares: float = 0.0  # S2
    all_weight: float = 0.0  # A
    lags: list[tuple[float, float]] = attrs.field(init=False)
    past: list[float | None] = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.lags = [(0.0, 0.0)] * (self.horizon - 1)

    def learn(self, difference: float) -> None:
        """One step: everything fades by one, and the newest difference is added with weight 1."""
        self._fade()
        if not math.isnan(difference):
            self.all_weight += 1.0
        newest = None if math.isnan(difference) or abs(difference) < TIE else difference
        if newest is not None:
            self._add(newest)
        self.past = [newest, *self.past][: self.horizon - 1]

    def _fade(self) -> None:
        g = fading(self.settings.half_life)
        self.weight *= g
        self.squared_weight *= g * g
        self.total *= g
        self.squares *= g
        self.all_weight *= g
        self.lags = [(g * products, g * pairs) for products, pairs in self.lags]

    def _add(self, difference: float) -> None:
        self.weight += 1.0
        self.squared_weight += 1.0
        self.total += difference
        self.squares += difference * difference
        for lag, earlier in enumerate(self.past):
            if earlier is not None:
                products, pairs = self.lags[lag]
                self.lags[lag] = products + difference * earlier, pairs + 1.0

    @property
    def mean(self) -> float:
        """The discounted mean difference m."""
        return self.total / self.weight if self.weight else 0.0

    @property
    def variance(self) -> float:
        """The discounted variance v; 0 where rounding leaves nothing of it."""
        if not self.weight:
            return 0.0
        variance = self.squares / self.weight - self.mean**2
        return variance if variance > 1e-12 * self.squares / self.weight else 0.0

    @property
    def ratio(self) -> float | None:
        """r: the mean in units of the standard deviation; None where there is none."""
        if not self.variance:
            return math.copysign(10.0, self.mean) if self.mean else None
        if self.weight <= 1.0:
            return None
        return self.mean / math.sqrt(self.variance * self.weight / (self.weight - 1.0))

    @property
    def count(self) -> float:
        """n: as many differences of equal weight would say as much, if they were independent."""
        return self.weight**2 / self.squared_weight if self.squared_weight else 0.0

    @property
    def inflation(self) -> float:
        """lambda_h: how many times the variance of the mean is that of independent differences."""
        h, n = self.horizon, self.count
        if h == 1:
            return 1.0
        usual = (2 * h * h + 1) / (3 * h)
        return max(1.0, (n * max(self._measured_inflation(), 0.3) + 2 * h * usual) / (n + 2 * h))

    def _measured_inflation(self) -> float:
        """lambda: from the autocorrelations at the lags below h; without variance there are none."""
        return 1.0 + 2.0 * math.fsum(self._autocorrelation(*lag) for lag in self.lags)

    def _autocorrelation(self, products: float, pairs: float) -> float:
        if not (pairs and self.variance):
            return 0.0
        correlation = (products / pairs - self.mean**2) / self.variance
        return clipped(correlation * min(1.0, pairs / self.weight), -1.0, 1.0)

    @property
    def span(self) -> float:
        """K': how many of the next K differences will not be ties."""
        return max(1.0, self.settings.span * (self.weight + 1.0) / (self.all_weight + 1.0))

    @property
    def probability(self) -> float | None:
        """That the mean of the next K' differences is above zero; None while too little is known."""
        if self.weight < 3.0 or self.ratio is None:
            return None
        likelihoods = self._likelihoods(self.ratio)
        chances = [self._chance(self.ratio, mean, sd) for _, mean, sd in PRIOR]
        products = [likelihood * chance for likelihood, chance in zip(likelihoods, chances, strict=True)]
        return math.fsum(products) / math.fsum(likelihoods)

    def _likelihoods(self, ratio: float) -> list[float]:
        """Of the prior's parts, times their weights, relative to the likelier."""
        logarithms = []
        for weight, mean, sd in PRIOR:
            variance = sd**2 + self.inflation / self.count
            logarithms.append(math.log(weight) - (ratio - mean) ** 2 / (2 * variance) - math.log(variance) / 2)
        return [math.exp(logarithm - max(logarithms)) for logarithm in logarithms]

    def _chance(self, ratio: float, mean: float, sd: float) -> float:
        """That the next mean is above zero, if the prior's part N(mean, sd^2) is the right one."""
        sampling = self.inflation / self.count
        kappa = sd**2 / (sd**2 + sampling)
        expected = (1.0 - kappa) * mean + kappa * ratio
        z = expected / math.sqrt(kappa * sampling + self.inflation / self.span + DRIFT**2)
        return float(stdtr(clipped(self.count / self.horizon, 2.0, 200.0), z))


@attrs.define
class RootMeanSquare:
    """Of the differences that are no ties; it fades when one is learned."""

    squares: float = 0.0
    weight: float = 0.0
    count: int = 0

    def learn(self, difference: float) -> None:
        self.squares = fading(RMS_HALF_LIFE) * self.squares + difference * difference
        self.weight = fading(RMS_HALF_LIFE) * self.weight + 1.0
        self.count += 1

    @property
    def value(self) -> float:
        """NaN while it is made of too few to bet by."""
        return math.sqrt(self.squares / self.weight) if self.count >= FIRST_BET else math.nan


@attrs.define
class Evidence:
    """Products of bets in one direction (1: for the forecaster, -1: against it); (interleaved process, bet)."""

    horizon: int
    direction: int
    products: list[list[float]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.products = [[1.0] * len(BETS) for _ in range(self.horizon)]

    def learn(self, origin: int, x: float) -> None:
        """The clipped difference of an origin at which something was bet."""
        process = self.products[origin % self.horizon]
        for index, bet in enumerate(BETS):
            process[index] = clipped(process[index] * (1.0 + bet * self.direction * x), LEAST, MOST)

    @property
    def log10(self) -> float:
        """The mean over bets, averaged over the processes."""
        means = [math.fsum(process) / len(BETS) for process in self.products]
        return math.log10(math.fsum(means) / self.horizon)


@attrs.define
class WinRate:
    """Discounted wins and losses; an outcome at horizon h weighs 1/sqrt(h)."""

    horizon: int
    wins: float = 0.0
    losses: float = 0.0

    def learn(self, difference: float) -> None:
        """One step of fading, and one outcome more unless the difference is missing or a tie."""
        self.wins *= fading(WIN_HALF_LIFE)
        self.losses *= fading(WIN_HALF_LIFE)
        if difference >= TIE:
            self.wins += 1.0 / math.sqrt(self.horizon)
        elif difference <= -TIE:
            self.losses += 1.0 / math.sqrt(self.horizon)

    @property
    def equal(self) -> float:
        """P: the probability that the rate is 1/2."""
        w, b = self.wins, self.losses
        logarithm = (w + b) * math.log(2.0) + log_beta(STRENGTH + w, STRENGTH + b) - log_beta(STRENGTH, STRENGTH)
        shrunk = SHARE_OF_EQUALS * math.exp(-logarithm)  # the other way round exp overflows
        return shrunk / (shrunk + 1.0 - SHARE_OF_EQUALS)

    def below(self, rate: float) -> float:
        """The posterior probability of rates up to this one."""
        beta = float(betainc(STRENGTH + self.wins, STRENGTH + self.losses, rate))
        return (1.0 - self.equal) * beta + (self.equal if rate >= 0.5 else 0.0)

    @property
    def summary(self) -> RateSummary:
        """Mean, 2.5 % and 97.5 % quantile, trials."""
        w, b = self.wins, self.losses
        mean = self.equal / 2.0 + (1.0 - self.equal) * (STRENGTH + w) / (2.0 * STRENGTH + w + b)
        return mean, least_rate(self.below, 0.025), least_rate(self.below, 0.975), w + b


def log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def least_rate(below: Callable[[float], float], probability: float) -> float:
    """The least rate below which there is this probability, by bisection; it falls on 1/2 exactly where mass is."""
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2.0) < high:
        low, high = (low, middle) if below(middle) >= probability else (middle, high)
    return high


@attrs.frozen
class Pending:
    """What is kept with a forecast until its actual is known: d as it will turn out, and the rms to bet by or NaN."""

    origin: int
    difference: float
    rms: float


class PlainPair:
    """One forecaster against the benchmark at one horizon."""

    def __init__(self, horizon: int, settings: Settings = Settings()) -> None:
        self.trust = Trust(horizon, settings)
        self.rms = RootMeanSquare()
        self.wins = WinRate(horizon)
        self.for_forecaster = Evidence(horizon, 1)
        self.against_forecaster = Evidence(horizon, -1)
        self.pending: list[Pending] = []
        self.origins = itertools.count()

    def forecast(self, loss: float, benchmark_loss: float, scale: float, allowed: bool) -> None:
        """An origin of the period: losses as they will turn out, c_o as known now, and whether a bet is allowed.

        A NaN loss has no forecast or no actual, a NaN scale nothing to measure by.
        """
        rms = self.rms.value if allowed else math.nan
        self.pending.append(Pending(next(self.origins), (benchmark_loss - loss) / scale, rms))

    def learn(self) -> None:
        """The actual of the oldest origin that has not been learned yet becomes known."""
        oldest = self.pending.pop(0)
        self.trust.learn(oldest.difference)
        self.wins.learn(oldest.difference)
        if abs(oldest.difference) >= TIE:
            self._bet(oldest)
            self.rms.learn(oldest.difference)

    def _bet(self, forecast: Pending) -> None:
        if not math.isnan(forecast.rms):
            x = clipped(forecast.difference / (5.0 * forecast.rms), -1.0, 1.0)
            self.for_forecaster.learn(forecast.origin, x)
            self.against_forecaster.learn(forecast.origin, x)

    @property
    def state(self) -> dict[str, float | None]:
        """The sums and what is made of them, by METHOD.md's names."""
        trust = self.trust
        return {
            "W": trust.weight,
            "W2": trust.squared_weight,
            "S1": trust.total,
            "S2": trust.squares,
            "A": trust.all_weight,
            "r": trust.ratio,
            "n": trust.count,
            "lambda_h": trust.inflation,
            "K_prime": trust.span,
        }

    @property
    def probability(self) -> float | None:
        """Trust."""
        return self.trust.probability

    @property
    def n_effective(self) -> float:
        """n / lambda_h."""
        return self.trust.count / self.trust.inflation

    @property
    def win_rate(self) -> RateSummary:
        """Mean, low, high, trials."""
        return self.wins.summary

    @property
    def evidence(self) -> tuple[float, float]:
        """log10 of e for the forecaster, and against it."""
        return self.for_forecaster.log10, self.against_forecaster.log10


def replayed(
    losses: Sequence[float], benchmark_losses: Sequence[float], horizon: int = 1, settings: Settings | None = None
) -> PlainPair:
    """A pair after one origin a step, with every actual known h steps later; the losses are the absolute errors."""
    pair, scale = PlainPair(horizon, settings or Settings()), BenchmarkScale()
    for origin, (loss, benchmark_loss) in enumerate(zip(losses, benchmark_losses, strict=True)):
        if origin >= horizon:
            pair.learn()
            scale.learn(benchmark_losses[origin - horizon])
        pair.forecast(loss, benchmark_loss, scale.value, allowed=True)
    for _ in range(min(horizon, len(losses))):
        pair.learn()
    return pair
