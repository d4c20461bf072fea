"""Pairs of plain_trust brought through a variable's origins: what was known when, and what was lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import attrs

from tests.plain_trust import TIE, BenchmarkScale, PlainPair, Settings
from tests.unit.method.plain_learning import evidence, log10_of


@attrs.frozen
class Step:
    """An origin at one horizon: when it was, when its actual became known (None: never), and what was lost.

    `error` is the benchmark's. NaN where a forecast or the actual is missing. An origin that is not `counted` is before
    the period.
    """

    made: int
    known: int | None
    loss: float
    benchmark_loss: float
    error: float
    counted: bool = True


@attrs.define
class Judged:
    """A pair after the newest origin, and the d of each origin of the period, NaN where there is none (yet)."""

    pair: PlainPair
    differences: list[float] = attrs.field(factory=list)
    scales: list[float] = attrs.field(factory=list)
    probabilities: list[float] = attrs.field(factory=list)
    """The trust quoted at each origin of the period."""
    evidence: list[tuple[float, float]] = attrs.field(factory=list)
    """For and against, as quoted at each origin of the period."""

    @property
    def log10_e_wins(self) -> float:
        """Of wins and losses alone, averaged over interleaved origins."""
        ahead = self.pair.trust.horizon
        won, lost = [0] * ahead, [0] * ahead
        for order, difference in enumerate(self.differences):
            won[order % ahead] += difference >= TIE
            lost[order % ahead] += difference <= -TIE
        return log10_of(sum(map(evidence, won, lost), Fraction(0)) / ahead)


def judged(steps: Sequence[Step], horizon: int, settings: Settings, until: float = math.inf) -> Judged:
    """A pair at the newest origin up to a moment: at each origin it first learns what has become known."""
    result, scale = Judged(PlainPair(horizon, settings)), BenchmarkScale()
    learned = first = 0
    for index, step in enumerate(steps):
        if step.made > until:
            break
        while (release := steps[learned].known) is not None and release <= step.made:
            if steps[learned].counted:
                result.pair.learn()
            scale.learn(steps[learned].error)
            learned += 1
        if not step.counted:
            first += 1
            continue
        probability = result.pair.probability
        result.probabilities.append(math.nan if probability is None else probability)
        result.evidence.append(result.pair.evidence)
        # whoever bets must know how the earlier bets of the same process came out
        allowed = index - first < horizon or learned > index - horizon
        result.pair.forecast(step.loss, step.benchmark_loss, scale.value, allowed)
        result.differences.append(result.pair.pending[-1].difference)
        result.scales.append(scale.value)
    return result
