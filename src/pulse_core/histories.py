"""Gather the histories of several variables into arrays that one pass can run over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pulse_core.forecasters.base import Histories
from pulse_core.point_in_time import PointInTime

Positions = NDArray[np.int64]

LARGEST_STRETCH = 1 << 22
"""Values that are laid out at once: 32 MiB."""


def stretches(points: Sequence[PointInTime]) -> Iterator[tuple[Positions, Histories]]:
    """Yield histories side by side, with the positions of their origins among all origins of the points, in order.

    Long and short histories are kept apart, so that little of the arrays is padding. Which histories stand side by
    side changes no bit of what is computed from them.
    """
    paths = [path for point in points for path in point.paths]
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
            Histories(values, lengths[chosen], place[origin_path[origins]], origin_length[origins], exponents[chosen]),
        )


def _shares(lengths: Positions) -> Iterator[Positions]:
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        count = max(1, LARGEST_STRETCH // max(int(lengths[order[first]]), 1))
        yield order[first : first + count]
        first += count
