"""Hindcasts against what happened: the sums of scores per batch, and the wins against the benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.errors import ForecasterFailed, PulseError
from pulse_core.forecasters.base import Forecaster, Histories
from pulse_core.histories import stretches
from pulse_core.plan import batch_index
from pulse_core.point_in_time import PointInTime
from pulse_core.results import VariableResult
from pulse_core.scores.sums import SUMS, BatchSums
from pulse_core.spec import RunSpec
from pulse_core.trust import wins

Array = NDArray[np.float64]
Positions = NDArray[np.int64]


@attrs.frozen(eq=False)
class Origins:
    """All origins of a unit, variable after variable, in order of time.

    (origin,): `variable`, `batch`, `newest` (y_n), `scale` (mean absolute step so far), `square_scale`.
    (origin, horizon): `reported` and `released` actuals (NaN where not known by the end), and `known_batch`, the batch
    in which the release became known.
    """

    variable: Positions
    batch: Positions
    newest: Array
    scale: Array
    square_scale: Array
    reported: Array
    released: Array
    known_batch: Positions

    @property
    def batches(self) -> int:
        """How many batches the unit's origins and actuals touch, counted from the first of the period."""
        return int(max(self.batch.max(), self.known_batch.max())) + 1


def evaluate(points: Sequence[PointInTime], spec: RunSpec, forecasters: Sequence[Forecaster]) -> list[VariableResult]:
    """Return one result a variable. Raises ForecasterFailed."""
    with np.errstate(all="ignore"):  # a forecast that overflows is none; it is masked where it is read
        laid_out = list(stretches(points))
        origins = _origins(points, spec, laid_out)
        hindcasts = [_hindcast(forecaster, laid_out, origins, spec.horizon) for forecaster in forecasters]
        benchmark = hindcasts[spec.roster.index(spec.benchmark)]
        scored = [_sums(hindcast, benchmark, origins) for hindcast in hindcasts]
        outcomes = [_outcomes(hindcast, benchmark, origins) for hindcast in hindcasts]
    sums = np.stack(scored, axis=2)
    won, lost = (np.stack(side, axis=2) for side in zip(*outcomes, strict=True))
    return [
        _result(point, spec, sums[place], won[place], lost[place], origins, place) for place, point in enumerate(points)
    ]


def _hindcast(
    forecaster: Forecaster, laid_out: Sequence[tuple[Positions, Histories]], origins: Origins, horizon: int
) -> Array:
    forecasts = np.empty((len(origins.variable), horizon))
    for places, histories in laid_out:
        try:
            forecasts[places] = forecaster.hindcast(histories, horizon)
        except PulseError:
            raise
        except Exception as error:  # whatever a forecaster raises becomes one of ours
            what = f"{type(error).__name__}: {error}"
            raise ForecasterFailed(what, f"forecaster '{forecaster.name}'", "Mend it, or leave it out") from error
    forecasts[~np.isfinite(forecasts)] = np.nan
    return forecasts


def _origins(points: Sequence[PointInTime], spec: RunSpec, laid_out: Sequence[tuple[Positions, Histories]]) -> Origins:
    variable = np.repeat(np.arange(len(points)), [len(point.origin_step) for point in points])
    newest, scale, square_scale = (np.empty(len(variable)) for _ in range(3))
    for places, histories in laid_out:
        newest[places] = histories.at_origins(histories.values)
        scale[places], square_scale[places] = _scales(histories)
    released, latest, known_batch = zip(*(_actuals(point, spec) for point in points), strict=True)
    return Origins(
        variable=variable,
        batch=batch_index(spec, np.concatenate([point.origin_known_at for point in points])),
        newest=newest,
        scale=scale,
        square_scale=square_scale,
        reported=np.concatenate(latest if spec.actuals == "latest" else released),
        released=np.concatenate(released),
        known_batch=np.concatenate(known_batch),
    )


def _scales(histories: Histories) -> tuple[Array, Array]:
    """Return the mean absolute and the mean squared step of what each origin knows; NaN where it is zero."""
    steps = np.abs(np.diff(histories.values, axis=0, prepend=histories.values[:1]))
    counts = histories.origin_length - 1.0
    means = (histories.at_origins(np.cumsum(sums, axis=0)) / counts for sums in (steps, steps * steps))
    absolute, square = (np.where(mean > 0, mean, np.nan) for mean in means)
    return absolute, square


