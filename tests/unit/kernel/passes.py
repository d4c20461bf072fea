"""Passes over given arrays: a test writes down the forecasts, the actuals and when errors become known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core import RunSpec
from pulse_core.backtest.custom_quantiles import NO_QUANTILES, CustomQuantiles
from pulse_core.backtest.hindcasts import Hindcasts
from pulse_core.backtest.learning import BatchBlock, LearningPass
from pulse_core.backtest.origins import Origins
from pulse_core.forecasters.registry import ENSEMBLE, ForecasterSet
from pulse_core.kernel.bindings import LANES
from pulse_core.levels import LEVELS

Array = NDArray[np.float64]
Positions = NDArray[np.int64]


@attrs.frozen
class Member:
    """A forecaster by name alone: its forecasts are given."""

    name: str
    version: str = "1"
    per_origin: bool = False
    brings_quantiles: bool = False
    in_combinations: bool = True
    ignores_seasons: bool = False
    lags: int = 0


@attrs.frozen(eq=False, kw_only=True)
class PassInput:
    """All that a pass depends on, arrays as in Hindcasts and Origins; `forecasts` (origin, forecaster, horizon).

    `members` and `ensemble` are rows among the forecasters; without an ensemble it is None. `marks` are origins of the
    period, in order.
    """

    forecasts: Array
    origins: Origins
    custom: CustomQuantiles = NO_QUANTILES
    members: tuple[int, ...] = ()
    ensemble: int | None = None
    benchmark: int = 0
    calibration: str = "conformal"
    trust_loss: str = "absolute"
    trust_half_life: float = 500.0
    marks: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Origins, forecasters, horizons."""
        count, forecasters, horizons = self.forecasts.shape
        return count, forecasters, horizons


@attrs.frozen(eq=False)
class PassOutput:
    """All that a pass gives: what was quoted at each origin, what was recorded, and what it has come to.

    `states` and `evidence` are those of the origins of the period.
    """

    forecasts: Array
    quantiles: Array
    weights: Array
    states: Array
    evidence: Array
    sums: Array
    differences: Array
    counts: Array
    marked: Array
    ahead: Array
    latest: Array
    regret: Array
    bound: Array

    def pieces(self) -> Iterator[tuple[str, Array]]:
        for field in attrs.fields(PassOutput):
            yield field.name, getattr(self, field.name)


def bits(values: Any) -> bytes:
    """The bits of numbers, all NaNs alike."""
    array = np.asarray(values, dtype=np.float64)
    return np.where(np.isnan(array), np.nan, array).tobytes()


def assert_same_bits(output: PassOutput, expected: PassOutput) -> None:
    for (name, values), (_, expectation) in zip(output.pieces(), expected.pieces(), strict=True):
        assert values.shape == expectation.shape, name
        if bits(values) != bits(expectation):
            with np.errstate(all="ignore"):
                apart = ~((values == expectation) & (np.signbit(values) == np.signbit(expectation)))
            apart &= ~(np.isnan(values) & np.isnan(expectation))
            first = tuple(np.argwhere(apart)[0].tolist())
            pair = f"{values[first]!r} is not {expectation[first]!r}"
            raise AssertionError(f"{name}{first}: {pair}; {int(apart.sum())} differ")


def origins_of(
    released: Array,
    *,
    feedback: Positions | None = None,
    batch: Sequence[int] | None = None,
    scale: float | Array = 1.0,
    step_square: float | Array | None = None,
    steps: int = 20,
    reported: Array | None = None,
    newest: float | Array = 0.0,
) -> Origins:
    """Origins of these first releases (origin, horizon), each error known as soon as its step ahead is an origin.

    The history has made so many steps before the first origin, and one more before each that follows; their mean square
    is that of the scale unless it is given.
    """
    count, horizons = released.shape
    batches = np.zeros(count, dtype=np.int64) if batch is None else np.array(batch, dtype=np.int64)
    known_counts = known_in_time(count, horizons) if feedback is None else feedback
    scales = np.broadcast_to(np.asarray(scale, dtype=np.float64), count).copy()
    with np.errstate(over="ignore", under="ignore"):
        squares = scales * scales
    return Origins(
        batch=batches,
        newest=np.broadcast_to(np.asarray(newest, dtype=np.float64), count).copy(),
        scale=scales,
        square_scale=squares,
        step_square=np.broadcast_to(squares if step_square is None else step_square, count).astype(np.float64),
        steps=np.arange(float(steps), float(steps + count)),
        reported=(released if reported is None else reported).copy(),
        released=released.copy(),
        known=known_counts,
    )


def known_in_time(count: int, horizons: int) -> Positions:
    """How many errors are known at each origin where every step ahead is an origin."""
    return np.asarray(np.maximum(np.arange(count)[:, None] - np.arange(horizons), 0), dtype=np.int64)


