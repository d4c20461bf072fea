"""The size of an array: how many jobs share a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pulse_core.errors import SettingsError
from pulse_core.plan import WorkUnit
from pulse_entrypoints.settings.batch import MOST_CHILDREN, SubmitSettings

SECONDS_A_CHILD: Final = 300.0
"""A container takes up to a minute to start: a child should have some more to do than that."""

MOST_UNITS_A_CHILD: Final = 100


def children(units: Sequence[WorkUnit], settings: SubmitSettings) -> int:
    """Return the size of the array; 1 stands for a single job. Raises SettingsError."""
    count = len(units)
    if settings.array_size is not None:
        return _valid_size(settings.array_size, count, settings.units_per_child)
    least = -(-count // (settings.units_per_child or units_a_child(units)))
    if least > MOST_CHILDREN:
        message = f"{count} units make {least} children, and an array has at most {MOST_CHILDREN}"
        raise SettingsError([f"--units-per-child: {message}; name a larger one, or a larger --unit-size"])
    return least


def units_a_child(units: Sequence[WorkUnit]) -> int:
    """Return how many units make some minutes of work."""
    seconds = max((unit.seconds for unit in units), default=0.0)
    many = int(SECONDS_A_CHILD / seconds) if seconds else MOST_UNITS_A_CHILD
    return max(1, min(many, MOST_UNITS_A_CHILD))


def _valid_size(size: int, count: int, limit: int | None) -> int:
    if size > MOST_CHILDREN:
        raise SettingsError([f"--array-size: {size} is more than AWS Batch allows, {MOST_CHILDREN}"])
    if size > count:
        raise SettingsError([f"--array-size: {size} children for {count} units; at most {count}, or a --unit-size"])
    if limit is not None and -(-count // size) > limit:
        raise SettingsError([f"--array-size: {size} children would have {-(-count // size)} units, more than {limit}"])
    return size