def _actuals(point: PointInTime, spec: RunSpec) -> tuple[Array, Array, Positions]:
    """Return first and latest actuals, and the batch of the first release; (origin, horizon), NaN and -1 if unknown."""
    target = point.origin_step[:, None] + np.arange(1, spec.horizon + 1)
    there = target < len(point.step_first)
    place = np.where(there, target, 0)
    released, latest = (np.where(there, values[place], np.nan) for values in (point.step_first, point.step_latest))
    return released, latest, np.where(there, batch_index(spec, point.step_known_at)[place], -1)


def _sums(forecasts: Array, benchmark: Array, origins: Origins) -> Array:
    """Return the sums over origins, in their order; shape (variable, batch, horizon, sum)."""
    # (origin, horizon)
    actual, newest = origins.reported, origins.newest[:, None]
    error, other = actual - forecasts, actual - benchmark
    scored, both = np.isfinite(error), np.isfinite(error) & np.isfinite(other)
    size, square = np.abs(error), error * error
    magnitude = np.abs(actual) + np.abs(forecasts)
    direction = np.sign(forecasts - newest) * np.sign(actual - newest)
    terms = {
        "count": scored,
        "error": error,
        "absolute": size,
        "square": square,
        "scaled_absolute": size / origins.scale[:, None],
        "scaled_square": square / origins.square_scale[:, None],
        "percentage": np.where(magnitude > 0, 200 * size / magnitude, 0.0),
        "hits": direction > 0,
        "calls": direction != 0,
        "common_count": both,
        "common_absolute": np.where(both, size, 0.0),
        "benchmark_absolute": np.where(both, np.abs(other), 0.0),
        "common_square": np.where(both, square, 0.0),
        "benchmark_square": np.where(both, other * other, 0.0),
    }
    batch = np.broadcast_to(origins.batch[:, None], scored.shape)
    return np.stack(_add_up([terms[name] for name in SUMS], scored, batch, origins), axis=-1)


def _outcomes(forecasts: Array, benchmark: Array, origins: Origins) -> tuple[Array, Array]:
    """Return wins and losses in the batch they became known in, weighted 1/h; each (variable, batch, horizon)."""
    outcome = wins(origins.released - forecasts, origins.released - benchmark)
    weight = 1.0 / np.arange(1.0, outcome.shape[1] + 1.0)
    won, lost = _add_up(
        [weight * outcome, weight * (1.0 - outcome)], np.isfinite(outcome), origins.known_batch, origins
    )
    return won, lost


def _add_up(
    terms: Sequence[NDArray[Any]], chosen: NDArray[np.bool_], batch: Positions, origins: Origins
) -> list[Array]:
    """Add each term (origin, horizon) up by variable, batch and horizon, where chosen, one after another."""
    variables, horizons = int(origins.variable[-1]) + 1, chosen.shape[1]
    shape = (variables, origins.batches, horizons)
    cell = (origins.variable[:, None] * origins.batches + batch) * horizons + np.arange(horizons)
    cell = cell[chosen]
    # bincount adds in the order of the array, whatever its shape
    return [
        np.bincount(cell, term[chosen].astype(np.float64), int(np.prod(shape))).reshape(shape).astype(np.float64)
        for term in terms
    ]


def _result(
    point: PointInTime, spec: RunSpec, sums: Array, won: Array, lost: Array, origins: Origins, place: int
) -> VariableResult:
    mine = origins.variable == place
    # cut where this variable ends, so that what stands beside it in the unit does not show
    last = int(max(origins.batch[mine].max(), origins.known_batch[mine].max())) + 1
    return VariableResult(
        variable=point.variable,
        forecasters=spec.roster,
        exponent=point.exponent,
        sums=BatchSums(np.arange(last), sums[:last]),
        wins=won[:last],
        losses=lost[:last],
        origins=np.bincount(origins.batch[mine], minlength=last),
    )
