"""The ensemble once more, in plain loops: two weighted means of the members, by their losses and by ML-Poly."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import attrs

from tests.unit.kernel.plain_calibration import over

LEAST = sys.float_info.min
"""The least denominator of a rate: where a denominator is zero, its numerator is zero too."""
LANES = 4
THIRDS, QUARTER = 3.0, 200.0

Row = list[float]
"""A number for each member."""


def added_up(values: Sequence[float]) -> float:
    """The sum of a row: every fourth number by itself, then the four sums in pairs."""
    padded = [*values, *[0.0] * (-len(values) % LANES)]
    sums = padded[:LANES]
    for k in range(LANES, len(padded)):
        sums[k % LANES] = sums[k % LANES] + padded[k]
    return (sums[0] + sums[1]) + (sums[2] + sums[3])


def positive(denominator: float) -> float:
    return max(LEAST, denominator)


def number(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def normalised(weights: Row, awake: Row) -> Row:
    """Weights that add up to 1, uniform over those awake where all are zero."""
    total = added_up(weights)
    if total == 0:
        return [up / (added_up(awake) or 1.0) for up in awake]
    return [over(weight, total) for weight in weights]


@attrs.define
class MLPoly:
    """R_k is the sum of regrets r_k; weights are proportional to max(R_k, 0)/(B + sum of r_k^2), B the largest r^2."""

    members: int
    regret: Row = attrs.field(init=False)
    squares: Row = attrs.field(init=False)
    largest: float = 0.0
    potential: float = 0.0

    def __attrs_post_init__(self) -> None:
        self.regret, self.squares = [0.0] * self.members, [0.0] * self.members

    def learn(self, regrets: Row) -> None:
        before = self.largest
        for less in regrets:
            self.largest = max(self.largest, less * less)
        shares = []
        for k, less in enumerate(regrets):
            old = before + self.squares[k]
            # where nothing has been lost yet the new rate serves
            rate = old if old > 0 else self.largest + (self.squares[k] + less * less)
            shares.append(over(less * less, positive(rate)))
            self.squares[k] = self.squares[k] + less * less
            self.regret[k] = self.regret[k] + less
        self.potential = self.potential + added_up(shares)

    def weights(self, awake: Row) -> Row:
        gains = [
            (0.0 if regret <= 0 else regret) / positive(squares + self.largest) * up
            for regret, squares, up in zip(self.regret, self.squares, awake, strict=True)
        ]
        return normalised(gains, awake)

    def bound(self, k: int) -> float:
        return math.sqrt(self.largest + self.squares[k]) * math.sqrt(self.potential)


def shares(lost: Row, awake: Row) -> Row:
    """Weights proportional to (sum of losses)^-8 over those awake."""
    least = min((loss for loss, up in zip(lost, awake, strict=True) if up and loss < math.inf), default=math.inf)
    ratios = [1.0 if loss <= least else over(least, loss) for loss in lost]
    squares = [ratio * ratio for ratio in ratios]
    fourths = [square * square for square in squares]
    return normalised([fourth * fourth * up for fourth, up in zip(fourths, awake, strict=True)], awake)


@attrs.frozen
class Combined:
    """What was forecast at an origin and a horizon: the whole, its parts, and the weights."""

    whole: float
    shares: float
    followed: float
    weights: Row


@attrs.define
class Ensemble:
    """Weights at a horizon follow from the errors up to it: `lost` and `followed` are sums up to a horizon."""

    members: int
    horizons: int
    known: float = 0.0
    regret: list[Row] = attrs.field(init=False)
    lost: list[Row] = attrs.field(init=False)
    rest: Row = attrs.field(init=False)
    followed: list[MLPoly] = attrs.field(init=False)
    past: list[tuple[float, list[Combined]]] = attrs.field(init=False, factory=list)
    """ML-Poly's proportion and what was forecast by horizon, at each origin."""

    def __attrs_post_init__(self) -> None:
        self.regret, self.lost = (
            [[0.0] * self.members for _ in range(self.horizons)],
            [[0.0] * self.members for _ in range(self.horizons)],
        )
        self.rest = [0.0] * self.members
        self.followed = [MLPoly(self.members) for _ in range(self.horizons)]

    def proportion(self) -> float:
        return self.known / (THIRDS * self.known + QUARTER)

    def learn(self, origins: Sequence[int | None], actuals: Row, scales: Row, forecasts: Sequence[Row]) -> None:
        """Learn at each horizon from the error of one origin or none; `forecasts` (horizon, member) of these."""
        spared, together = [0.0] * self.members, 0
        for h, origin in enumerate(origins):
            if origin is not None:
                part, combined = self.past[origin][0], self.past[origin][1][h]
                per_scale = over(1.0, scales[h]) if scales[h] > 0 else math.nan

                def loss(forecast: float, actual: float = actuals[h], per_scale: float = per_scale) -> float:
                    return abs(actual - forecast) * per_scale

                losses = [loss(forecast) for forecast in forecasts[h]]
                whole, own, followed = loss(combined.whole), loss(combined.shares), loss(combined.followed)
                for k, lost in enumerate(losses):
                    self.regret[h][k] = self.regret[h][k] + number(whole - lost)
                    self.lost[h][k] = self.lost[h][k] + (number(own) if math.isnan(lost) else lost)
                    spared[k] = spared[k] + number((followed - lost) * part)
                    if h == 0:
                        self.rest[k] = self.rest[k] + number((own - lost) * (1.0 - part))
                if not math.isnan(whole):
                    together += 1
                    self.known += h == 0
            if together:
                self.followed[h].learn([less / together for less in spared])

    def weights(self, awake: Sequence[Row]) -> list[tuple[Row, Row, Row]]:
        """Weights of the whole and of its parts at each horizon, over those `awake` (horizon, member) there."""
        part, lost, result = self.proportion(), [0.0] * self.members, []
        for h in range(self.horizons):
            lost = [near + here for near, here in zip(lost, self.lost[h], strict=True)]
            by_loss, by_regret = shares(lost, awake[h]), self.followed[h].weights(awake[h])
            whole = [share + part * (other - share) for share, other in zip(by_loss, by_regret, strict=True)]
            result.append((whole, by_loss, by_regret))
        return result

    def predict(self, forecasts: Sequence[Row]) -> list[Combined]:
        """Forecast from those of the members (horizon, member): the heaviest one's, and differences from it."""
        awake = [[float(math.isfinite(forecast)) for forecast in row] for row in forecasts]
        combined = []
        for row, up, weights in zip(forecasts, awake, self.weights(awake), strict=True):
            combined.append(self._combined(row, up, *weights))
        self.past.append((self.proportion(), combined))
        return combined

    def _combined(self, forecasts: Row, awake: Row, weights: Row, by_loss: Row, by_regret: Row) -> Combined:
        if not any(awake):
            return Combined(math.nan, math.nan, math.nan, weights)
        offered = [forecast if up else 0.0 for forecast, up in zip(forecasts, awake, strict=True)]
        heaviest = 0
        for k in range(1, self.members):
            heaviest = k if weights[k] > weights[heaviest] else heaviest
        anchor = offered[heaviest]
        share, followed = (
            added_up([(offer - anchor) * weight for offer, weight in zip(offered, part, strict=True)])
            for part in (by_loss, by_regret)
        )
        whole = anchor + (share + self.proportion() * (followed - share))
        return Combined(whole, anchor + share, anchor + followed, weights)

    def best(self, horizon: int) -> int:
        """The member with the largest regret against it; the first without any where there is one."""
        regrets = self.regret[horizon]
        for k, regret in enumerate(regrets):
            if math.isnan(regret):
                return k
        return regrets.index(max(regrets))

    def bound(self) -> float:
        """That of the regret one step ahead."""
        best = self.best(0)
        reach = self.followed[0].bound(best) + self.rest[best]
        return reach if math.isfinite(reach) else math.nan
