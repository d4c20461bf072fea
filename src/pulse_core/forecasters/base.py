"""What a forecaster is, and the histories it forecasts from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.errors import ForecasterFailed

Values = NDArray[np.float64]
Positions = NDArray[np.int64]


@attrs.frozen(eq=False)
class Histories:
    """All histories of a unit, padded side by side, and where its origins stand in them.

    `values` (time, path): a path is a series as some vintage knew it, extended while no older value was revised;
    times past its end are padding. `lengths` (path,). Origin i knows the first `origin_length[i]` values of path
    `origin_path[i]`; both (origin,). Values are scaled by 2**-`exponents` (path,).
    """

    values: Values
    lengths: Positions
    origin_path: Positions
    origin_length: Positions
    exponents: Positions

    def at_origins(self, states: Values) -> Values:
        """Read a (time, path) array at each origin's newest time; shape (origin,)."""
        return np.asarray(states[self.origin_length - 1, self.origin_path])

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


@attrs.frozen
class OriginByOrigin:
    """A user's forecaster, called afresh at every origin with a copy of what that origin knows."""

    name: str
    version: str
    model: PointForecaster

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """Call the model at each origin. Raises ForecasterFailed where it raises or returns no forecast."""
        forecasts = np.empty((len(histories.origin_path), horizon))
        for origin in range(len(forecasts)):
            made = self._forecast(histories.history(origin), horizon)
            forecasts[origin] = np.ldexp(made, -histories.exponents[histories.origin_path[origin]])
        return forecasts

    def _forecast(self, history: Values, horizon: int) -> Values:
        mend = "Mend the forecaster, or leave it out"
        place = f"forecaster '{self.name}' with a history of {len(history)}"
        try:
            made = np.asarray(self.model.forecast(history, horizon), dtype=np.float64)
        except Exception as error:  # whatever a user's code raises becomes one of ours
            raise ForecasterFailed(f"{type(error).__name__}: {error}", place, mend) from error
        if made.shape != (horizon,):
            raise ForecasterFailed(f"returned shape {made.shape}, expected ({horizon},)", place, mend)
        if np.isinf(made).any():
            raise ForecasterFailed("returned an infinite forecast", place, mend)
        return made
