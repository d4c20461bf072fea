"""What a forecaster is, and the histories it forecasts from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import attrs
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Positions = NDArray[np.int64]


@attrs.frozen(eq=False)
class Histories:
    """All histories of a unit, padded side by side, and where its origins stand in them.

    `values` (time, path): a path is a series as some vintage knew it, extended while no older value was revised;
    times past its end are padding. `lengths` (path,). Origin i knows the first `origin_length[i]` values of path
    `origin_path[i]`; both (origin,). Values are scaled by 2**-`exponents` (path,).
    `predictors` (predictor x lag, time, path) are recent changes of other variables as each time knew them, each scaled
    by a power of two, NaN where unknown.
    """

    values: Values
    lengths: Positions
    origin_path: Positions
    origin_length: Positions
    exponents: Positions
    predictors: Values = attrs.field(factory=lambda: np.empty((0, 0, 0)))
    shared: dict[str, Any] = attrs.field(factory=dict, init=False)
    """What one forecaster made and another can use, by a name that says all it depends on."""

    def at_origins(self, states: Values) -> Values:
        """Read a (time, path) array at each origin's newest time; shape (origin,)."""
        place = (self.origin_length - 1) * states.shape[1] + self.origin_path
        return np.asarray(states.reshape(-1).take(place))

    def only(self, origins: Positions) -> Histories:
        """Return the same histories with some of their origins."""
        return attrs.evolve(self, origin_path=self.origin_path[origins], origin_length=self.origin_length[origins])

    def history(self, origin: int) -> Values:
        """Return a copy of what one origin knows, in the data's own units; shape (n,)."""
        path = self.origin_path[origin]
        known = self.values[: self.origin_length[origin], path]
        return np.asarray(np.ldexp(known, self.exponents[path]))


class Forecaster(Protocol):
    """A method that makes hindcasts. `version` changes whenever its numbers may."""

    @property
    def name(self) -> str:
        """The name in results."""

    @property
    def version(self) -> str:
        """What a record's key holds of it: parameters and version."""

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """Return the forecasts made at every origin, shape (origin, horizon), in the scale of `histories`.

        NaN where there is none yet. Row i may depend on nothing but what origin i knows.
        """


class PointForecaster(Protocol):
    """The least a user's own forecaster needs."""

    def forecast(self, history: Values, horizon: int) -> Sequence[float] | Values:
        """Return `horizon` forecasts from the history y_1..y_n; NaN where there is none."""


class BringsQuantiles(Protocol):
    """A forecaster that is called origin by origin and has quantiles of its own beside its points."""

    def quote(self, histories: Histories, horizon: int) -> Values:
        """Return the points as `hindcast` does, then the quantiles at LEVELS; (1 + level, origin, horizon)."""


def brings_quantiles(forecaster: object) -> bool:
    """Whether it is a forecaster that BringsQuantiles: it says so itself, since its model may have none."""
    return bool(getattr(forecaster, "brings_quantiles", False)) and is_slow(forecaster)


def is_slow(forecaster: object) -> bool:
    """Whether a forecaster is called origin by origin."""
    return bool(getattr(forecaster, "origin_by_origin", False))


@runtime_checkable
class FittedForecaster(Protocol):
    """A forecaster whose fit serves several origins."""

    def fit(self, history: Values) -> Any:
        """Return what was learned from the history."""

    def predict(self, fitted: Any, history: Values, horizon: int) -> Sequence[float] | Values:
        """Return `horizon` forecasts from a history that continues the one that was fitted."""
