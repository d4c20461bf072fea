"""What a forecaster is, what it declares of itself, and the histories it forecasts from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final, Protocol, runtime_checkable

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import integers, strided_views, views

Values = NDArray[np.float64]
Positions = NDArray[np.int64]

KERNEL_COST: Final = 2e-7
ONE_PASS_COST: Final = 1e-5
PER_ORIGIN_COST: Final = 1e-2
"""Rough seconds per origin of a forecaster in the kernel, of one in numpy, and of a model that is fitted per origin."""


@attrs.frozen(eq=False)
class Histories:
    """The histories of one variable: what each of its origins knows.

    `paths`: series (n,) as some vintage knew them, extended while no older value was revised. Origin i knows the first
    `origin_length[i]` values of path `origin_path[i]`; both (origin,). Origins stand path by path, on a path in order
    of length. Values are scaled by 2**-`exponent`. `predictors`: (predictor x lag, n) per path, recent changes of other
    variables as each time knew them, each scaled by a power of two, NaN where unknown; empty without predictors. Paths
    may share their arrays, whose rows then lie apart. `seasons`: how many steps the variable's seasons have, the
    shortest first; () without any.
    All arrays are read-only. Raises ValueError for origins out of order or beyond their path.
    """

    paths: tuple[Values, ...] = attrs.field(converter=views)
    origin_path: Positions = attrs.field(converter=integers)
    origin_length: Positions = attrs.field(converter=integers)
    exponent: int = 0
    predictors: tuple[Values, ...] = attrs.field(default=(), converter=strided_views)
    seasons: tuple[int, ...] = ()
    by_path: tuple[tuple[int, slice], ...] = attrs.field(init=False)
    """The index of each path on which there are origins, and the positions of these origins."""
    shared: dict[str, Any] = attrs.field(factory=dict, init=False)
    """Results of a forecaster that another can use, by a name that says all they depend on."""

    @by_path.default
    def _by_path(self) -> tuple[tuple[int, slice], ...]:
        opens = np.append(0, np.flatnonzero(np.diff(self.origin_path)) + 1).tolist() if len(self) else []
        ends = [*opens[1:], len(self)] if opens else []
        return tuple((int(self.origin_path[begin]), slice(begin, end)) for begin, end in zip(opens, ends, strict=True))

    def __attrs_post_init__(self) -> None:
        path, length = self.origin_path, self.origin_length
        if path.ndim != 1 or path.shape != length.shape:
            raise ValueError(f"origins must have a path and a length each, got shapes {path.shape} and {length.shape}")
        if not len(path):
            return
        if (path[1:] < path[:-1]).any() or path[0] < 0 or path[-1] >= len(self.paths):
            raise ValueError(f"origins must stand path by path, on paths 0 to {len(self.paths) - 1}")
        known = np.array([len(values) for values in self.paths])[path]
        falls = (length[1:] < length[:-1]) & (path[1:] == path[:-1])
        if falls.any() or (length < 1).any() or (length > known).any():
            raise ValueError("lengths of origins must rise along a path, from 1 or more to at most its values")

    def __len__(self) -> int:
        return len(self.origin_path)

    def select(self, origins: Positions) -> Histories:
        """Return the histories of some origins, which stay in order."""
        return attrs.evolve(self, origin_path=self.origin_path[origins], origin_length=self.origin_length[origins])

    def history(self, origin: int) -> Values:
        """Return a copy of what one origin knows, in the data's own units; shape (n,)."""
        values = self.paths[self.origin_path[origin]][: self.origin_length[origin]]
        return np.asarray(np.ldexp(values, self.exponent))


class Forecaster(Protocol):
    """A method that makes hindcasts, and what it declares of itself. `version` changes whenever its numbers may.

    A class that inherits from this one has the defaults of all that it does not declare: it makes the forecasts of all
    origins in one pass, has no season and no quantiles.
    """

    @property
    def name(self) -> str:
        """The name in results."""

    @property
    def version(self) -> str:
        """What a record's key holds of it: parameters and version."""

    @property
    def per_origin(self) -> bool:
        """Whether it is called origin by origin, so that its hindcasts are made, shared and recorded batch by batch."""
        return False

    @property
    def brings_quantiles(self) -> bool:
        """Whether it is a QuantileForecaster as well; only one that is called origin by origin can be."""
        return False

    @property
    def season(self) -> int | None:
        """How many steps its season has, whatever the variable; None without one of its own."""
        return None

    @property
    def in_combinations(self) -> bool:
        """Whether the ensemble and the combinations of levels take it; where changes are forecast they take all."""
        return True

    @property
    def ignores_seasons(self) -> bool:
        """Whether it knows of no season: of a variable that has one, combinations and ensemble leave it out.

        But for one whose `lags` reach the season; see ForecasterSet.combined.
        """
        return False

    @property
    def lags(self) -> int:
        """How many steps before the newest value it may weigh each by itself."""
        return 0

    @property
    def seasons_needed(self) -> int:
        """How many seasons a variable must have (see Histories.seasons); it has no rows of variables with fewer."""
        return 0

    @property
    def cost(self) -> float:
        """Roughly how many seconds it takes per origin: how units of work are cut, never what is computed."""
        return ONE_PASS_COST

    @property
    def unseen(self) -> tuple[str, ...]:
        """What may change its forecasts without changing its version: files that it reads, code that it finds itself.

        In the words of a message, which is told where forecasts are recalled.
        """
        return ()

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """Return the forecasts made at every origin, shape (origin, horizon), in the scale of `histories`.

        NaN where there is none yet. Row i may depend on nothing but what origin i knows.
        """


class InPlaceForecaster(Forecaster):
    """A forecaster that writes its forecasts where they belong."""

    @property
    def cost(self) -> float:
        """See Forecaster."""
        return KERNEL_COST

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        """See Forecaster."""
        out = np.empty((len(histories), horizon))
        self.hindcast_into(histories, out)
        return out

    @abstractmethod
    def hindcast_into(self, histories: Histories, out: Values) -> None:
        """Write the forecasts of `hindcast` into `out` (origin, horizon), whose rows may lie apart."""


class NonSeasonalForecaster(InPlaceForecaster):
    """One that knows of no season."""

    @property
    def ignores_seasons(self) -> bool:
        """See Forecaster."""
        return True


class PointForecaster(Protocol):
    """The least a user's own forecaster needs."""

    def forecast(self, history: Values, horizon: int) -> Sequence[float] | Values:
        """Return `horizon` forecasts from the history y_1..y_n; NaN where there is none."""


class QuantileForecaster(Protocol):
    """A forecaster that is called origin by origin and has quantiles of its own beside its points."""

    def hindcast_quantiles(self, histories: Histories, horizon: int) -> Values:
        """Return the points as `hindcast` does, then the quantiles at LEVELS; (1 + level, origin, horizon)."""


@runtime_checkable
class FittedForecaster(Protocol):
    """A forecaster whose fit serves several origins."""

    def fit(self, history: Values) -> Any:
        """Return what was learned from the history."""

    def predict(self, fitted: Any, history: Values, horizon: int) -> Sequence[float] | Values:
        """Return `horizon` forecasts from a history that continues the one that was fitted."""
