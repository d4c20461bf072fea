"""Outcomes, trust and evidence counts once more, in plain loops."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from tests.unit.kernel.plain_calibration import TAUS
from tests.unit.kernel.plain_sums import CRPS_WEIGHTS

WON, TIED, LOST, UNKNOWN = 2, 1, 0, -1


def loss(trust_loss: str, actual: float, point: float, offsets: Sequence[float], size: float) -> float:
    if trust_loss == "absolute":
        return abs(actual - point)
    total = 0.0
    for weight, tau, offset in zip(CRPS_WEIGHTS, TAUS, offsets, strict=True):
        above = actual - (point + size * offset)
        total = total + weight * (tau * above - (0.0 if above >= 0 else above))
    return total


def outcome(loss_of_forecaster: float, loss_of_benchmark: float) -> int:
    if math.isnan(loss_of_forecaster) or math.isnan(loss_of_benchmark):
        return UNKNOWN
    return WON if loss_of_forecaster < loss_of_benchmark else TIED if loss_of_forecaster == loss_of_benchmark else LOST


def faded(parameter: float, decay: float) -> float:
    return 1.0 + decay * (parameter - 1.0)


@attrs.define
class Posterior:
    """A Beta posterior of one forecaster at one horizon; outcomes of the batch under way have not faded yet."""

    horizon: int
    decay: float
    alpha: float = 1.0
    beta: float = 1.0
    wins: int = 0
    losses: int = 0
    batch: int = 0

    def enter(self, batch: int) -> None:
        while self.batch < batch:
            self.alpha, self.beta = (faded(parameter, self.decay) for parameter in self.parameters())
            self.wins = self.losses = 0
            self.batch += 1

    def learn(self, code: int) -> None:
        if code != UNKNOWN:
            self.wins += code
            self.losses += WON - code

    def parameters(self) -> tuple[float, float]:
        """alpha and beta; an outcome h steps ahead has a weight of 1/h, and codes count halves."""
        half = 0.5 / self.horizon
        return self.alpha + half * self.wins, self.beta + half * self.losses

    def mean(self) -> float:
        """Trust; a NaN before any outcome."""
        alpha, beta = self.parameters()
        return alpha / (alpha + beta) if (alpha - 1.0) + (beta - 1.0) else math.nan
