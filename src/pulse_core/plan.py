"""The plan of a run: batches (windows of the period) and work units (shares of the variables), in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import names
from pulse_core.errors import SettingsError
from pulse_core.spec import RunSpec

LARGEST_DEFAULT_UNIT: Final = 64
"""The variables that a unit has at most by default."""

LONGEST_DEFAULT_UNIT: Final = 10.0
"""The seconds that a unit takes by default, roughly, with more than one variable: what is lost when it is killed."""

MOST_BATCH_UNITS: Final = 1024
"""Units that forecasters called origin by origin are shared in while a unit has one batch; more share as evenly."""

UNIT_BYTES: Final = 2**26
"""Bytes of the batches of a unit, which are in memory until their table is written, with more than one variable."""

_CELL_BYTES: Final = 32
"""Bytes of a batch of a forecaster at a horizon, see results.VariableBatches."""


@attrs.frozen
class Batch:
    """One window of the period; `start` and `end` are days, both included."""

    index: int
    start: date
    end: date

    @property
    def id(self) -> str:
        """The batch's name in results."""
        return f"batch_{self.index:04d}"


@attrs.frozen
class WorkUnit:
    """A share of the variables that a worker computes in one attempt; no result depends on the shares.

    `seconds` is a rough estimate on one core, from which a backend may decide whether more processes pay. A unit with
    `batches`, their indexes, makes the hindcasts of one variable in these by forecasters that are called origin by
    origin; the unit without batches then reads these hindcasts. A unit is `first` where its backend knows that the run
    tries it for the first time, so that nobody has stored anything of it since the run began.
    """

    index: int
    variables: tuple[str, ...] = attrs.field(converter=names)
    seconds: float = 0.0
    batches: tuple[int, ...] = ()
    first: bool = attrs.field(default=False, eq=False)


@attrs.frozen
class Slice:
    """Share `index` (from 0) of `count`: one child of an array job."""

    index: int
    count: int

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise SettingsError([f"slice {self.index}/{self.count}: expected I/N with 0 <= I < N"])


def batches(spec: RunSpec) -> tuple[Batch, ...]:
    """Return the windows of `batch_size_days` that tile the period; the last may be shorter."""
    return _windows(spec.start.toordinal(), spec.last_day.toordinal(), spec.batch_size_days)


@lru_cache(maxsize=4)  # asked for several times by a run, and again by each unit
def _windows(first: int, last: int, size: int) -> tuple[Batch, ...]:
    return tuple(
        Batch(index, date.fromordinal(start), date.fromordinal(min(start + size - 1, last)))
        for index, start in enumerate(range(first, last + 1, size))
    )


def batch_count(spec: RunSpec) -> int:
    """Return the number of batches."""
    return -(-_days(spec) // spec.batch_size_days)


def batch_index(spec: RunSpec, moments: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return the batch each moment falls in; negative before the period."""
    days = moments.astype("datetime64[D]") - np.datetime64(spec.start, "D")
    return np.asarray(days.astype(np.int64) // spec.batch_size_days, dtype=np.int64)


@attrs.frozen
class Workload:
    """The cost of a run's forecasters for one origin of one variable, in seconds on one core, roughly.

    `built_in` is the cost of forecasters that compute all origins in one pass, `per_origin` that of forecasters called
    origin by origin, None where a run has none.
    """

    built_in: float
    per_origin: float | None = None


def work_units(spec: RunSpec, workload: Workload, unit_size: int | None = None) -> tuple[WorkUnit, ...]:
    """Cut the variables, in name order, into units of `unit_size` (by default one that fits their number)."""
    ordered = sorted(spec.variables)
    size = unit_size if unit_size is not None else default_unit_size(spec, workload)
    if size < 1:
        raise SettingsError([f"unit_size: {size} must be a whole number of at least 1"])
    shares = [tuple(ordered[first : first + size]) for first in range(0, len(ordered), size)]
    seconds = _days(spec) * (workload.built_in + (workload.per_origin or 0.0))
    return tuple(WorkUnit(index, share, len(share) * seconds) for index, share in enumerate(shares))


def batch_units(spec: RunSpec, workload: Workload) -> tuple[WorkUnit, ...]:
    """Return a unit for every variable and batch, for the forecasters that are called origin by origin.

    Where these were more than MOST_BATCH_UNITS, a unit has several batches in a row, as many as are done in
    LONGEST_DEFAULT_UNIT at most: each unit reads its variable, and of rare observations most batches are empty.
    """
    count, seconds = batch_count(spec), min(spec.batch_size_days, _days(spec)) * (workload.per_origin or 0.0)
    in_time = int(LONGEST_DEFAULT_UNIT / seconds) if seconds else count
    size = max(1, min(-(-count * len(spec.variables) // MOST_BATCH_UNITS), in_time))
    runs = [tuple(range(first, min(first + size, count))) for first in range(0, count, size)]
    pairs = [(name, run) for name in sorted(spec.variables) for run in runs]
    return tuple(WorkUnit(index, (name,), len(run) * seconds, run) for index, (name, run) in enumerate(pairs))


def default_unit_size(spec: RunSpec, workload: Workload) -> int:
    """Return the number of variables of a unit by default; it depends on the spec and the forecasters alone.

    All variables make one unit while it is no larger than the largest, because each unit has a cost of its own; more
    variables make units of even size, of what is done in LONGEST_DEFAULT_UNIT and fits in memory with an origin in
    every batch. With a forecaster that is called origin by origin each variable is a unit.
    """
    if workload.per_origin is not None:
        return 1
    cells = batch_count(spec) * spec.horizon * len(spec.forecasters)
    in_memory = max(1, UNIT_BYTES // (cells * _CELL_BYTES))
    units = -(-len(spec.variables) // min(variables_at_once(spec, workload), in_memory))
    return -(-len(spec.variables) // units)


def variables_at_once(spec: RunSpec, workload: Workload) -> int:
    """Return how many variables are done before they are stored: some seconds of work."""
    seconds = _days(spec) * (workload.built_in + (workload.per_origin or 0.0))
    in_time = int(LONGEST_DEFAULT_UNIT / seconds) if seconds else LARGEST_DEFAULT_UNIT
    return max(1, min(LARGEST_DEFAULT_UNIT, in_time))


def _days(spec: RunSpec) -> int:
    return (spec.last_day - spec.start).days + 1


def take(units: Sequence[WorkUnit], share: Slice | None) -> tuple[WorkUnit, ...]:
    """Return the units of one slice: every `count`-th, from `index` on."""
    return tuple(units) if share is None else tuple(units[share.index :: share.count])
