"""Hindcasts against what happened: everything that is recorded of a unit's variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.hindcast_table import HindcastTable
from pulse_core.backtest.hindcasting import Hindcasts, hindcast
from pulse_core.backtest.histories import stretches
from pulse_core.backtest.learning import lessons
from pulse_core.backtest.origins import Origins, gather
from pulse_core.backtest.outcomes import Outcomes
from pulse_core.backtest.scoring import Watch, score
from pulse_core.data.point_in_time import PointInTime
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.results import VariableResult
from pulse_core.scores.comparison import average_evidence, compare, log10_evidence
from pulse_core.scores.sums import BatchSums
from pulse_core.scores.trust import LOST, UNKNOWN, WON, Outcome
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns

Array = NDArray[np.float64]
Positions = NDArray[np.int64]


def evaluate(
    points: Sequence[PointInTime],
    spec: RunSpec,
    roster: ForecasterSet,
    given: Mapping[str, Array] | None = None,
    write: Callable[[Columns], None] | None = None,
) -> list[VariableResult]:
    """Return one result a variable; what is `given` of some forecasters (see quoted_by) is not made.

    With `write`, every hindcast is written as it was quoted; see HindcastTable.

    Raises ForecasterFailed.
    """
    with np.errstate(all="ignore"):  # a forecast that overflows is none; it is masked where it is read
        laid_out = list(stretches(points))
        origins = gather(points, spec, laid_out)
        taught = lessons(points, spec.horizon)
        made = hindcast(roster, laid_out, origins, taught, given or {}, keep_weights=write is not None)
        outcomes = Outcomes(made.forecasts, origins, spec)
        watchers: list[Watch] = [outcomes] if outcomes.by_crps else []
        if write is not None:
            watchers.append(HindcastTable(points, spec, origins, taught, made, outcomes, write))
        sums = score(made.forecasts, origins, taught, spec, watchers, made.own)
        judged = _Judged(spec, roster, origins, made, outcomes.of, sums)
        evidence = judged.evidence()
        return [judged.result(point, place, evidence[place]) for place, point in enumerate(points)]


@attrs.frozen(eq=False)
class _Judged:
    """A unit on the way to results.

    `outcomes`: codes against the benchmark (forecaster, origin, horizon), see trust.outcome; `sums` (variable, batch,
    forecaster, horizon, sum).
    """

    spec: RunSpec
    roster: ForecasterSet
    origins: Origins
    made: Hindcasts
    outcomes: Outcome
    sums: Array

    @property
    def _benchmark(self) -> int:
        return self.spec.roster.index(self.spec.benchmark)

    def _in_period(self, place: int) -> slice:
        """Return where the origins of the period of a variable stand."""
        first, last = np.searchsorted(self.origins.variable, [place, place + 1])
        return slice(int(first + np.searchsorted(self.origins.batch[first:last], 0)), int(last))

    def result(self, point: PointInTime, place: int, evidence: Array) -> VariableResult:
        """Return what is recorded of a variable."""
        origins = self.origins
        mine = self._in_period(place)
        # cut where this variable ends, so that what stands beside it in the unit does not show
        last = int(max(origins.batch[mine].max(), origins.known_batch[mine].max())) + 1
        won, lost = _by_batch(self.outcomes[:, mine], origins.known_batch[mine], last)
        losses = np.abs(origins.reported[mine] - self.made.forecasts[:, mine])
        return VariableResult(
            variable=point.variable,
            forecasters=self.roster.names,
            exponent=point.exponent,
            sums=BatchSums(np.arange(last), self.sums[place, :last]),
            wins=won,
            losses=lost,
            origins=np.bincount(origins.batch[mine], minlength=last),
            dm_p=compare(losses, self._benchmark),
            log10_e=evidence,
            **self._learned(place),
        )

    def evidence(self) -> Array:
        """Return log10 e-values (variable, forecaster, horizon), NaN for the benchmark.

        For horizon h: averages over the h sequences of origins that are congruent mod h, counted in the period.
        """
        variables, horizon = int(self.origins.variable[-1]) + 1, self.outcomes.shape[2]
        # (won or lost, sequence, variable, forecaster); those of each horizon one after another
        sequences = [(step, first) for step in range(1, horizon + 1) for first in range(step)]
        counted = np.zeros((2, len(sequences), variables, len(self.outcomes)))
        for place in range(variables):
            mine = self.outcomes[:, self._in_period(place)]
            for side, code in zip(counted, (WON, LOST), strict=True):
                found = mine == code
                for row, (step, first) in enumerate(sequences):
                    side[row, place] = np.count_nonzero(found[:, first::step, step - 1], axis=1)
        each = log10_evidence(*counted)
        ends = np.cumsum(np.arange(1, horizon + 1))
        evidence = np.stack([average_evidence(each[end - step : end]) for step, end in enumerate(ends, 1)], axis=-1)
        evidence[:, self._benchmark] = np.nan
        return evidence

    def _learned(self, place: int) -> dict[str, Array]:
        """Return the ensemble's weights (forecaster, horizon), regret and bound (horizon,); NaN where there is none."""
        horizon = self.spec.horizon
        weights = np.full((len(self.roster.names), horizon), np.nan)
        ensemble = self.made.ensemble
        if ensemble is None:
            nothing = np.full(horizon, np.nan)
            return {"weights": weights, "regret": nothing, "bound": nothing}
        for own, forecaster in enumerate(self.roster.forecasters):
            weights[self.roster.names.index(forecaster.name)] = ensemble.latest[own, place]
        # delay breaks the bound's proof beyond horizon 1
        bound = np.append(ensemble.bound[place], np.full(horizon - 1, np.nan))
        return {"weights": weights, "regret": ensemble.regret[place], "bound": bound}


def _by_batch(outcome: Outcome, known_batch: Positions, batches: int) -> tuple[Array, Array]:
    """Return wins and losses, weighted 1/h, in the batch they became known in; each (batch, forecaster, horizon)."""
    forecasters, _, horizons = outcome.shape
    won, lost = np.zeros((2, batches, forecasters, horizons))
    for place in range(horizons):
        # actuals become known in the order of their origins
        known = known_batch[:, place]
        last = len(known) if known[-1] >= 0 else int(np.argmax(known < 0))
        if not last:
            continue
        batch, first = np.unique(known[:last], return_index=True)
        codes = outcome[:, :last, place]
        wins = np.add.reduceat(np.maximum(codes, 0), first, axis=1, dtype=np.int64)
        trials = np.add.reduceat(codes != UNKNOWN, first, axis=1, dtype=np.int64)
        # whole numbers are added up, whose order does not matter; a win counts two halves
        half = 0.5 / (place + 1.0)
        won[batch, :, place] = half * wins.T
        lost[batch, :, place] = half * (WON * trials - wins).T
    return won, lost
