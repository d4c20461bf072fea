"""Gather the histories of several variables into arrays that one pass can run over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pulse_core.data.point_in_time import PointInTime
from pulse_core.forecasters.base import Histories

Positions = NDArray[np.int64]
Values = NDArray[np.float64]

_NONE = np.empty((0, 0, 0))
_NO_CHANGES = np.empty((0, 0))

LARGEST_STRETCH = 1 << 22
"""Values that are laid out at once: 32 MiB."""


def stretches(points: Sequence[PointInTime]) -> Iterator[tuple[Positions, Histories]]:
    """Yield histories side by side, with the positions of their origins among all origins of the points, in order.

    Long and short histories are kept apart, so that little of the arrays is padding. Which histories stand side by
    side changes no bit of what is computed from them.
    """
    paths = [path for point in points for path in point.paths]
    predictors = [changes for point in points for changes in point.predictors or [_NO_CHANGES] * len(point.paths)]
    predicted = any(point.predictors for point in points)
    exponents = np.repeat([point.exponent for point in points], [len(point.paths) for point in points])
    offsets = np.cumsum([0, *(len(point.paths) for point in points)])[:-1]
    origin_path = np.concatenate([point.origin_path + offset for point, offset in zip(points, offsets, strict=True)])
    origin_length = np.concatenate([point.origin_length for point in points])
    lengths = np.array([len(path) for path in paths])
    for chosen in _shares(lengths):
        place = np.full(len(paths), -1)
        place[chosen] = np.arange(len(chosen))
        origins = np.flatnonzero(place[origin_path] >= 0)
        values = np.zeros((int(lengths[chosen].max()), len(chosen)))
        for column, path in enumerate(chosen):
            values[: lengths[path], column] = paths[path]
        yield (
            origins,
            Histories(
                values,
                lengths[chosen],
                place[origin_path[origins]],
                origin_length[origins],
                exponents[chosen],
                _side_by_side([predictors[path] for path in chosen], len(values)) if predicted else _NONE,
            ),
        )


def _side_by_side(predictors: Sequence[Values], times: int) -> Values:
    """Lay the predictors' changes of several paths out; a path whose own variable is a predictor has fewer of them."""
    most = max(len(changes) for changes in predictors)
    laid_out = np.zeros((most, times, len(predictors)))
    for path, changes in enumerate(predictors):
        laid_out[: len(changes), : changes.shape[1], path] = changes
    return laid_out


def of_origins(point: PointInTime, origins: Positions) -> Histories:
    """Return the histories of some of a point's origins, which stay in order; whatever else it knows does not show."""
    used, path = np.unique(point.origin_path[origins], return_inverse=True)
    length = point.origin_length[origins]
    values = np.zeros((int(length.max()), len(used)))
    for column, place in enumerate(used):
        known = point.paths[place][: len(values)]
        values[: len(known), column] = known
    lengths = np.array([min(len(point.paths[place]), len(values)) for place in used])
    return Histories(values, lengths, path, length, np.full(len(used), point.exponent))


def _shares(lengths: Positions) -> Iterator[Positions]:
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        count = max(1, LARGEST_STRETCH // max(int(lengths[order[first]]), 1))
        yield order[first : first + count]
        first += count
