"""ML-Poly once more, in plain loops: the ensemble of one horizon."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import attrs

from tests.unit.kernel.plain_calibration import over

LEAST = sys.float_info.min
"""The least denominator of a rate: where a denominator is zero, its numerator is zero too."""


def added_up(values: Sequence[float]) -> float:
    """The sum, half upon half; the middle one of an odd number goes to the first."""
    values = list(values)
    while len(values) > 1:
        half = len(values) // 2
        folded = [values[i] + values[half + i] for i in range(half)]
        if len(values) % 2:
            folded[0] = folded[0] + values[-1]
        values = folded
    return values[0]


def positive(denominator: float) -> float:
    return max(LEAST, denominator)


@attrs.define
class MLPoly:
    """R_k is the sum of r_k = loss of the ensemble - loss of member k; weights go by max(R_k, 0)/(B + sum of r_k^2)."""

    members: int
    regret: list[float] = attrs.field(init=False)
    squares: list[float] = attrs.field(init=False)
    largest: float = 0.0
    potential: float = 0.0

    def __attrs_post_init__(self) -> None:
        self.regret, self.squares = [0.0] * self.members, [0.0] * self.members

    def learn(self, actual: float, scale: float, combined: float, forecasts: Sequence[float]) -> None:
        per_scale = over(1.0, scale) if scale > 0 else math.nan
        loss = abs(actual - combined) * per_scale
        spared = [loss - abs(actual - forecast) * per_scale for forecast in forecasts]
        spared = [0.0 if math.isnan(less) else less for less in spared]
        before = self.largest
        for less in spared:
            self.largest = max(self.largest, less * less)
        shares = []
        for k, less in enumerate(spared):
            old = before + self.squares[k]
            # where nothing has been lost yet the new rate serves
            rate = old if old > 0 else self.largest + (self.squares[k] + less * less)
            shares.append(over(less * less, positive(rate)))
            self.squares[k] = self.squares[k] + less * less
            self.regret[k] = self.regret[k] + less
        self.potential = self.potential + added_up(shares)

    def weights(self, awake: Sequence[float]) -> list[float]:
        gains = [
            (0.0 if regret <= 0 else regret) / positive(squares + self.largest) * up
            for regret, squares, up in zip(self.regret, self.squares, awake, strict=True)
        ]
        total = added_up(gains)
        if total == 0:
            return [up / max(added_up(awake), 1.0) for up in awake]
        return [gain / total for gain in gains]

    def predict(self, forecasts: Sequence[float]) -> tuple[list[float], float]:
        """Weights and forecast: that of the heaviest, plus the weighted differences from it."""
        awake = [float(math.isfinite(forecast)) for forecast in forecasts]
        offered = [forecast if up else 0.0 for forecast, up in zip(forecasts, awake, strict=True)]
        weights = self.weights(awake)
        if not any(awake):
            return weights, math.nan
        heaviest = 0
        for k in range(1, self.members):
            heaviest = k if weights[k] > weights[heaviest] else heaviest
        anchor = offered[heaviest]
        mixed = added_up([(offer - anchor) * weight for offer, weight in zip(offered, weights, strict=True)])
        return weights, anchor + mixed

    def best(self) -> int:
        """The member with the largest regret against it; the first without any where there is one."""
        for k, regret in enumerate(self.regret):
            if math.isnan(regret):
                return k
        return self.regret.index(max(self.regret))

    def bound(self) -> float:
        reach = math.sqrt(self.largest + self.squares[self.best()]) * math.sqrt(self.potential)
        return reach if math.isfinite(reach) else math.nan
