"""Columns of a run's tables, and the names of the parts that workers write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray


@attrs.frozen(eq=False)
class Labels:
    """A column of names, each written once: row i bears `names[codes[i]]`."""

    names: tuple[str, ...]
    codes: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.codes)


Column = NDArray[Any] | Labels
"""Values of one column: numbers (NaN where there is none), datetime64[us], or labels."""

Columns = Mapping[str, Column]
"""Columns of equal length, by name, in order."""


_CONTENT: Final = re.compile(r"(.+-)[0-9a-f]{32}")


def part_name(table: str, index: int, units: int, content: str) -> str:
    """Return the name of the part of a table that a unit writes; `content` is a hash of 32 digits of what is in it."""
    return f"{table}/part-{index:05}-of-{units:05}-{content}"


def same_unit(name: str) -> str:
    """Return what the names of a unit's parts have in common whatever their content; other names as they are."""
    match = _CONTENT.fullmatch(name)
    return match[1] if match else name


def is_other_content(name: str, other: str) -> bool:
    """Whether another part is that of the same unit, with other content."""
    return other != name and same_unit(other) == same_unit(name) != name
