"""ML-Poly: an ensemble that weighs forecasters by what they would have spared it.

Source: Gaillard, Stoltz & van Erven (2014), A second-order bound with excess losses, COLT 35 (polynomially weighted
averages with multiple learning rates); forecasters without a forecast sleep, as in their section on specialists.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.learning import NONE, Lessons

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

NAME = "ensemble"
VERSION = "1"


@attrs.frozen(eq=False)
class EnsembleRun:
    """What the ensemble quoted and learned.

    `forecasts` (origin, horizon) and `weights` (forecaster, origin, horizon) as quoted; at the end, per variable,
    `regret` and `bound` (variable, horizon) against the best in hindsight and `latest` weights (forecaster, variable,
    horizon).
    """

    forecasts: Array
    weights: Array
    regret: Array
    bound: Array
    latest: Array


@attrs.define(eq=False)
class MLPoly:
    """What each forecaster would have spared the ensemble; state arrays (variable, horizon, forecaster).

    R_k is the sum of r_k = loss of the ensemble - loss of forecaster k. The rate of k is 1/(B + sum r_k^2), B the
    largest r^2 of any forecaster so far; weights are proportional to rate times max(R_k, 0), over those awake, and
    uniform while none is positive.
    """

    regret: Array
    squares: Array
    largest: Array
    potential: Array

    @classmethod
    def start(cls, variables: int, horizon: int, forecasters: int) -> MLPoly:
        """Return the state that has learned nothing."""
        shape = (variables, horizon)
        return cls(*(np.zeros((*shape, forecasters)) for _ in range(2)), *(np.zeros(shape) for _ in range(2)))

    def weights(self, awake: NDArray[np.bool_]) -> Array:
        """Return the weights of those awake (variable, horizon, forecaster); all zero where none is."""
        rate = self.largest[..., None] + self.squares
        gain = np.zeros(rate.shape)
        np.divide(np.maximum(self.regret, 0.0), rate, out=gain, where=awake & (rate > 0))
        total = _add_up(gain)
        none_positive = ~(total > 0)
        if none_positive.any():
            gain[none_positive] = awake[none_positive]
            total = np.where(none_positive, _add_up(awake), total)
        weights = np.zeros(rate.shape)
        np.divide(gain, total[..., None], out=weights, where=total[..., None] > 0)
        return weights

    def learn(self, own: Array, losses: Array) -> None:
        """Take in the ensemble's loss (variable, horizon) and the forecasters'; NaN where there is none."""
        spared = own[..., None] - losses
        known = np.isfinite(spared)
        if not known.all():
            spared = np.where(known, spared, 0.0)
        square = spared * spared
        rate = self.largest[..., None] + self.squares
        largest = np.maximum(self.largest, square.max(axis=-1))
        self.squares = self.squares + square
        # where nothing has been lost yet the new rate serves: no regret depends on the old one
        rate = np.where(rate > 0, rate, largest[..., None] + self.squares)
        growth = np.zeros(rate.shape)
        np.divide(square, rate, out=growth, where=rate > 0)
        self.regret, self.largest = self.regret + spared, largest
        self.potential = self.potential + _add_up(growth)

    def regret_and_bound(self) -> tuple[Array, Array]:
        """Return the regret against the best in hindsight and what it cannot exceed; each (variable, horizon).

        With W the sum over k of rate_k max(R_k, 0)^2, each step adds at most the sum of rate_k r_k^2 (the cross term
        is not above 0 because the loss is convex and weights are proportional to rate times max(R_k, 0)), and rates
        only fall; so R_k^2 <= (B + sum r_k^2) times the sum of those terms, whatever the losses' range. Delayed
        losses break the cross term's sign: the bound holds for horizon 1.
        """
        best = np.argmax(self.regret, axis=-1)[..., None]
        regret, squares = (np.take_along_axis(state, best, axis=-1)[..., 0] for state in (self.regret, self.squares))
        return regret, np.sqrt((self.largest + squares) * self.potential)


def run_ensemble(forecasts: Array, released: Array, scale: Array, lessons: Lessons) -> EnsembleRun:
    """Quote and learn through all lessons.

    `forecasts` (forecaster, origin, horizon), `released` actuals (origin, horizon), `scale` (origin,); losses are
    absolute errors over the scale, and none where the scale is not above zero.
    """
    walk = _Walk(
        np.ascontiguousarray(np.moveaxis(forecasts, 0, 2)), released, np.where(scale > 0, scale, np.nan), lessons
    )
    for learn, quote in zip(lessons.learn, lessons.quote, strict=True):
        walk.learn(learn)
        walk.quote(quote)
    regret, bound = walk.state.regret_and_bound()
    latest = walk.state.weights(np.ones(walk.state.regret.shape, dtype=bool))
    return EnsembleRun(walk.quoted, np.moveaxis(walk.weights, 2, 0), regret, bound, np.moveaxis(latest, 2, 0))


class _Walk:
    """The ensemble on its way through the lessons; arrays over origins are (origin, horizon[, forecaster])."""

    def __init__(self, forecasts: Array, released: Array, scale: Array, lessons: Lessons) -> None:
        self._forecasts, self._released, self._scale = forecasts, released, scale[:, None]
        self._losses = np.abs(released[..., None] - forecasts) / self._scale[..., None]
        self._own = np.full(released.shape, np.nan)
        self._ahead = np.arange(released.shape[1])
        self.quoted = np.full(released.shape, np.nan)
        self.weights = np.zeros(forecasts.shape)
        self.state = MLPoly.start(lessons.quote.shape[1], *forecasts.shape[1:])

    def learn(self, learn: Positions) -> None:
        """Take in the losses that became known, (variable, horizon)."""
        place = np.maximum(learn, 0)
        own = np.where(learn == NONE, np.nan, self._own[place, self._ahead])
        self.state.learn(own, self._losses[place, self._ahead])

    def quote(self, quote: Positions) -> None:
        """Weigh and combine what is offered at the origins that quote, (variable,)."""
        quoting = np.flatnonzero(quote != NONE)
        at = quote[quoting]
        offered = self._forecasts[at]
        awake = np.isfinite(offered)
        everywhere = awake
        if len(quoting) < len(quote):
            everywhere = np.zeros((len(quote), *awake.shape[1:]), dtype=bool)
            everywhere[quoting] = awake
        given = self.state.weights(everywhere)[quoting]
        # less the one that weighs most, so that its own forecast, or that of equals, is met exactly
        heaviest = np.take_along_axis(offered, np.argmax(given, axis=-1)[..., None], axis=-1)
        point = heaviest[..., 0] + _add_up(given * np.where(awake, offered - heaviest, 0.0))
        self.quoted[at] = np.where(awake.any(axis=-1), point, np.nan)
        self.weights[at] = given
        self._own[at] = np.abs(self._released[at] - self.quoted[at]) / self._scale[at]


def _add_up(values: NDArray[np.float64] | NDArray[np.bool_]) -> Array:
    """Add over the last axis, one after another."""
    total = np.zeros(values.shape[:-1])
    for place in range(values.shape[-1]):
        np.add(total, values[..., place], out=total)
    return total
