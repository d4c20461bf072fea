"""Covariates: the recent changes of predictor variables, as known when each row of a history was released."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pulse_core.data.observations import Moments, Observations, Values
from pulse_core.data.vintages import Vintage, groups, timeline

LAGS = 2
"""The number of recent changes of each predictor that a row has."""


def recent_changes(step_timestamp: Moments, step_known_at: Moments, predictors: Sequence[Observations]) -> Values:
    """Return the newest changes of each predictor at each step of the grid; (predictor x lag, step), NaN if unknown.

    `step_timestamp` and `step_known_at` (step,) are those of PointInTime. A step has the changes that were known when
    its timestamp was first released. Where several steps were released together, the newest has all of these changes;
    for an older one the newest change allowed is earlier by the time between the two, so that steps of a history loaded
    at once do not all have its last changes.
    """
    newest = step_timestamp[np.searchsorted(step_known_at, step_known_at, side="right") - 1]
    limit = step_timestamp + (step_known_at - newest)
    changes = [_changes(predictor, step_known_at, limit) for predictor in predictors]
    return np.concatenate(changes) if changes else np.empty((0, len(step_timestamp)))


def along_paths(changes: Values, step_timestamp: Moments, path_stamps: Sequence[Moments]) -> tuple[Values, ...]:
    """Return the changes (feature, step) at the rows of each path, whose timestamps are given; (feature, row).

    A row has those of its step, whatever has been revised since; a row that was filled in later, and was never the
    newest, has none. Paths with the same rows share an array.
    """
    arrays = []
    stamps, array = step_timestamp, changes
    for path in reversed(path_stamps):  # a path has the rows of those before it, and more behind them
        for earlier_stamps, earlier in ((step_timestamp, changes), (stamps, array)):
            if np.array_equal(earlier_stamps[: len(path)], path):
                stamps, array = earlier_stamps, earlier
                break
        else:
            step = np.minimum(np.searchsorted(step_timestamp, path), len(step_timestamp) - 1)
            stamps, array = path, np.where(step_timestamp[step] == path, changes[:, step], np.nan)
        arrays.append(array[:, : len(path)])
    return tuple(reversed(arrays))


def _changes(predictor: Observations, known_at: Moments, limit: Moments) -> Values:
    """Return the newest changes (lag, step) among timestamps up to `limit`, as known at `known_at`; both (step,)."""
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
        steps = order[bounds[group] : bounds[group + 1]]
        if len(steps):
            known_count = np.full(len(steps), vintage.size)
            changes[:, steps] = _newest_changes(vintage.stamps, vintage.values, limit[steps], known_count)
    return changes


def _newest_changes(stamps: Moments, values: Values, limit: Moments, known_count: NDArray[np.int64]) -> Values:
    """Return the newest changes (lag, step) among a step's first `known_count` values with timestamps up to `limit`."""
    if not len(values):
        return np.full((LAGS, len(limit)), np.nan)
    count = np.minimum(np.searchsorted(stamps, limit, side="right"), known_count)
    index = count - 1 - np.arange(LAGS)[:, None]
    later, earlier = np.maximum(index, 0), np.maximum(index - 1, 0)
    return np.where(index >= 1, values[later] - values[earlier], np.nan)
