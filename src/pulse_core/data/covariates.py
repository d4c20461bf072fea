"""What was known of other variables when each row of a history came: point in time, row by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pulse_core.data.observations import Moments, Observations, Values
from pulse_core.data.vintages import Vintage, groups, timeline

LAGS = 2
"""How many changes of each predictor a row sees."""


def recent_changes(
    stamps: Moments, step_timestamp: Moments, step_known_at: Moments, predictors: Sequence[Observations]
) -> Values:
    """Return the newest changes of each predictor at each row of a history; (predictor x lag, row), NaN if unknown.

    A row sees what was known when its own timestamp was first released. Of rows that were released together, the newest
    sees all of that; the older ones see it as far back as they are themselves, so that history loaded at once does not
    see the end of it everywhere. A row filled in later, which was never newest, sees nothing.
    """
    place = np.minimum(np.searchsorted(step_timestamp, stamps), len(step_timestamp) - 1)
    is_step = step_timestamp[place] == stamps
    known_at = step_known_at[place]
    newest = step_timestamp[np.searchsorted(step_known_at, known_at, side="right") - 1]
    limit = stamps + (known_at - newest)
    seen = [_changes(predictor, known_at, limit) for predictor in predictors]
    return np.where(is_step, np.concatenate(seen), np.nan) if seen else np.empty((0, len(stamps)))


def _changes(predictor: Observations, known_at: Moments, limit: Moments) -> Values:
    """Return the newest changes (lag, row) among timestamps up to `limit`, as known at `known_at`; both (row,)."""
    times = timeline(predictor)
    if times.is_step.all():
        return _among(
            predictor.timestamps, predictor.values, limit, np.searchsorted(predictor.releases, known_at, "right")
        )
    changes = np.full((LAGS, len(known_at)), np.nan)
    vintage = Vintage(int(times.distinct[-1]))
    moments = predictor.releases[times.ends - 1]
    first_asked = np.searchsorted(moments, known_at, side="right") - 1
    order = np.argsort(first_asked, kind="stable")
    bounds = np.searchsorted(first_asked[order], np.arange(len(moments) + 1))
    for group, rows in enumerate(groups(times)):
        fresh = times.is_step[rows]
        vintage.revise(predictor.timestamps[rows][~fresh], predictor.values[rows][~fresh])
        vintage.extend(predictor.timestamps[rows][fresh], predictor.values[rows][fresh])
        asked = order[bounds[group] : bounds[group + 1]]
        if len(asked):
            all_known = np.full(len(asked), vintage.size)
            changes[:, asked] = _among(vintage.stamps, vintage.values, limit[asked], all_known)
    return changes


def _among(stamps: Moments, values: Values, limit: Moments, known: NDArray[np.int64]) -> Values:
    """Return the newest changes among the first `known` values whose timestamps are not after `limit`."""
    count = np.minimum(np.searchsorted(stamps, limit, side="right"), known)
    changes = np.append(np.nan, np.diff(values))
    places = count - 1 - np.arange(LAGS)[:, None]
    return np.where(places >= 1, changes[np.maximum(places, 0)], np.nan)
