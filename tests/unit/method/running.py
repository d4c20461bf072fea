"""Replays of one variable that keep everything that was quoted on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import attrs
import numpy as np

from pulse_core import Forecaster, Observations, RunFailed, RunResult, RunSpec
from pulse_core import RetrodictionTraining as Training
from pulse_core.backtest.hindcasts import Hindcasts, hindcast
from pulse_core.backtest.learning import LearningPass
from pulse_core.backtest.origins import Origins, origins_of
from pulse_core.backtest.simple_benchmarks import benchmark_of
from pulse_core.backtest.variable import Backtest, backtest, histories_of, span_at
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.forecasters.registry import resolve
from pulse_core.scores.evidence import log10_of
from pulse_core.scores.trust import trust_probability
from pulse_core.spec import DEFAULT_FORECASTERS, SEASONAL, TWO_SEASONS
from tests.fakes import FakeBackend, FakeSink, FakeStore
from tests.plain_pairs import Step
from tests.unit.method.plain_learning import trapezoid

FIRST_DAY = date(2000, 1, 1)
Teach = Callable[[PointInTime, RunSpec], Origins]
"""What a pass is told of a variable's origins; a test may tell it too much."""


@attrs.frozen(eq=False)
class Replay:
    """What was quoted at every origin, in the scale of the point, and what was recorded.

    `quantiles` (origin, level, forecaster, horizon), `weights` (origin, member, horizon); `states` (origin, STATE,
    horizon, forecaster), `trust` and `evidence` for and against (origin, forecaster, horizon), NaN before the period;
    `sums` (batch, forecaster, horizon, sum). Forecasters that only check the benchmark are left out.
    """

    spec: RunSpec
    point: PointInTime
    origins: Origins
    hindcasts: Hindcasts
    learning: LearningPass
    benchmark: str
    span: int
    quantiles: np.ndarray
    weights: np.ndarray
    states: np.ndarray
    trust: np.ndarray
    evidence: tuple[np.ndarray, np.ndarray]

    @property
    def sums(self) -> np.ndarray:
        return self.learning.sums[:, : self.hindcasts.shown]

    @property
    def differences(self) -> np.ndarray:
        """(origin of the period, horizon, forecaster)."""
        return self.learning.differences[..., : self.hindcasts.shown]

    def steps(self, row: int, ahead: int) -> list[Step]:
        """What plain code needs to judge a forecaster at a horizon; moments are numbers of origins."""
        column, benchmark = ahead - 1, self.spec.forecasters.index(self.benchmark)
        known = np.searchsorted(self.origins.known[:, column], np.arange(len(self.origins)), side="right")
        released = self.origins.released[:, column]
        errors = released - self.hindcasts.forecasts[:, benchmark, column]
        return [
            Step(
                made=origin,
                known=int(known[origin]) if known[origin] < len(self.origins) else None,
                loss=self.loss(origin, row, column),
                benchmark_loss=self.loss(origin, benchmark, column),
                error=float(errors[origin]),
                counted=origin >= self.origins.first,
            )
            for origin in range(len(self.origins))
        ]

    def loss(self, origin: int, row: int, column: int) -> float:
        """The loss that trust compares; a NaN has no forecast, no quantiles or no actual."""
        actual = float(self.origins.released[origin, column])
        if self.spec.trust_loss == "crps":
            return trapezoid(actual, self.quantiles[origin, :, row, column].tolist())
        return abs(actual - float(self.hindcasts.forecasts[origin, row, column]))

    def forecasts(self, name: str) -> np.ndarray:
        """(origin, horizon), in the data's units."""
        row = self.spec.forecasters.index(name)
        return np.asarray(np.ldexp(self.hindcasts.forecasts[:, row], self.point.exponent))


def replay(
    observations: Observations,
    spec: RunSpec,
    teach: Teach = origins_of,
    *custom: Forecaster,
    predictors: Sequence[Observations] = (),
) -> Replay:
    """Replay a variable whose rows say when they became known. Raises TooLittleData where it has no origin.

    The replay's spec names the forecasters that the variable can use.
    """
    point = point_in_time(observations, spec, predictors)
    seasons = point.seasonality.periods
    forecasters = resolve(spec.forecasters, custom, simple=spec.simple).of_variable(seasons)
    simple = [forecaster.name for forecaster in forecasters.simple]
    with np.errstate(all="ignore"):
        origins = teach(point, spec)
        hindcasts = hindcast(forecasters, histories_of(point), spec.horizon, {}, target=spec.target)
        benchmark = benchmark_of(spec, simple, hindcasts, origins)
        span = spec.trust_span or span_at(point, spec)
        learning = LearningPass(hindcasts, origins, forecasters, spec, benchmark, np.zeros(0, dtype=np.int64))
        parts = list(learning.states(0, len(origins)))
        quantiles, weights, states, evidence = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("quantiles", "weights", "states", "evidence")
        )
        states[: origins.first] = evidence[: origins.first] = np.nan
        shown = hindcasts.shown
        in_favour, against = np.moveaxis(log10_of(evidence[..., :shown]), 1, 0).swapaxes(-2, -1)
        trust = trust_probability(states[..., :shown], span).swapaxes(-2, -1)
    names = hindcasts.names[:shown]
    return Replay(
        attrs.evolve(spec, forecasters=names, benchmark=spec.benchmark if spec.benchmark in names else benchmark),
        point,
        origins,
        hindcasts,
        learning,
        benchmark,
        span,
        quantiles[:, :, :shown],
        weights,
        states[..., :shown],
        trust,
        (in_favour, against),
    )


def backtest_of(observations: Observations, spec: RunSpec) -> Backtest:
    """What the core makes of a variable. Raises TooLittleData where it has no origin."""
    return backtest(point_in_time(observations, spec), spec, resolve(spec.forecasters, simple=spec.simple))


def series(values: Iterable[float], variable: str = "x") -> Observations:
    """One value a day, known at once."""
    numbers = list(values)
    stamps = np.datetime64(FIRST_DAY, "us") + np.arange(len(numbers)) * np.timedelta64(1, "D")
    return Observations(variable, stamps, numbers, stamps)


def spec_of(*variables: str, days: int = 60, first: int = 0, **fields: Any) -> RunSpec:
    """A spec over the days from `first` on; every built-in forecaster unless named."""
    small: dict[str, Any] = {"batch_size_days": 7, "horizon": 2, "min_history": 2, "season": None}
    start = FIRST_DAY + timedelta(days=first)
    return RunSpec(
        variables=variables or ("x",), start=start, end=FIRST_DAY + timedelta(days=days - 1), **small | fields
    )


def whole_roster(season: int | None = None) -> tuple[str, ...]:
    """Every built-in forecaster, those of a season too."""
    seasonal = () if season is None else (f"seasonal-naive({season})", f"holt-winters({season})")
    names = (name for name in DEFAULT_FORECASTERS[:-3] if name not in (*SEASONAL, *TWO_SEASONS))
    return (*names, *seasonal, *DEFAULT_FORECASTERS[-3:])


def train(members: Sequence[Observations], spec: RunSpec, sink: FakeSink | None = None, **fields: Any) -> RunResult:
    """Train; a variable without enough data may fail, and nothing else."""
    store = FakeStore({member.variable: member for member in members})
    parts: dict[str, Any] = {"store": store, "backend": FakeBackend(), "sink": sink or FakeSink(), "keep_going": True}
    try:
        result = Training(**parts | fields).execute(spec)
    except RunFailed as failed:
        result = failed.result
    assert {failure.kind for failure in result.failures} <= {"TooLittleData"}, result.failures
    return result