def learning_pass(
    case: PassInput, take: Callable[[BatchBlock], None] | None = None, at_once: int | None = None
) -> LearningPass:
    """The pass over these arrays, before its first origin."""
    count, forecasters, horizons = case.shape
    names = tuple(ENSEMBLE if row == case.ensemble else f"f{row}" for row in range(forecasters))
    cells = np.full((count, -(-forecasters * horizons // LANES) * LANES), np.nan)
    cells[:, : forecasters * horizons] = case.forecasts.reshape(count, -1)
    spec = RunSpec(
        variables=("x",),
        start=date(2020, 1, 1),
        end=date(2020, 12, 31),
        batch_size_days=30,
        horizon=horizons,
        forecasters=names,
        benchmark=names[case.benchmark],
        calibration=case.calibration,
        trust_loss=case.trust_loss,
        trust_half_life=case.trust_half_life,
    )
    members: Any = tuple(Member(names[row]) for row in case.members)
    ensemble = None if case.ensemble is None else ENSEMBLE
    forecaster_set = ForecasterSet(names, members, (), ensemble)
    none = np.zeros((forecasters, horizons), dtype=np.int64)
    hindcasts = Hindcasts(names, forecasters, horizons, cells, case.custom, none)
    marks = np.array(case.marks, dtype=np.int64)
    return LearningPass(hindcasts, case.origins, forecaster_set, spec, spec.benchmark, marks, take, at_once)


def run(case: PassInput) -> PassOutput:
    """Go through all origins."""
    learning = learning_pass(case)
    parts = list(learning.states(0, case.shape[0]))
    weights, regret, bound = learning.learned()
    return PassOutput(
        forecasts=learning._hindcasts.forecasts.copy(),
        quantiles=np.concatenate([part.quantiles for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
        states=np.concatenate([part.states for part in parts])[case.origins.first :],
        evidence=np.concatenate([part.evidence for part in parts])[case.origins.first :],
        sums=learning.sums,
        differences=learning.differences,
        counts=learning.counts,
        marked=learning.marked,
        ahead=learning.ahead,
        latest=weights,
        regret=regret,
        bound=bound,
    )


def quantiles_of_errors(errors: Sequence[float] | Array, scale: float = 1.0, calibration: str = "conformal") -> Array:
    """The quantiles quoted around 0 before each of these errors (time,), each known before the next; (time, level)."""
    case = PassInput(
        forecasts=np.zeros((len(errors), 1, 1)),
        origins=origins_of(np.array(errors, dtype=np.float64)[:, None], scale=scale),
        calibration=calibration,
    )
    return run(case).quantiles[:, :, 0, 0]


class Calibration:
    """A calibrator that is fed one error after the other, each chosen in view of what it quoted."""

    def __init__(self, steps: int, scale: float = 1.0, calibration: str = "conformal") -> None:
        released = np.zeros((steps, 1))
        origins = origins_of(released, scale=scale)
        self.learning = learning_pass(
            PassInput(forecasts=np.zeros((steps, 1, 1)), origins=origins, calibration=calibration)
        )
        self._released = origins.released
        self._time = 0

    def quantiles(self) -> Array:
        """The quantiles around 0 at the present origin; (level,)."""
        (part,) = self.learning.states(self._time, self._time + 1)
        return np.asarray(part.quantiles[0, :, 0, 0])

    def state(self) -> tuple[Array, float]:
        """Offsets (level,) and size as they stand."""
        offsets, sizes = calibrator_state(self.learning)
        return offsets[:, 0, 0], float(sizes[0, 0])

    def learn(self, error: float) -> None:
        """Let the present origin err by so much; it is known at the next."""
        self._released[self._time] = error
        self._time += 1


def calibrator_state(learning: LearningPass) -> tuple[Array, Array]:
    """Copy the calibrator's offsets (level, forecaster, horizon) and sizes (forecaster, horizon) as they stand."""
    offsets = calibrator_array(learning, "offset").reshape(len(LEVELS), -1)
    return learning._by_cell(offsets).copy(), learning._by_cell(calibrator_array(learning, "size")).copy()


def calibrator_array(learning: LearningPass, name: str) -> Array:
    """The calibrator's own array of this name: a row by horizon, forecasters side by side."""
    calibrator = learning._state.calibrator
    arrays = {array.ctypes.data: array for array in learning._arrays}
    return arrays[getattr(calibrator, name)]


def trackers(learning: LearningPass, name: str = "raw") -> Array:
    """The trackers, or their slopes, where they stand in memory, as (horizon, level, forecaster)."""
    raw = calibrator_array(learning, name)  # (horizon, block of LANES forecasters, level, LANES)
    return np.moveaxis(raw, 2, 1).reshape(len(raw), len(LEVELS), -1)
