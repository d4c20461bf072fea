"""Trust, wins and evidence once more, in plain loops: the forecaster and the benchmark at one horizon are a pair."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from pulse_core.scores.trust import HALF_LIVES, fade_of
from tests.unit.kernel.plain_calibration import TAUS, over
from tests.unit.kernel.plain_sums import CRPS_WEIGHTS

TIE, BEYOND = 1e-9, 1e100
CLIP, FEWEST = 5.0, 8
BETS = (0.1, 0.3, 0.6)
STAKES = (*BETS, *(-bet for bet in BETS))
FLOOR, CAP = 1e-300, 1e300


def loss(trust_loss: str, actual: float, point: float, offsets: Sequence[float], size: float) -> float:
    if trust_loss == "absolute":
        return abs(actual - point)
    total = 0.0
    for weight, tau, offset in zip(CRPS_WEIGHTS, TAUS, offsets, strict=True):
        above = actual - (point + size * offset)
        total = total + weight * (tau * above - (0.0 if above >= 0 else above))
    return total


def bounded(value: float, bound: float) -> float:
    """A NaN stays one."""
    value = min(value, bound)
    return max(value, -bound)


def scaled(gain: float, scale: float) -> float:
    """d: 0 for a tie, NaN for none."""
    d = bounded(over(gain, scale), BEYOND) if math.isfinite(gain) else math.nan
    return 0.0 if abs(d) < TIE else d


@attrs.define
class Level:
    """The benchmark's absolute errors, faded, and their faded number."""

    fade: float = attrs.field(factory=lambda: fade_of(HALF_LIVES["level"]))
    total: float = 0.0
    weight: float = 0.0

    def learn(self, error: float) -> None:
        known = math.isfinite(error)
        self.total = self.fade * self.total + (abs(error) if known else 0.0)
        self.weight = self.fade * self.weight + float(known)

    def scale(self) -> float:
        return self.total / self.weight if self.total > 0 else math.nan


@attrs.define
class Pair:
    """What is known of a pair; `differences` and `bets` are those of all origins of the period so far."""

    steps: int
    fade: float
    size_fade: float = attrs.field(factory=lambda: fade_of(HALF_LIVES["size"]))
    win_fade: float = attrs.field(factory=lambda: fade_of(HALF_LIVES["wins"]))
    differences: list[float] = attrs.field(factory=list)
    bets: list[float] = attrs.field(factory=list)
    ahead: float = 0.0
    learned: int = 0
    number: float = 0.0
    squared_number: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    compared: float = 0.0
    lags: list[tuple[float, float]] = attrs.field(init=False)
    size: float = 0.0
    size_weight: float = 0.0
    size_count: int = 0
    wins: float = 0.0
    losses: float = 0.0
    capitals: list[list[float]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lags = [(0.0, 0.0)] * (self.steps - 1)
        self.capitals = [[1.0] * len(STAKES) for _ in range(self.steps)]

    def forecast(self, gain: float, scale: float, allowed: bool) -> None:
        """What an origin will turn out to be worth, and what is bet on it."""
        self.ahead = self.ahead + (gain if math.isfinite(gain) else 0.0)
        d = scaled(gain, scale)
        self.differences.append(d)
        self.bets.append(self._bet(d) if allowed else 0.0)

    def _bet(self, d: float) -> float:
        if math.isnan(d) or self.size_count < FEWEST:
            return 0.0
        return bounded(over(d, CLIP * math.sqrt(self.size / self.size_weight)), 1.0)

    def learn(self) -> tuple[bool, bool]:
        """The actual of the oldest origin that is not known becomes known; whether it was won or lost."""
        origin, d = self.learned, self.differences[self.learned]
        self.learned += 1
        won, lost = d > 0, d < 0
        one, value = float(won or lost), d if won or lost else 0.0
        self.number = self.fade * self.number + one
        self.squared_number = self.fade * self.fade * self.squared_number + one
        self.total = self.fade * self.total + value
        self.squares = self.fade * self.squares + value * value
        self.compared = self.fade * self.compared + float(not math.isnan(d))
        for index in range(self.steps - 1):
            before = self.differences[origin - index - 1] if origin > index else 0.0
            both = (won or lost) and abs(before) > 0
            product, pairs = self.lags[index]
            self.lags[index] = (
                self.fade * product + (d * before if both else 0.0),
                self.fade * pairs + float(both),
            )
        if won or lost:
            self.size = self.size_fade * self.size + d * d
            self.size_weight = self.size_fade * self.size_weight + 1.0
            self.size_count += 1
        share = 1.0 / math.sqrt(self.steps)
        self.wins = self.win_fade * self.wins + (share if won else 0.0)
        self.losses = self.win_fade * self.losses + (share if lost else 0.0)
        capital = self.capitals[origin % self.steps]
        for index, stake in enumerate(STAKES):
            product = capital[index] * (1.0 + stake * self.bets[origin])
            capital[index] = min(max(product, FLOOR), CAP)
        return won, lost

    def state(self) -> list[float]:
        """The numbers of STATE."""
        mean, square = over(self.total, self.number), over(self.squares, self.number)
        effective = over(self.number * self.number, self.squared_number) if self.number > 0 else 0.0
        variance = square - mean * mean
        variance = variance if variance > 1e-12 * square else 0.0
        inflation = self._inflation(effective, mean, variance)
        ratio = self._ratio(mean, variance)
        return [ratio, effective, inflation, self.number, self.compared, self.wins, self.losses]

    def _ratio(self, mean: float, variance: float) -> float:
        if variance > 0:
            unbiased = over(variance * self.number, self.number - 1.0)
            return over(mean, math.sqrt(unbiased)) if self.number > 1 else math.nan
        return math.copysign(10.0, mean) if abs(mean) > 0 else math.nan

    def _inflation(self, effective: float, mean: float, variance: float) -> float:
        if self.steps == 1:
            return 1.0
        total = 0.0
        for product, pairs in self.lags if variance > 0 else []:
            if pairs > 0:
                share = pairs / self.number
                correlation = (product / pairs - mean * mean) / variance * (share if share < 1 else 1.0)
                total = total + bounded(correlation, 1.0)
        estimate = 1.0 + 2.0 * total
        estimate = max(0.3, estimate)
        steps = float(self.steps)
        overlap = (2.0 * steps * steps + 1.0) / (3.0 * steps)
        shrunk = (effective * estimate + 2.0 * steps * overlap) / (effective + 2.0 * steps)
        return shrunk if shrunk > 1 else 1.0

    def evidence(self) -> list[float]:
        """e-values for and against."""
        count, both = len(BETS), []
        for first in (0, count):
            total = 0.0
            for capital in self.capitals:
                for product in capital[first : first + count]:
                    total = total + product
            both.append(total / (self.steps * count))
        return both
