"""Short random walks, and the histories of their origins."""

from __future__ import annotations

import numpy as np

from pulse_core.forecasters.base import Histories, Values


def walk(length: int, seed: int = 0) -> Values:
    return 100 + np.cumsum(np.random.default_rng(seed).normal(size=length))


def histories(*paths: Values, first: int = 30, exponent: int = 7) -> Histories:
    """Every length from `first` on is an origin of each path; the values are scaled as the core scales them."""
    origins = [(number, length) for number, path in enumerate(paths) for length in range(first, len(path) + 1)]
    origin_path, origin_length = np.array(origins).T.copy()
    return Histories(tuple(np.ldexp(path, -exponent) for path in paths), origin_path, origin_length, exponent)


def in_units(forecasts: Values, exponent: int = 7) -> Values:
    return np.asarray(np.ldexp(forecasts, exponent))
