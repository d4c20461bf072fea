"""Hindcasts against what happened: everything that is recorded of a unit's variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.forecasters import Roster
from pulse_core.hindcast_table import HindcastTable
from pulse_core.hindcasting import Hindcasts, hindcast
from pulse_core.histories import stretches
from pulse_core.learning import lessons
from pulse_core.origins import Origins, gather
from pulse_core.outcomes import Outcomes
from pulse_core.point_in_time import PointInTime
from pulse_core.results import VariableResult
from pulse_core.scores.comparison import average_evidence, diebold_mariano, log10_evidence
from pulse_core.scores.sums import BatchSums
from pulse_core.scoring import Watch, score
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns

Array = NDArray[np.float64]
Positions = NDArray[np.int64]


def evaluate(
    points: Sequence[PointInTime],
    spec: RunSpec,
    roster: Roster,
    given: Mapping[str, Array] | None = None,
    write: Callable[[Columns], None] | None = None,
) -> list[VariableResult]:
    """Return one result a variable; hindcasts (origin, horizon) that are `given` are not made.

    With `write`, every hindcast is written as it was quoted; see HindcastTable.

    Raises ForecasterFailed.
    """
    with np.errstate(all="ignore"):  # a forecast that overflows is none; it is masked where it is read
        laid_out = list(stretches(points))
        origins = gather(points, spec, laid_out)
        taught = lessons(points, spec.horizon)
        made = hindcast(roster, laid_out, origins, taught, given or {})
        outcomes = Outcomes(made.forecasts, origins, spec)
        watchers: list[Watch] = [outcomes]
        if write is not None:
            watchers.append(HindcastTable(points, spec, origins, taught, made, outcomes, write))
        sums = score(made.forecasts, origins, taught, spec, watchers)
        judged = _Judged(spec, roster, origins, made, outcomes.won, sums)
        evidence = judged.evidence()
        return [judged.result(point, place, evidence[place]) for place, point in enumerate(points)]


@attrs.frozen(eq=False)
class _Judged:
    """A unit on the way to results.

    `outcomes`: wins against the benchmark (forecaster, origin, horizon), NaN where there is no comparison; `sums`
    (variable, batch, forecaster, horizon, sum).
    """

    spec: RunSpec
    roster: Roster
    origins: Origins
    made: Hindcasts
    outcomes: Array
    sums: Array

    @property
    def _benchmark(self) -> int:
        return self.spec.roster.index(self.spec.benchmark)

    def result(self, point: PointInTime, place: int, evidence: Array) -> VariableResult:
        """Return what is recorded of a variable."""
        origins = self.origins
        mine = np.flatnonzero((origins.variable == place) & (origins.batch >= 0))
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
            dm_p=_compare(losses, self._benchmark),
            log10_e=evidence,
            **self._learned(place),
        )

    def evidence(self) -> Array:
        """Return log10 e-values (variable, forecaster, horizon), NaN for the benchmark.

        For horizon h: averages over the h sequences of origins that are congruent mod h, counted in the period.
        """
        variable, batch = self.origins.variable, self.origins.batch
        in_period = np.flatnonzero(batch >= 0)
        first = np.searchsorted(variable[in_period], variable[in_period])
        ordinal = np.arange(len(in_period)) - first
        outcome = self.outcomes[:, in_period]
        shape = (int(variable[-1]) + 1, len(outcome), outcome.shape[2])
        evidence = np.full(shape, np.nan)
        for place in range(shape[2]):
            cell = variable[in_period] * (place + 1) + ordinal % (place + 1)
            sides = (_counted(outcome[:, :, place] == side, cell, shape[0] * (place + 1)) for side in (1.0, 0.0))
            won, lost = (np.moveaxis(side.reshape(-1, shape[0], place + 1), 2, 0) for side in sides)
            evidence[:, :, place] = average_evidence(log10_evidence(won, lost)).T
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
        bound = np.where(np.arange(horizon) == 0, ensemble.bound[place], np.nan)
        return {"weights": weights, "regret": ensemble.regret[place], "bound": bound}


def _counted(chosen: NDArray[np.bool_], cell: Positions, cells: int) -> Array:
    """Count what is chosen (forecaster, origin) by the origin's cell; (forecaster, cell)."""
    return np.stack([np.bincount(cell[row], minlength=cells) for row in chosen]).astype(np.float64)


def _by_batch(outcome: Array, known_batch: NDArray[np.int64], batches: int) -> Iterator[Array]:
    """Yield wins, then losses, weighted 1/h, in the batch they became known in; (batch, forecaster, horizon)."""
    forecasters, _, horizons = outcome.shape
    there = np.isfinite(outcome)
    weight = 1.0 / np.arange(1.0, horizons + 1.0)
    series = np.arange(forecasters * horizons).reshape(forecasters, 1, horizons)
    cell = (known_batch * forecasters * horizons + series)[there]
    for share in (outcome, 1.0 - outcome):
        # bincount adds in the order of the array, whatever its shape
        added = np.bincount(cell, (weight * share)[there], batches * forecasters * horizons)
        yield added.reshape(batches, forecasters, horizons).astype(np.float64)


def _compare(losses: Array, benchmark: int) -> Array:
    """Return the Diebold-Mariano p-values (forecaster, horizon); NaN for the benchmark."""
    differences = losses - losses[benchmark]
    p_values = np.full((losses.shape[0], losses.shape[2]), np.nan)
    for place in range(losses.shape[2]):
        for alike, scored in _alike(np.isfinite(differences[:, :, place])):
            p_values[alike, place] = diebold_mariano(differences[alike, :, place][:, scored].T, place + 1)
    p_values[benchmark] = np.nan
    return p_values


def _alike(known: NDArray[np.bool_]) -> Iterator[tuple[list[int], NDArray[np.bool_]]]:
    """Yield the forecasters that are scored on the same origins, with these; nearly always all of them."""
    groups: dict[bytes, list[int]] = {}
    for forecaster, scored in enumerate(known):
        groups.setdefault(scored.tobytes(), []).append(forecaster)
    for members in groups.values():
        yield members, known[members[0]]
