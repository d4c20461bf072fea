"""ML-Poly: an ensemble that weighs forecasters by what they would have spared it.

Source: Gaillard, Stoltz & van Erven (2014), A second-order bound with excess losses, COLT 35 (polynomially weighted
averages with multiple learning rates); forecasters without a forecast sleep, as in their section on specialists.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import add_up
from pulse_core.backtest.learning import KnownErrors, Lessons

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

NAME = "ensemble"
VERSION = "1"
LEAST = float(np.finfo(np.float64).tiny)
"""In the place of a rate's zero denominator: its numerator is zero too."""


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
        np.maximum(rate, LEAST, out=rate)
        np.divide(gain, rate, out=gain)
        np.multiply(gain, awake, out=gain)
        total = add_up(gain)
        uniform = total == 0
        if uniform.any():
            gain[:, uniform] = awake[:, uniform]
            total[uniform] = np.maximum(add_up(awake[:, uniform]), 1.0)
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
        np.maximum(rate, LEAST, out=rate)
        self._potential = self._potential + add_up(square[:, :, 0] / rate)
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
        # the product of the roots, for the product may exceed a float64 where its root does not
        bound = np.sqrt(self._largest[:, 0] + squares[:, 0]) * np.sqrt(self._potential)
        return regret, np.where(np.isfinite(bound), bound, np.nan)


def run_ensemble(
    forecasts: Array, released: Array, scale: Array, lessons: Lessons, *, keep_weights: bool = True
) -> EnsembleRun:
    """Quote and learn through all lessons.

    `forecasts` (forecaster, origin, horizon), `released` actuals (origin, horizon), `scale` (origin,); losses are
    absolute errors over the scale, and none where the scale is not above zero.
    """
    walk = _Walk(forecasts, released, scale, lessons, keep_weights=keep_weights)
    for step, quote in enumerate(lessons.quote):
        walk.learn(step)
        walk.quote(quote)
    regret, bound = walk.state.regret_and_bound()
    latest = walk.state.weights(np.ones(walk.state.regret.shape, dtype=bool))
    return EnsembleRun(walk.quoted, walk.weights, regret, bound, latest)


class _Walk:
    """The ensemble on its way through the lessons; arrays of a step are (forecaster, variable, horizon)."""

    def __init__(
        self, forecasts: Array, released: Array, scale: Array, lessons: Lessons, *, keep_weights: bool
    ) -> None:
        self._forecasts = forecasts
        variables, horizon = lessons.learn.shape[1:]
        self._known = KnownErrors(released, lessons)
        self._per_scale = np.repeat(1.0 / np.where(scale > 0, scale, np.nan), horizon)
        shape = (len(forecasts), variables, horizon)
        self._offered, self._losses, self._mixed = np.empty((3, *shape))
        self._own = np.empty((1, *shape[1:]))
        self._keep_weights = keep_weights
        self._stride = variables * horizon
        self._cell = np.arange(self._stride).reshape(shape[1:])
        self.quoted = np.full(released.shape, np.nan)
        self.weights = np.zeros(forecasts.shape if keep_weights else (len(forecasts), 0, horizon))
        self.state = MLPoly(*shape)

    def learn(self, step: int) -> None:
        """Take in the losses that became known."""
        if not self._known.any(step):
            return
        losses = self._known.of(self._forecasts, step, self._losses)
        own = self._known.of(self.quoted[None], step, self._own)
        per_scale = self._per_scale.take(self._known.place(step))
        for each in (losses, own):
            np.abs(each, out=each)
            np.multiply(each, per_scale, out=each)
        self.state.learn(own[0], losses)

    def quote(self, quote: Positions) -> None:
        """Weigh and combine what is offered at the origins that quote, (variable,)."""
        offered = self._forecasts.take(quote, axis=1, out=self._offered, mode="clip")
        awake = np.isfinite(offered)
        quoting = quote >= 0
        all_quote = bool(quoting.all())
        if not all_quote:
            awake &= quoting[:, None]
        all_awake = bool(awake.all())
        if not all_awake:
            offered[~awake] = 0.0
        weights = self.state.weights(awake)
        # less the one that weighs most, so that its own forecast, or that of equals, is met exactly
        heaviest = (weights.argmax(axis=0) * self._stride + self._cell).ravel()
        anchor = offered.ravel().take(heaviest).reshape(offered.shape[1:])
        mixed = np.subtract(offered, anchor, out=self._mixed)
        np.multiply(mixed, weights, out=mixed)
        point = anchor + add_up(mixed)
        if not all_awake:
            point[~awake.any(axis=0)] = np.nan
        self.quoted[quote if all_quote else quote[quoting]] = point if all_quote else point[quoting]
        if self._keep_weights:
            self.weights[:, quote[quoting]] = weights[:, quoting]
