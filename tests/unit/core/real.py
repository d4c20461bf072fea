"""Real series for the suites, from the sample in the wheel."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import attrs
import numpy as np

from pulse_core import Observations


@cache
def real_series(variable: str, first: int = 0, count: int | None = None) -> Observations:
    """`count` rows of a sample series from row `first` on."""
    lines = (files("pulse_adapters") / "sample" / f"{variable}.csv").read_text(encoding="utf-8").split()[1:]
    rows = [line.split(",") for line in lines][first : None if count is None else first + count]
    stamps = np.array([stamp for stamp, _ in rows], dtype="datetime64[us]")
    return Observations(variable, stamps, [float(value) for _, value in rows])


def released_late(observations: Observations, seed: int = 1) -> Observations:
    """The same series as if each value came days later, some in bulk, and was revised once or twice."""
    generator = np.random.default_rng(seed)
    day = np.timedelta64(1, "D")
    stamps, numbers, moments = [], [], []
    for stamp, value in zip(observations.timestamps, observations.values, strict=True):
        release = stamp + int(generator.integers(1, 4)) * day
        for revision in range(int(generator.integers(1, 4))):
            stamps.append(stamp)
            numbers.append(float(value) * (1 + 0.01 * float(generator.normal()) * (revision > 0)))
            moments.append(release)
            release = release + int(generator.integers(5, 40)) * day
    return attrs.evolve(observations, timestamps=stamps, values=numbers, known_at=moments)
