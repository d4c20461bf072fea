"""Replays of one unit that keep everything that was quoted on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import attrs
import numpy as np

from pulse_core import Forecaster, Observations, RunFailed, RunResult, RunSpec
from pulse_core import RetrodictionTraining as Training
from pulse_core.backtest.calibration import CALIBRATORS
from pulse_core.backtest.hindcasting import Hindcasts, hindcast
from pulse_core.backtest.histories import stretches
from pulse_core.backtest.learning import NONE, Lessons, lessons
from pulse_core.backtest.origins import Origins, gather
from pulse_core.backtest.scoring import score
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.forecasters.registry import resolve
from pulse_core.spec import DEFAULT_FORECASTERS
from tests.fakes import FakeBackend, FakeSink, FakeStore

FIRST_DAY = date(2000, 1, 1)
Teach = Callable[[Sequence[PointInTime], int], Lessons]


@attrs.frozen(eq=False)
class Replay:
    """`offsets` (level, origin, horizon, forecaster) and `sizes` (origin, horizon, forecaster), as quoted."""

    spec: RunSpec
    points: list[PointInTime]
    origins: Origins
    lessons: Lessons
    made: Hindcasts
    offsets: np.ndarray
    sizes: np.ndarray
    sums: np.ndarray

    @property
    def quantiles(self) -> np.ndarray:
        """(level, origin, horizon, forecaster), in the scale of the first point."""
        return np.asarray(np.moveaxis(self.made.forecasts, 0, 2) + self.sizes * self.offsets)

    def forecasts(self, name: str) -> np.ndarray:
        """(origin, horizon), in the data's units."""
        place = self.spec.forecasters.index(name)
        exponents = np.array([point.exponent for point in self.points])[self.origins.variable]
        return np.asarray(np.ldexp(self.made.forecasts[place], exponents[:, None]))


def replay(
    members: Sequence[Observations],
    spec: RunSpec,
    teach: Teach = lessons,
    *own: Forecaster,
    predictors: Sequence[Observations] = (),
) -> Replay:
    """Replay a unit of variables whose rows say when they became known. Raises TooLittleData for one without origin."""
    points = [point_in_time(one, spec, predictors) for one in members]
    with np.errstate(all="ignore"):
        laid_out = list(stretches(points))
        origins, taught = gather(points, spec, laid_out), teach(points, spec.horizon)
        made = hindcast(resolve(spec.forecasters, own), laid_out, origins, taught, {})
        kept: list[tuple[np.ndarray, np.ndarray]] = []
        with patch.dict(CALIBRATORS, {spec.calibration: recording(CALIBRATORS[spec.calibration], kept)}):
            sums = score(made.forecasts, origins, taught, spec)
    shape = (len(origins.variable), spec.horizon, len(spec.forecasters))
    offsets, sizes = np.full((9, *shape), np.nan), np.full(shape, np.nan)
    for step, variable in np.argwhere(taught.quote != NONE):
        origin = taught.quote[step, variable]
        # quoted as (level, forecaster, variable, horizon)
        offsets[:, origin] = np.moveaxis(kept[step][0][:, :, variable], 1, 2)
        sizes[origin] = kept[step][1][:, variable].T
    return Replay(spec, points, origins, taught, made, offsets, sizes, sums)


def recording(calibrator: Any, kept: list[tuple[np.ndarray, np.ndarray]]) -> Any:
    """The calibrator's class, keeping a copy of all it quotes."""

    class Recording(calibrator):  # type: ignore[misc]
        def quote(self, scale, forecast):
            offsets, sizes = super().quote(scale, forecast)
            kept.append((offsets.copy(), np.array(sizes)))
            return offsets, sizes

    return Recording


def series(values: Iterable[float], variable: str = "x") -> Observations:
    """One value a day, known at once."""
    numbers = list(values)
    stamps = np.datetime64(FIRST_DAY, "us") + np.arange(len(numbers)) * np.timedelta64(1, "D")
    return Observations(variable, stamps, numbers, stamps)


def spec_of(*variables: str, days: int = 60, first: int = 0, **fields: Any) -> RunSpec:
    """A spec over the days from `first` on; every built-in forecaster unless named."""
    small: dict[str, Any] = {"batch_size_days": 7, "horizon": 2, "min_history": 2}
    start = FIRST_DAY + timedelta(days=first)
    return RunSpec(
        variables=variables or ("x",), start=start, end=FIRST_DAY + timedelta(days=days - 1), **small | fields
    )


def whole_roster(season: int | None = None) -> tuple[str, ...]:
    """Every built-in forecaster, those of a season too."""
    seasonal = () if season is None else (f"seasonal-naive({season})", f"holt-winters({season})")
    return (*DEFAULT_FORECASTERS[:-3], *seasonal, *DEFAULT_FORECASTERS[-3:])


def train(members: Sequence[Observations], spec: RunSpec, sink: FakeSink | None = None, **fields: Any) -> RunResult:
    """Train; a variable without enough data may fail, and nothing else."""
    store = FakeStore({one.variable: one for one in members})
    parts: dict[str, Any] = {"store": store, "backend": FakeBackend(), "sink": sink or FakeSink(), "keep_going": True}
    try:
        result = Training(**parts | fields).execute(spec)
    except RunFailed as failed:
        result = failed.result
    assert {failure.kind for failure in result.failures} <= {"TooLittleData"}, result.failures
    return result
