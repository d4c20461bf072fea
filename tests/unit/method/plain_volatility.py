"""The conditional scale of METHOD.md once more, from one history by its formulas; nothing is shared with the core."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import attrs

PERSISTENCES = (0.995, 0.96)
GRID = list(itertools.product(PERSISTENCES, (0.03, 0.06, 0.12, 0.2), (-0.75, -0.25, 0.25, 0.75)))


@attrs.frozen
class Expected:
    """What a history expects: the scale by steps ahead, the lean, and the mean square of steps over earlier scales."""

    scale: list[float]
    lean: float
    excess: float


@attrs.define
class Model:
    """Threshold GARCH of one distance at one point of the grid: s, and its discounted log likelihood."""

    k: float
    a: float
    share: float
    s: float = 0.0
    likelihood: float = 0.0

    def judge(self, distance: float, unit: float) -> None:
        """Student's t with 7 degrees of freedom, s/unit the size that was expected."""
        self.likelihood -= math.log(self.s * unit) + 4 * math.log1p(min(distance**2 / (8 * self.s**2), 2.0**40))

    def learn(self, distance: float, slow: float) -> None:
        a = self.a * (1 + self.share if distance > 0 else 1 - self.share)
        self.s = (1 - self.k) * slow + a * min(abs(distance), 8 * self.s) + (self.k - self.a) * self.s

    def variance(self, slow: float, ahead: int) -> float:
        """The mean over the steps to there of the square that s is expected to come to."""
        expected = [slow + self.k**step * (self.s - slow) for step in range(ahead)]
        return math.fsum(value**2 for value in expected) / ahead


@attrs.define
class Distance:
    """One way to measure how far values go, with its slow mean and the models of it."""

    slow: float = 0.0
    mean: float = 0.0
    models: list[Model] = attrs.field(factory=lambda: [Model(*point) for point in GRID])

    def learn(self, distance: float, count: int) -> None:
        before = self.slow
        self.mean += (abs(distance) - self.mean) / count
        size = min(abs(distance), 8 * before) if before else abs(distance)
        self.slow = max(before + max(1 / 500, 1 / count) * (size - before), 2.0**-20 * self.mean)
        for model in self.models:
            if before > 0:
                model.learn(distance, before)
            else:
                model.s = self.slow


def expected(history: Sequence[float], horizon: int) -> Expected:
    """What the newest value of a history expects."""
    return expectations(history, horizon)[-1]


def expectations(history: Sequence[float], horizon: int) -> list[Expected]:
    """What each value of a history expects, of itself and those before it."""
    step, relative, from_mean = distances = [Distance() for _ in range(3)]
    usual, excess, scale = 0.0, [], [0.0] * horizon
    told = [Expected(scale, 0.0, 0.0)]
    for count, (before, value) in enumerate(itertools.pairwise(history), start=1):
        positive = min(history[:count]) > 0
        mean = math.fsum(history[:count]) / count
        tried = [(step, value - before, 1.0), (from_mean, value - mean, 1.0)]
        if positive:
            tried.append((relative, (value - before) / before, before))
        if value != before and step.slow > 0:
            judge(tried, discounts=count % 64 == 0)
        for distance, size, _ in tried:
            distance.learn(size, count)
        if scale[0] > 0 and count > 50:
            excess.append(min(((value - before) / scale[0]) ** 2, 64.0))
        if step.slow > 0:
            usable = distances if min(history[: count + 1]) > 0 else [step, from_mean]
            scale = [of(usable, relative, value, ahead) for ahead in range(1, horizon + 1)]
            usual += max(1 / 500, 1 / count) * (scale[0] - usual)
        lean = 2.5 * (scale[0] - usual) / (scale[0] + usual) if usual else 0.0
        mean_excess = math.fsum(excess) / len(excess) if excess else 0.0
        told.append(Expected(scale, max(-1.0, min(1.0, lean)), mean_excess))
    return told


def judge(tried: Sequence[tuple[Distance, float, float]], *, discounts: bool) -> None:
    """Let the likelihoods learn; now and then what they rest on counts less."""
    for distance, size, unit in tried:
        for model in distance.models:
            model.judge(size, unit)
    best = max(model.likelihood for distance, _, _ in tried for model in distance.models)
    for distance, _, _ in tried:
        for model in distance.models:
            # only differences count
            model.likelihood = (model.likelihood - best) * (15 / 16 if discounts else 1.0)


def of(usable: Sequence[Distance], relative: Distance, value: float, ahead: int) -> float:
    """The root of the mean variance by the likelihoods."""
    parts = [
        (model.likelihood, model.variance(distance.slow, ahead) * (value**2 if distance is relative else 1.0))
        for distance in usable
        for model in distance.models
    ]
    best = max(likelihood for likelihood, _ in parts)
    weights = [math.exp(likelihood - best) for likelihood, _ in parts]
    total = math.fsum(weight * variance for weight, (_, variance) in zip(weights, parts, strict=True))
    return math.sqrt(total / math.fsum(weights))
