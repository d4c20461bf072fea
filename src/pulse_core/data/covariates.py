"""Covariates: the recent changes of predictor variables, as known when each row of a history was released."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pulse_core.data.observations import Moments, Observations, Values
from pulse_core.data.vintages import Vintage, groups, timeline

LAGS = 2
"""The number of recent changes of each predictor that a row has."""


def recent_changes(
    stamps: Moments, step_timestamp: Moments, step_known_at: Moments, predictors: Sequence[Observations]
) -> Values:
    """Return the newest changes of each predictor at each row of a history; (predictor x lag, row), NaN if unknown.

    `stamps` (row,) are the history's timestamps; `step_timestamp` and `step_known_at` (step,) are those of the grid,
    see PointInTime. A row has the changes that were known when its timestamp was first released. Where several rows
    were released together, the newest row has all of these changes; for an older row the newest change allowed is
    earlier by the time between the two rows, so that rows of a history loaded at once do not all have its last changes.
    A row that was filled in later, and was never the newest, has none.
    """
    step = np.minimum(np.searchsorted(step_timestamp, stamps), len(step_timestamp) - 1)
    is_step = step_timestamp[step] == stamps
    known_at = step_known_at[step]
    newest = step_timestamp[np.searchsorted(step_known_at, known_at, side="right") - 1]
    limit = stamps + (known_at - newest)
    changes = [_changes(predictor, known_at, limit) for predictor in predictors]
    return np.where(is_step, np.concatenate(changes), np.nan) if changes else np.empty((0, len(stamps)))


def _changes(predictor: Observations, known_at: Moments, limit: Moments) -> Values:
    """Return the newest changes (lag, row) among timestamps up to `limit`, as known at `known_at`; both (row,)."""
    times = timeline(predictor)
    if times.is_step.all():
        known_count = np.searchsorted(predictor.releases, known_at, "right")
        return _newest_changes(predictor.timestamps, predictor.values, limit, known_count)
    changes = np.full((LAGS, len(known_at)), np.nan)
    vintage = Vintage(int(times.distinct[-1]))
    moments = predictor.releases[times.ends - 1]
    newest_group = np.searchsorted(moments, known_at, side="right") - 1
    order = np.argsort(newest_group, kind="stable")
    bounds = np.searchsorted(newest_group[order], np.arange(len(moments) + 1))
    for group, release in enumerate(groups(times)):
        vintage.update(predictor.timestamps[release], predictor.values[release], times.is_step[release])
        rows = order[bounds[group] : bounds[group + 1]]
        if len(rows):
            known_count = np.full(len(rows), vintage.size)
            changes[:, rows] = _newest_changes(vintage.stamps, vintage.values, limit[rows], known_count)
    return changes


def _newest_changes(stamps: Moments, values: Values, limit: Moments, known_count: NDArray[np.int64]) -> Values:
    """Return the newest changes (lag, row) among a row's first `known_count` values with timestamps up to `limit`."""
    count = np.minimum(np.searchsorted(stamps, limit, side="right"), known_count)
    changes = np.append(np.nan, np.diff(values))
    index = count - 1 - np.arange(LAGS)[:, None]
    return np.where(index >= 1, changes[np.maximum(index, 0)], np.nan)
