"""From a RunSpec to batches (windows of the period) and work units (shares of the variables), in one fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import names
from pulse_core.errors import SettingsError
from pulse_core.spec import OWN_QUANTILES, RunSpec

LARGEST_DEFAULT_UNIT = 64

SECONDS_BUILT_IN = 0.01
SECONDS_OWN = 3.0
"""What a variable takes with a built-in forecaster, and with one that is called origin by origin: their order."""


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
    """A share of the variables: what one worker does in one go. Only scheduling; no number depends on it.

    `seconds` is a rough estimate on one core, by which an engine may tell whether more processes pay. A unit with a
    `batch` makes the hindcasts of slow forecasters in that batch; the variable's own unit then reads them.
    """

    index: int
    variables: tuple[str, ...] = attrs.field(converter=names)
    seconds: float = 0.0
    batch: int | None = None


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
    size, first, last = spec.batch_size_days, spec.start.toordinal(), spec.last_day.toordinal()
    return tuple(
        Batch(index, date.fromordinal(start), date.fromordinal(min(start + size - 1, last)))
        for index, start in enumerate(range(first, last + 1, size))
    )


def batch_count(spec: RunSpec) -> int:
    """Return how many batches there are."""
    return -(-((spec.last_day - spec.start).days + 1) // spec.batch_size_days)


def batch_index(spec: RunSpec, moments: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return the batch each moment falls in; negative before the period."""
    days = moments.astype("datetime64[D]") - np.datetime64(spec.start, "D")
    return np.asarray(days.astype(np.int64) // spec.batch_size_days, dtype=np.int64)


def work_units(spec: RunSpec, unit_size: int | None = None) -> tuple[WorkUnit, ...]:
    """Cut the variables, in name order, into units of `unit_size` (by default one that fits their number)."""
    ordered = sorted(spec.variables)
    size = unit_size if unit_size is not None else default_unit_size(spec)
    if size < 1:
        raise SettingsError([f"unit_size: {size} must be a whole number of at least 1"])
    shares = [tuple(ordered[first : first + size]) for first in range(0, len(ordered), size)]
    return tuple(WorkUnit(index, share, len(share) * _seconds(spec)) for index, share in enumerate(shares))


def batch_units(spec: RunSpec) -> tuple[WorkUnit, ...]:
    """Return a unit for every variable and batch: the share of the work of forecasters that are slow per origin."""
    pairs = [(name, batch.index) for name in sorted(spec.variables) for batch in batches(spec)]
    return tuple(WorkUnit(index, (name,), SECONDS_OWN, batch) for index, (name, batch) in enumerate(pairs))


def default_unit_size(spec: RunSpec) -> int:
    """Return how many variables a unit holds when nothing is said; depends on the spec alone.

    Up to the largest unit all variables go together, because a pass over two costs little more than over one;
    above it, units are of even size. With a forecaster of the user's own, which is called origin by origin, each
    variable is a unit: nothing is gained by company, and more is finished when a run is interrupted.
    """
    if _own_forecasters(spec):
        return 1
    units = -(-len(spec.variables) // LARGEST_DEFAULT_UNIT)
    return -(-len(spec.variables) // units)


def _seconds(spec: RunSpec) -> float:
    own = _own_forecasters(spec)
    return SECONDS_BUILT_IN * (len(spec.roster) - own) + SECONDS_OWN * own


def _own_forecasters(spec: RunSpec) -> int:
    return sum(":" in name and not name.endswith(OWN_QUANTILES) for name in spec.roster)


def take(units: Sequence[WorkUnit], share: Slice | None) -> tuple[WorkUnit, ...]:
    """Return the units of one slice: every `count`-th, from `index` on."""
    return tuple(units) if share is None else tuple(units[share.index :: share.count])
