"""ML-Poly: an ensemble that weighs forecasters by what they would have spared it.

Source: Gaillard, Stoltz & van Erven (2014), A second-order bound with excess losses, COLT 35 (polynomially weighted
averages with multiple learning rates); forecasters without a forecast sleep, as in their section on specialists.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.learning import NONE, Lessons, errors_known

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

NAME = "ensemble"
VERSION = "1"


@attrs.frozen(eq=False)
class EnsembleRun:
    """What the ensemble quoted and learned.

    `forecasts` (origin, horizon) and, where they were to be kept, `weights` (forecaster, origin, horizon) as quoted;
    at the end, per variable, `regret` (variable, horizon) against the best in hindsight, its `bound` (variable,) at
    horizon 1, and `latest` weights (forecaster, variable, horizon).
    """

    forecasts: Array
    weights: Array
    regret: Array
    bound: Array
    latest: Array


class MLPoly:
    """What each forecaster would have spared the ensemble; state arrays (forecaster, variable, horizon).

    R_k is the sum of r_k = loss of the ensemble - loss of forecaster k. The rate of k is 1/(B + sum r_k^2), B the
    largest r^2 of any forecaster so far; weights are proportional to rate times max(R_k, 0), over those awake, and
    uniform while none is positive.
    """

    def __init__(self, forecasters: int, variables: int, horizon: int) -> None:
        shape = (forecasters, variables, horizon)
        self.regret, self._squares, self._square, self._gain = np.zeros((4, *shape))
        self._largest = np.zeros(shape[1:])
        self._potential = np.zeros(variables)

    def weights(self, awake: NDArray[np.bool_]) -> Array:
        """Return the weights of those awake (forecaster, variable, horizon), until the next call; else all zero."""
        gain, rate = self._gain, self._square
        np.add(self._squares, self._largest, out=rate)
        np.maximum(self.regret, 0.0, out=gain)
        # before anything was lost there is no regret either
        rate[rate == 0] = 1.0
        np.divide(gain, rate, out=gain)
        np.multiply(gain, awake, out=gain)
        total = _add_up(gain)
        uniform = ~(total > 0)
        if uniform.any():
            gain[:, uniform] = awake[:, uniform]
            total = np.where(uniform, _add_up(awake), total)
            total[total == 0] = 1.0
        return np.divide(gain, total, out=gain)

    def learn(self, own: Array, losses: Array) -> None:
        """Take in the ensemble's loss (variable, horizon) and the forecasters', which it overwrites; NaN for none."""
        spared = np.subtract(own, losses, out=losses)
        unknown = np.isnan(spared)
        if unknown.any():
            spared[unknown] = 0.0
        square = np.multiply(spared, spared, out=self._square)
        largest = np.maximum(self._largest, square.max(axis=0))
        before = self._largest[:, 0] + self._squares[:, :, 0]
        np.add(self._squares, square, out=self._squares)
        np.add(self.regret, spared, out=self.regret)
        # where nothing has been lost yet the new rate serves: no regret depends on the old one
        rate = np.where(before > 0, before, largest[:, 0] + self._squares[:, :, 0])
        rate[rate == 0] = 1.0
        self._potential = self._potential + _add_up(square[:, :, 0] / rate)
        self._largest = largest

    def regret_and_bound(self) -> tuple[Array, Array]:
        """Return the regret against the best in hindsight (variable, horizon) and, at horizon 1, its bound (variable,).

        With W the sum over k of rate_k max(R_k, 0)^2, each step adds at most the sum of rate_k r_k^2 (the cross term
        is not above 0 because the loss is convex and weights are proportional to rate times max(R_k, 0)), and rates
        only fall; so R_k^2 <= (B + sum r_k^2) times the sum of those terms, whatever the losses' range. Delayed
        losses break the cross term's sign: there is no bound beyond horizon 1.
        """
        best = np.argmax(self.regret, axis=0)[None]
        regret, squares = (np.take_along_axis(state, best, axis=0)[0] for state in (self.regret, self._squares))
        return regret, np.sqrt((self._largest[:, 0] + squares[:, 0]) * self._potential)


def run_ensemble(
    forecasts: Array, released: Array, scale: Array, lessons: Lessons, *, keep_weights: bool = True
) -> EnsembleRun:
    """Quote and learn through all lessons.

    `forecasts` (forecaster, origin, horizon), `released` actuals (origin, horizon), `scale` (origin,); losses are
    absolute errors over the scale, and none where the scale is not above zero.
    """
    walk = _Walk(forecasts, released, scale, keep_weights=keep_weights, variables=lessons.quote.shape[1])
    for learn, quote in zip(lessons.learn, lessons.quote, strict=True):
        walk.learn(learn)
        walk.quote(quote)
    regret, bound = walk.state.regret_and_bound()
    latest = walk.state.weights(np.ones(walk.state.regret.shape, dtype=bool))
    return EnsembleRun(walk.quoted, walk.weights, regret, bound, latest)


class _Walk:
    """The ensemble on its way through the lessons; arrays of a step are (forecaster, variable, horizon)."""

    def __init__(self, forecasts: Array, released: Array, scale: Array, *, keep_weights: bool, variables: int) -> None:
        self._forecasts, self._released = forecasts, released
        self._per_scale = 1.0 / np.where(scale > 0, scale, np.nan)
        shape = (len(forecasts), variables, forecasts.shape[2])
        self._offered, self._losses, self._mixed = np.empty((3, *shape))
        self.quoted = np.full(released.shape, np.nan)
        self.weights = np.zeros(forecasts.shape if keep_weights else (len(forecasts), 0, shape[2]))
        self.state = MLPoly(*shape)

    def learn(self, learn: Positions) -> None:
        """Take in the losses that became known, (variable, horizon)."""
        if (learn == NONE).all():
            return
        losses = errors_known(self._forecasts, self._released, learn, self._losses)
        own = errors_known(self.quoted[None], self._released, learn, np.empty((1, *learn.shape)))[0]
        per_scale = self._per_scale[np.maximum(learn, 0)]
        np.multiply(np.abs(losses, out=losses), per_scale, out=losses)
        self.state.learn(np.abs(own) * per_scale, losses)

    def quote(self, quote: Positions) -> None:
        """Weigh and combine what is offered at the origins that quote, (variable,)."""
        offered = np.take(self._forecasts, np.maximum(quote, 0), axis=1, out=self._offered, mode="clip")
        quoting = quote != NONE
        awake = np.isfinite(offered)
        if not quoting.all():
            awake &= quoting[:, None]
        if not awake.all():
            offered[~awake] = 0.0
        weights = self.state.weights(awake)
        # less the one that weighs most, so that its own forecast, or that of equals, is met exactly
        heaviest = np.take_along_axis(offered, np.argmax(weights, axis=0)[None], axis=0)
        mixed = np.subtract(offered, heaviest, out=self._mixed)
        np.multiply(mixed, weights, out=mixed)
        point = heaviest[0] + _add_up(mixed)
        asleep = ~awake.any(axis=0)
        if asleep.any():
            point[asleep] = np.nan
        at = quote[quoting]
        self.quoted[at] = point[quoting]
        if self.weights.shape[1]:
            self.weights[:, at] = weights[:, quoting]


def _add_up(values: NDArray[np.float64] | NDArray[np.bool_]) -> Array:
    """Add over the first axis, one after another."""
    total = values[0].astype(np.float64)
    for one in values[1:]:
        np.add(total, one, out=total)
    return total
