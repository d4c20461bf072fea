"""The backtest of one variable: hindcasts against what happened, and all that is recorded of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import frozen
from pulse_core.backtest.batch_results import BatchResults, batches_at_once
from pulse_core.backtest.hindcast_rows import HindcastRows
from pulse_core.backtest.hindcasts import Hindcasts, hindcast
from pulse_core.backtest.learning import LearningPass, OriginStates
from pulse_core.backtest.origins import Origins, origins_of
from pulse_core.backtest.reliability_counts import counted_origins, reliability_counts
from pulse_core.backtest.simple_benchmarks import benchmark_of, bias, simple_losses
from pulse_core.data.point_in_time import PointInTime
from pulse_core.forecasters.base import Histories
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.results import VariableBacktest
from pulse_core.scores.comparison import comparison_statistics
from pulse_core.scores.evidence import evidence_of_sequences, log10_of
from pulse_core.scores.trust import span_of
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns

Array = NDArray[np.float64]
Positions = NDArray[np.int64]


@attrs.frozen(eq=False)
class Newest:
    """What is forecast at a variable's newest origin, scaled as its histories are.

    `points` (forecaster, horizon), `quantiles` (level, forecaster, horizon), and the ensemble's `weights` (forecaster,
    horizon), NaN for what it does not weigh.
    """

    points: Array
    quantiles: Array
    weights: Array


@attrs.frozen(eq=False)
class Backtest:
    """What a variable's backtest comes to: its record, and what is forecast at its newest origin."""

    record: VariableBacktest
    newest: Newest


def backtest(
    point: PointInTime,
    spec: RunSpec,
    forecasters: ForecasterSet,
    per_origin: Mapping[str, Array] | None = None,
    write: Callable[[Columns], None] | None = None,
) -> Backtest:
    """Backtest a variable; what is in `per_origin` of some forecasters (see forecast_rows) is not made again.

    What is returned has a row for each forecaster of the run that the variable can use.
    With `write`, every hindcast of the period is written as it was quoted; see HindcastRows. Raises ForecasterFailed.
    """
    forecasters = forecasters.of_variable(point.seasonality.periods)
    with np.errstate(all="ignore"):  # a forecast that overflows is none; it is masked where it is read
        origins = origins_of(point, spec)
        hindcasts = hindcast(
            forecasters,
            histories_of(point),
            spec.horizon,
            per_origin or {},
            target=spec.target,
            first=origins.first,
        )
        simple = tuple(forecaster.name for forecaster in forecasters.simple)
        benchmark = benchmark_of(spec, simple, hindcasts, origins)
        span = spec.trust_span or span_at(point, spec)
        marks = _Marks.of(origins, span)
        results = BatchResults(
            (len(origins.batches), hindcasts.shown, spec.horizon),
            forecasters=len(hindcasts.names),
            exponent=point.exponent,
            trust_loss=spec.trust_loss,
            span=span,
            marks=len(marks.all),
            counted=marks.counted_rows,
        )
        at_once = batches_at_once(len(hindcasts.names) * spec.horizon)
        learning = LearningPass(hindcasts, origins, forecasters, spec, benchmark, marks.all, results.take, at_once)
        newest = len(origins) - 1
        if write is None:
            learning.run(0, newest)
        else:
            learning.run(0, origins.first)
            rows = HindcastRows(point, origins, hindcasts, learning, benchmark, span)
            for states in learning.states(origins.first, newest):
                write(rows.columns(states))
        (last,) = learning.states(newest, newest + 1)
        if write is not None:
            write(rows.columns(last))
        overlap = _overlap(forecasters, benchmark, point)
        output = _Output(point, spec, origins, hindcasts, learning, results, benchmark, span, marks, overlap)
        record = output.record(simple, last)
        weights = learning.by_forecaster(last.weights[-1])[: hindcasts.shown]
        points, quantiles = hindcasts.forecasts[-1, : hindcasts.shown], last.quantiles[-1][:, : hindcasts.shown]
        return Backtest(record, Newest(points.copy(), quantiles, weights))


def _overlap(forecasters: ForecasterSet, benchmark: str, point: PointInTime) -> int:
    """Return over how many origins the benchmark's errors share a step, whatever the horizon: those of a season."""
    for forecaster in (*forecasters.forecasters, *forecasters.hidden):
        if forecaster.name == benchmark:
            return forecaster.season or (point.seasonality.shortest if forecaster.seasons_needed else 1)
    return 1


