"""Predictive quantiles around a point forecast, learned online from its own past errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEVELS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
"""The quantiles that are quoted."""

NORMAL_QUANTILES: Final = (
    -1.9599639845400545,
    -1.6448536269514729,
    -1.2815515655446004,
    -0.6744897501960817,
    0.0,
    0.6744897501960817,
    1.2815515655446004,
    1.6448536269514722,
    1.9599639845400545,
)
"""The standard normal's quantiles at LEVELS; written out, because their computation depends on the CPU type."""

RATE: Final = 0.05
DECAY: Final = 0.97
NORMAL_OVER_MEAN_ABSOLUTE: Final = 1.2533
"""The standard deviation of a normal variable over its mean absolute value, sqrt(pi/2)."""


class Calibrator(Protocol):
    """Learns errors one at a time, side by side for any shape (...); quotes offsets from the point forecast."""

    def learn(self, error: Array) -> None:
        """Take in errors (...), NaN where none became known."""

    def quote(self, scale: Array, forecast: Array) -> tuple[Array, Array]:
        """Return (offsets (level, ...), multiplier (...)): a quantile is forecast + multiplier * offset.

        The multiplier is NaN, and no offset is, where there are no quantiles yet. Both change with the next error.
        `scale` (...) is the size of an error to expect before any is known; used where `forecast` is the first.
        """


