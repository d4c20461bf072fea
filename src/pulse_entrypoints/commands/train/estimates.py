"""Estimates of the time and memory of a run, from figures that were measured: orders of magnitude, not promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from pulse_core.plan import WorkUnit
from pulse_core.runs.units import MOST_ORIGINS
from pulse_core.spec import RunSpec

BYTES_A_ROW: Final[Mapping[str, float]] = {
    ".csv": 22.0,
    ".csv.gz": 7.0,
    ".parquet": 9.0,
    ".parquet.gz": 8.0,
    ".jsonl": 55.0,
    ".jsonl.gz": 9.0,
}
"""Bytes of a row by the ending of its file, with a timestamp and a value; a third more with `known_at`."""

SECONDS_A_STEP: Final = 7e-4
"""Seconds of a unit for each timestamp, however many variables it has. Measured, as the others, at 2 to 3 GHz."""

SECONDS_A_FORECAST: Final = (1.5e-6, 1.2e-6)
"""Seconds of a row and forecaster: once, and for each step ahead."""

SECONDS_A_CALL: Final = 0.05
"""Seconds of a fit by a forecaster per origin: AutoETS takes 48 ms, AutoARIMA 145 ms."""

START: Final = 1.5
"""Seconds until the first worker is ready."""

BYTES_A_PROCESS: Final = 65 * 2**20
BYTES_A_FORECAST: Final = 57


@attrs.frozen
class Estimate:
    """The `rows` of a run, its `seconds` with so many `workers`, and the bytes of `memory` of each worker."""

    rows: int
    seconds: float
    memory: int
    workers: int


def rows_in(sizes: Mapping[str, int]) -> int:
    """Return about how many rows files of these names and bytes hold."""
    return round(sum(size / _bytes_a_row(name) for name, size in sizes.items()))


def estimate(spec: RunSpec, per_origin: int, units: Sequence[WorkUnit], rows: int, workers: int) -> Estimate:
    """Return the estimate of a run over so many rows; `per_origin` of its forecasters are fitted at each origin."""
    forecasters = len(spec.roster)
    length = rows / max(len(spec.variables), 1)
    once, ahead = SECONDS_A_FORECAST
    walked = len(units) * length * SECONDS_A_STEP + rows * forecasters * (once + ahead * spec.horizon)
    called = per_origin * rows / spec.refit_every * SECONDS_A_CALL
    largest = max((len(unit.variables) for unit in units), default=1) * length
    cells = min(largest, MOST_ORIGINS) * forecasters * spec.horizon
    busy = max(1, min(workers, len(units) if not per_origin else workers))
    return Estimate(
        rows=rows,
        seconds=START + (walked + called) / busy,
        memory=round(BYTES_A_PROCESS + cells * BYTES_A_FORECAST),
        workers=busy,
    )


def _bytes_a_row(name: str) -> float:
    suffixes = sorted(BYTES_A_ROW, key=len, reverse=True)
    return next((BYTES_A_ROW[suffix] for suffix in suffixes if name.endswith(suffix)), BYTES_A_ROW[".csv"])