def span_at(point: PointInTime, spec: RunSpec) -> int:
    """Return the origins that trust looks ahead, by the calendar at the first origin of the period."""
    start = np.datetime64(spec.start, "us")
    year = (point.step_known_at < start) & (point.step_known_at >= start - np.timedelta64(365, "D"))
    return span_of(point.calendar, int(year.sum()))


def histories_of(point: PointInTime) -> Histories:
    """Return what a variable's origins know, as forecasters take it."""
    return Histories(
        point.paths,
        point.origin_path,
        point.origin_length,
        point.exponent,
        point.predictors,
        point.seasonality.periods,
    )


@attrs.frozen(eq=False)
class _Marks:
    """The origins at which the states of trust are kept: those whose trust is counted, and the last of each batch.

    `counted` are numbers of origins of the period, from 0; `all` are origins, in order, of which `counted_rows` and
    `batch_rows` are positions: of those counted, and of the last one of each batch.
    """

    counted: Positions
    all: Positions
    counted_rows: Positions
    batch_rows: Positions

    @classmethod
    def of(cls, origins: Origins, span: int) -> _Marks:
        first = origins.first
        counted = counted_origins(len(origins) - first, span)
        ends = np.searchsorted(origins.batch, origins.batches, side="right") - 1
        marks = np.unique(np.concatenate([counted + first, ends]))
        return cls(counted, marks, np.searchsorted(marks, counted + first), np.searchsorted(marks, ends))


@attrs.frozen(eq=False)
class _Output:
    """What a pass has come to, and what it was about."""

    point: PointInTime
    spec: RunSpec
    origins: Origins
    hindcasts: Hindcasts
    learning: LearningPass
    results: BatchResults
    benchmark: str
    span: int
    marks: _Marks
    overlap: int

    def record(self, simple: tuple[str, ...], last: OriginStates) -> VariableBacktest:
        """Return the record; `last` is what stands at the newest origin."""
        shown, names, learning, first = self.hindcasts.shown, self.hindcasts.names, self.learning, self.origins.first
        results = self.results
        evidence = self._evidence(last)
        row = names.index(self.benchmark)
        comparisons = comparison_statistics(
            self.hindcasts.cells[first:], self.origins.reported[first:], len(names), row
        )
        state = np.moveaxis(last.states[-1], 0, -1).swapaxes(0, 1)
        weights, regret, bound = learning.learned()
        return VariableBacktest(
            variable=self.point.variable,
            forecasters=names[:shown],
            benchmark=self.benchmark,
            span=self.span,
            seasonality=self.point.seasonality,
            min_history=self.point.min_history,
            exponent=self.point.exponent,
            total=results.total,
            losses=frozen(results.losses),
            n=frozen(results.n),
            mae=frozen(results.mae),
            mase=frozen(results.mase),
            crps=frozen(results.crps),
            won=frozen(results.won),
            lost=frozen(results.lost),
            trust=results.trust[self.marks.batch_rows, :, :shown].swapaxes(-2, -1),
            batches=self.origins.batches,
            origins=np.bincount(self.origins.batch_rows[first:]),
            statistics=np.concatenate([state, comparisons], axis=-1)[:shown],
            evidence=evidence[:shown],
            reliability=self._reliability(results.trust[..., :shown]),
            simple=simple,
            simple_losses=simple_losses(self.hindcasts, simple, self.origins)[:, :shown],
            simple_evidence=evidence[[names.index(name) for name in simple], :, 0],
            bias=bias(self.hindcasts, self.benchmark, self.origins, self.overlap),
            weights=weights[:shown],
            regret=regret,
            bound=bound,
            beyond_reason=self.hindcasts.beyond_reason[:shown],
        )

    def _evidence(self, last: OriginStates) -> Array:
        """Return log10 e-values for, against, and for by wins; (forecaster, horizon, 3), NaN for the benchmark."""
        names = self.hindcasts.names
        sizes = log10_of(last.evidence[-1])  # (side, horizon, forecaster)
        wins = evidence_of_sequences(self.learning.sequences)
        evidence = np.moveaxis(np.stack([*sizes, wins]), 0, -1).swapaxes(0, 1).copy()
        evidence[names.index(self.benchmark)] = np.nan
        return evidence

    def _reliability(self, trust: Array) -> Array:
        """Return the counts of the trusts of the forecasters that are shown."""
        rows, first = self.marks.counted_rows, self.origins.first
        known = self.origins.known[-1] - first
        ahead = self.results.ahead[..., : trust.shape[-1]]
        return reliability_counts(trust[rows], ahead, known, self.marks.counted[1:])