class ConformalTracker:
    """The quantile tracker of conformal PID control, its P term.

    With s the exponentially weighted |e|, z = e/s: u_tau += eta (tau - 1{z <= q_tau}), q the isotonic fit of u;
    the quantile is point + s q_tau. (Sorting u itself would break the bound on coverage where errors come again.)
    While s is zero (nothing has ever moved) every quantile is the point, and the first error that is not zero
    becomes the scale.
    Source: Angelopoulos, Candes & Tibshirani (2023), Conformal PID control for time series prediction, NeurIPS 36; for
    the projection, Ding, Gibbs & Tibshirani (2025), Calibrated multi-level quantile forecasting.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        levels = np.array(LEVELS).reshape(-1, *(1 for _ in shape))
        self._up = RATE * levels
        self._step = np.empty((len(LEVELS), *shape))
        self._covered = np.empty((len(LEVELS), *shape), dtype=bool)
        start = NORMAL_OVER_MEAN_ABSOLUTE * np.array(NORMAL_QUANTILES)
        self._raw = np.repeat(start, int(np.prod(shape))).reshape(len(LEVELS), *shape)
        self._fitted = self._raw.copy()
        self._offsets = self._raw
        self._size = np.full(shape, np.nan)

    def learn(self, error: Array) -> None:
        """See Calibrator."""
        known = np.isfinite(error)
        np.logical_and(known, np.isfinite(self._size), out=known)
        if not known.any():
            return
        everywhere = bool(known.all())
        relative, size = self._relative(error), np.abs(error)
        # eta (tau - 1{z <= u})
        np.less_equal(relative, self._offsets, out=self._covered)
        np.multiply(self._covered, -RATE, out=self._step)
        np.add(self._step, self._up, out=self._step)
        if not everywhere:
            np.multiply(self._step, known, out=self._step)
        np.add(self._raw, self._step, out=self._raw)
        self._uncross()
        faded = DECAY * self._size + (1.0 - DECAY) * size
        moved = self._size > 0
        if not moved.all():
            faded = np.where(moved, faded, size)
        self._size = faded if everywhere else np.where(known, faded, self._size)

    def quote(self, scale: Array, forecast: Array) -> tuple[Array, Array]:
        """See Calibrator."""
        unset = np.isnan(self._size)
        if unset.any():
            first = unset & np.isfinite(forecast)
            self._size = np.where(first, np.where(scale > 0, scale, 0.0), self._size)
        return self._offsets, self._size

    def _relative(self, error: Array) -> Array:
        """Return z = e/s; while s is zero, an error that is not is beyond all quantiles."""
        if (self._size > 0).all():
            return np.asarray(error / self._size)
        relative = np.where(error == 0, 0.0, np.copysign(np.inf, error))
        np.divide(error, self._size, out=relative, where=self._size > 0)
        return relative

    def _uncross(self) -> None:
        """Quote the offsets nearest to the raw ones that do not cross; only where raw ones do are they others."""
        self._offsets = self._raw
        crossed = self._raw[1:] < self._raw[:-1]
        if not crossed.any():
            return
        self._offsets = self._fitted
        np.copyto(self._fitted, self._raw)
        flat, low = self._fitted.reshape(-1), np.flatnonzero(crossed)
        high = low + self._size.size
        # nearly always two neighbours alone
        flat[low] = flat[high] = (flat.take(low) + flat.take(high)) / 2.0
        wrong = self._fitted[1:] < self._fitted[:-1]
        if wrong.any():
            context = wrong.any(axis=0)
            self._fitted[:, context] = isotonic(self._raw[:, context])


def isotonic(raw: Array) -> Array:
    """Return the least-squares non-decreasing fit over the first axis of (level, place).

    At each level: the largest, over where a stretch of levels begins, of the least mean, over where it ends.

    Source: Robertson, Wright & Dykstra (1988), Order Restricted Statistical Inference, 1.4. What is pooled is equal to
    the bit, so that rounding does not part it.
    """
    count = len(raw)
    level = np.arange(count)
    sums = np.zeros((count + 1, raw.shape[1]))
    for place, one in enumerate(raw):
        np.add(sums[place], one, out=sums[place + 1])
    # (begin, end, place); a stretch of one is itself, and none ends before it begins
    means = (sums[1:] - sums[:-1, None]) / np.abs(level + 1.0 - level[:, None])[..., None].clip(1.0)
    means[level, level] = raw
    means[level[:, None] > level] = np.inf
    least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
    least[level[:, None] > level] = -np.inf
    fitted = np.maximum.accumulate(least, axis=0)[level, level]
    begins = np.where(np.diff(fitted, axis=0) > 1e-9, level[1:, None], 0)
    begins = np.maximum.accumulate(begins, axis=0)
    fitted[1:] = np.take_along_axis(fitted, begins, axis=0)
    return fitted


class EmpiricalQuantiles:
    """The quantiles of all past errors, interpolated linearly (type 7 of Hyndman & Fan 1996, Sample quantiles)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._sorted = np.empty((0, *shape))
        self._count = np.zeros(shape, dtype=np.int64)

    def learn(self, error: Array) -> None:
        """See Calibrator."""
        known = np.isfinite(error)
        if not known.any():
            return
        self._count = self._count + known
        if self._count.max() > len(self._sorted):
            room = np.full((max(64, len(self._sorted)), *error.shape), np.inf)
            self._sorted = np.concatenate([self._sorted, room])
        below = np.concatenate([np.full((1, *error.shape), -np.inf), self._sorted[:-1]])
        # what stands at i after an insertion: the old one, or the larger of its predecessor and the new one
        inserted = np.minimum(self._sorted, np.maximum(below, error))
        self._sorted = np.where(known, inserted, self._sorted)

    def quote(self, scale: Array, forecast: Array) -> tuple[Array, Array]:  # noqa: ARG002  # the errors alone decide
        """See Calibrator."""
        offsets = np.zeros((len(LEVELS), *self._count.shape))
        size = np.where(self._count > 0, 1.0, np.nan)
        if not len(self._sorted):
            return offsets, size
        last = self._count - 1
        for place, level in enumerate(LEVELS):
            position = level * np.maximum(last, 0)
            low = np.floor(position).astype(np.int64)
            high = np.minimum(low + 1, np.maximum(last, 0))
            share = position - low
            at_low, at_high = (np.take_along_axis(self._sorted, rank[None], axis=0)[0] for rank in (low, high))
            offsets[place] = np.where(last >= 0, at_low + share * (at_high - at_low), 0.0)
        return offsets, size


CALIBRATORS: Final[dict[str, Callable[[tuple[int, ...]], Calibrator]]] = {
    "conformal": ConformalTracker,
    "empirical": EmpiricalQuantiles,
}
"""Name -> calibrator, made for a shape."""
