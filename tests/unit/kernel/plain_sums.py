"""The sums of a batch once more, in plain loops over the origins of the batch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import attrs

from tests.unit.kernel.plain_calibration import TAUS, over

KNOTS = (0.0, *TAUS, 1.0)
CRPS_WEIGHTS = [KNOTS[k + 2] - KNOTS[k] for k in range(len(TAUS))]
"""Twice the pinball loss, by the trapezoid rule: each level's loss counts from the level before to the level after."""

MISS = 0.05


@attrs.frozen
class Hindcast:
    """What one forecaster quoted at one origin, and what came of it."""

    point: float
    offsets: Sequence[float]
    size: float
    actual: float
    newest: float
    scale: float
    square_scale: float

    @property
    def error(self) -> float:
        """0 where nothing is scored: such an origin adds nothing."""
        return self.actual - self.point if self.scored else 0.0

    @property
    def scored(self) -> bool:
        return math.isfinite(self.actual - self.point)

    @property
    def certain(self) -> bool:
        return self.scored and math.isfinite(self.size)

    def above(self, level: int) -> float:
        """The actual less the quantile."""
        return self.error - self.size * self.offsets[level] if self.certain else 0.0


def below_zero(number: float) -> float:
    return number if number < 0 else 0.0


def pinball(above: float, below: float, level: int) -> float:
    """tau times the sum of d less the sum of min(d, 0); rounding may leave a sum of nothing a little below zero."""
    loss = TAUS[level] * above - below
    return 0.0 if loss <= 0 else loss


def crps(above: Sequence[float], below: Sequence[float]) -> float:
    total = 0.0
    for level, weight in enumerate(CRPS_WEIGHTS):
        total = total + weight * pinball(above[level], below[level], level)
    return total


def batch_sums(hindcasts: Sequence[Hindcast], rival: Sequence[Hindcast]) -> list[float]:
    """The sums of SUMS over a batch's origins, of a forecaster and of the benchmark at the same origins."""
    scored = [hindcast for hindcast in hindcasts if hindcast.scored]
    certain = [hindcast for hindcast in hindcasts if hindcast.certain]
    levels = range(len(TAUS))
    above = [in_order(hindcast.above(level) for hindcast in hindcasts) for level in levels]
    below = [in_order(below_zero(hindcast.above(level)) for hindcast in hindcasts) for level in levels]
    common = [common_losses(hindcasts, rival, side) for side in (hindcasts, rival)]
    calls = [hindcast for hindcast in scored if hindcast.newest not in (hindcast.point, hindcast.actual)]
    hits = [hindcast for hindcast in calls if (hindcast.point > hindcast.newest) == (hindcast.actual > hindcast.newest)]
    sums = [
        float(len(scored)),
        in_order(hindcast.error for hindcast in scored),
        in_order(abs(hindcast.error) for hindcast in scored),
        in_order(hindcast.error * hindcast.error for hindcast in scored),
        in_order(abs(hindcast.error) * over(1.0, hindcast.scale) for hindcast in scored),
        in_order(hindcast.error * hindcast.error * over(1.0, hindcast.square_scale) for hindcast in scored),
        in_order(percentage(hindcast) for hindcast in scored),
        float(len(hits)),
        float(len(calls)),
        *(loss for pair in zip(common[0][:2], common[1][:2], strict=True) for loss in pair),
        float(len(certain)),
    ]
    sums += [pinball(above[level], below[level], level) for level in levels]
    for i in range(4):
        out_low = sum(hindcast.above(3 - i) < 0 for hindcast in certain)
        out_high = sum(hindcast.above(5 + i) > 0 for hindcast in certain)
        sums.append(float(len(certain) - out_low - out_high))
    sums += [above[3 - i] - above[5 + i] for i in range(4)]
    sums.append(in_order(scaled_interval(hindcast) for hindcast in certain))
    sums += [common[0][2], common[1][2]]
    return sums


def common_losses(hindcasts: Sequence[Hindcast], rival: Sequence[Hindcast], side: Sequence[Hindcast]) -> list[float]:
    """Absolute errors, squares and CRPS of one side over the origins that are scored for both.

    What is infinite or none at an origin that is not scored for both makes the sum none.
    """
    absolute = square = 0.0
    above, below = [0.0] * len(TAUS), [0.0] * len(TAUS)
    for hindcast_of_cell, hindcast_of_rival, hindcast in zip(hindcasts, rival, side, strict=True):
        both = float(hindcast_of_cell.scored and hindcast_of_rival.scored)
        absolute = absolute + abs(hindcast.error) * both
        square = square + hindcast.error * hindcast.error * both
        both = float(hindcast_of_cell.certain and hindcast_of_rival.certain)
        for level in range(len(TAUS)):
            distance = hindcast.above(level) * both
            above[level] = above[level] + distance
            below[level] = below[level] + (0.0 if distance >= 0 else distance)
    return [absolute, square, crps(above, below)]


def in_order(terms: Iterable[float]) -> float:
    total = 0.0
    for term in terms:
        total = total + term
    return total


def percentage(hindcast: Hindcast) -> float:
    both = abs(hindcast.point) + abs(hindcast.actual)
    return abs(hindcast.error) / (1.0 if both == 0 else both) * 200.0


def scaled_interval(hindcast: Hindcast) -> float:
    """The 95 % interval score over the scale: 2/0.05 times the pinball losses of both ends."""
    low, high = hindcast.above(0), hindcast.above(8)
    ends = (low * TAUS[0] - below_zero(low)) + (high * TAUS[8] - below_zero(high))
    return ends * (2.0 / MISS * over(1.0, hindcast.scale))
