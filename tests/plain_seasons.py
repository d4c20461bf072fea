"""The rule of seasons once more, in plain Python: what docs/method.md says, refitted from lists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise


def plain_test(values: Sequence[float], period: int, taken: int, normal: float) -> tuple[float, float, float]:
    """F of the differences by the step of the season, its limit, and the share of their variance that is explained."""
    steps = [after - before for before, after in pairwise(values)]
    mean = math.fsum(steps) / len(steps)
    whole = math.fsum((step - mean) ** 2 for step in steps)
    rest = math.fsum(step**2 for step in without_means(steps, period))
    between, within = period - taken, len(steps) - period
    limit = plain_limit(between, within, normal)
    statistic = (whole - rest) / between / (rest / within)
    return statistic, limit, 1 - rest / within / (whole / (len(steps) - taken))


def without_means(steps: Sequence[float], period: int) -> list[float]:
    """Each difference less the mean of those at its step of the season."""
    means = [math.fsum(steps[first::period]) / len(steps[first::period]) for first in range(period)]
    return [step - means[number % period] for number, step in enumerate(steps)]


def plain_limit(between: int, within: int, normal: float) -> float:
    """The quantile of F by Paulson's approximation, by bisection of the equation that its cube root solves."""
    v, w = 2 / (9 * within), 2 / (9 * between)

    def excess(root: float) -> float:
        return ((1 - v) * root - (1 - w)) / math.sqrt(v * root * root + w) - normal

    low, high = 0.0, 50.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return high**3
