"""The conditional scale once more, value by value, each operation in its written order: equal to the last bit.

Threshold GARCH of three distances, the step, the step over the value before and how far from the mean of all before, at
each point of a grid: s = (1 - k) L + a |d| + (k - a) s, weighed by discounted likelihoods.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import attrs
import numpy as np

from tests.unit.kernel.passes import Array

LANES = 4
PERSISTENCES = (0.995, 0.96)
POINTS = list(itertools.product(PERSISTENCES, (0.03, 0.06, 0.12, 0.2), (-0.75, -0.25, 0.25, 0.75)))
BASE, RISE, FALL, KEEP = np.array([(1 - k, a * (1 + share), a * (1 - share), k - a) for k, a, share in POINTS]).T
LEAST = np.float64(2.0**-900)


@attrs.frozen(eq=False)
class Expected:
    """What one time expects: the scale by steps ahead, how it leans, and how large steps were over the scale before."""

    scale: list[float]
    lean: float
    excess: float


@attrs.define(eq=False)
class Distance:
    """One distance: slow mean and mean of its sizes, scales and weights of the grid."""

    slow: np.float64 = attrs.field(factory=np.float64)
    mean: np.float64 = attrs.field(factory=np.float64)
    scales: Array = attrs.field(factory=lambda: np.zeros(len(POINTS)))
    weights: Array = attrs.field(factory=lambda: np.ones(len(POINTS)))

    def weigh(self, size: np.float64, unit: np.float64) -> np.float64:
        """Weigh by the likelihood; return the sum of weights."""
        ratio = size / self.scales
        square = ratio * ratio * 0.125
        power = 1.0 + np.where(square < 2.0**40, square, 2.0**40)
        power = power * power
        power = power * power
        self.weights = self.weights / (self.scales * unit * power)
        return in_lanes(self.weights)

    def normalise(self, total: np.float64, *, discounts: bool) -> None:
        weights = self.weights * (np.float64(1) / total)
        weights = np.where(weights > LEAST, weights, LEAST)
        if discounts:
            weights = weights / np.sqrt(np.sqrt(np.sqrt(np.sqrt(weights))))
        self.weights = weights

    def learn(self, distance: np.float64, size: np.float64, count: float) -> None:
        before, rate = self.slow, 1.0 / count
        self.mean = self.mean + (size - self.mean) * rate
        most = size if size < 8.0 * before or before == 0 else 8.0 * before
        self.slow = before + (most - before) * max(rate, 1.0 / 500.0)
        self.slow = max(self.slow, 2.0**-20 * self.mean)
        if before > 0:
            weight = RISE if distance > 0 else FALL
            largest = 8.0 * self.scales
            self.scales = (BASE * before + KEEP * self.scales) + weight * np.where(size < largest, size, largest)
        else:
            self.scales = np.full(len(POINTS), self.slow)

    def moments(self, group: slice) -> list[np.float64]:
        unit = np.float64(1) / self.slow
        weights = self.weights[group]
        apart = self.scales[group] * unit - 1.0
        product = weights * apart
        return [in_lanes(weights), 2.0 * in_lanes(product), in_lanes(product * apart)]


class Volatility:
    """What is remembered of a path."""

    def __init__(self) -> None:
        self.distances = [Distance() for _ in range(3)]
        self.level, self.positive = np.float64(0), True
        self.expected, self.usual = np.float64(0), np.float64(0)
        self.squares, self.compared = np.float64(0), 0.0
        self.by_persistence: list[list[np.float64]] = []

    def learn(self, values: Sequence[np.float64], time: int) -> None:
        """Learn of the value at a time, from 0 on."""
        value = values[time]
        if time:
            self._learn_steps(values[time - 1], value, time)
        self.level = self.level + (value - self.level) / (time + 1.0) if time else value
        self.positive = self.positive and bool(value > 0)
        if self.distances[0].slow > 0:
            self._expect(value, time)

    def _learn_steps(self, before: np.float64, value: np.float64, time: int) -> None:
        step, typical = value - before, self.distances[0].slow
        moves = [(step, np.float64(1)), (step / before, before), (value - self.level, np.float64(1))]
        tried = [
            (distance, move, sized(move), unit)
            for distance, (move, unit), usable in zip(self.distances, moves, [True, self.positive, True], strict=True)
            if usable
        ]
        if step != 0 and typical > 0:
            total = np.float64(0)
            for distance, _, size, unit in tried:
                total = total + distance.weigh(size, unit / typical)
            for distance, *_ in tried:
                distance.normalise(total, discounts=time % 64 == 0)
        for distance, move, size, _ in tried:
            distance.learn(move, size, float(time))
        if self.expected > 0 and time > 50:
            ratio = sized(step) / self.expected
            square = ratio * ratio
            self.squares = self.squares + min(square, 64.0)
            self.compared += 1.0

    def _expect(self, value: np.float64, time: int) -> None:
        unit = self.distances[0].slow
        total, by_persistence = np.float64(0), [[np.float64(0)] * 3 for _ in PERSISTENCES]
        group = len(POINTS) // len(PERSISTENCES)
        for distance, of, usable in zip(self.distances, [1.0, value, 1.0], [True, self.positive, True], strict=True):
            if not (usable and distance.slow > 0):
                continue
            size = distance.slow * (of / unit)
            factor = size * size
            for k, sums in enumerate(by_persistence):
                own = distance.moments(slice(k * group, (k + 1) * group))
                total = total + own[0]
                by_persistence[k] = [before + factor * moment for before, moment in zip(sums, own, strict=True)]
        self.by_persistence = [[moment / total for moment in sums] for sums in by_persistence]
        square = np.float64(0)
        for weight, first, second in self.by_persistence:
            square = square + (weight + first + second)
        self.expected = self._scale(square)
        self.usual = self.usual + (self.expected - self.usual) * max(1.0 / time, 1.0 / 500.0)

    def _scale(self, square: np.float64) -> np.float64:
        scale = self.distances[0].slow * np.sqrt(square)
        return scale if 0 < scale < math.inf else self.expected

    def quote(self, horizon: int) -> Expected:
        """What the newest time expects."""
        excess = float(self.squares / self.compared) if self.compared else 0.0
        if not self.distances[0].slow > 0:
            return Expected([0.0] * horizon, 0.0, excess)
        apart = (self.expected - self.usual) / (self.expected + self.usual) * 2.5
        return Expected(
            [float(self._scale(self._square(h))) for h in range(horizon)],
            float(-1.0 if apart < -1 else 1.0 if apart > 1 else apart),
            excess,
        )

    def _square(self, h: int) -> np.float64:
        square = np.float64(0)
        for k, (weight, first, second) in zip(PERSISTENCES, self.by_persistence, strict=True):
            means = mean_power(k, h), mean_power(k * k, h)
            square = square + (weight + first * means[0] + second * means[1])
        return square


def mean_power(factor: float, h: int) -> float:
    """The mean of its powers 0 to h."""
    power, total = 1.0, 1.0
    for _ in range(h):
        power = power * factor
        total = total + power
    return total / (h + 1.0)


def sized(distance: np.float64) -> np.float64:
    """|d|, at most 2^900, which a NaN is taken for."""
    size = np.abs(distance)
    return size if size < 2.0**900 else np.float64(2.0**900)


def in_lanes(numbers: Array) -> np.float64:
    """The sum: every fourth number, then these four."""
    total = np.zeros(LANES)
    for row in numbers.reshape(-1, LANES):
        total = total + row
    return np.float64(((total[0] + total[1]) + total[2]) + total[3])


def expected(values: Sequence[float], horizon: int) -> list[Expected]:
    """What each time of a path expects."""
    state, quoted = Volatility(), []
    path = [np.float64(value) for value in values]
    with np.errstate(all="ignore"):
        for time in range(len(path)):
            state.learn(path, time)
            quoted.append(state.quote(horizon))
    return quoted
