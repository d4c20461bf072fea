"""Columns of a run's tables, and the names of the parts that workers write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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

_HASH_DIGITS: Final = 32
_FULL_NAME: Final = re.compile(rf".+-[0-9a-f]{{{_HASH_DIGITS}}}")


@attrs.frozen
class PartFacts:
    """A part of a run's table: its full name, what is in it, and how its bytes are checked.

    The name ends in the first 32 digits of `sha256`. `content` is a hash of the keys of the records that the rows are
    made of, see runs.keys.content_key; the unit that wrote the part sets it. `bytes` is the part's size. `first` and
    `last` are the ends of the range of its variables' names: who looks for one need not open every part.
    """

    name: str
    content: str
    rows: int
    bytes: int
    sha256: str
    first: str = ""
    last: str = ""

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.name.partition("/")[0]


def name_range(rows: Iterable[Columns]) -> tuple[str, str]:
    """Return the first and the last by name of the variables that occur in rows; empty without a column of them."""
    names: set[str] = set()
    for columns in rows:
        column = columns.get("variable")
        if isinstance(column, Labels):
            names.update(column.names[code] for code in np.unique(column.codes).tolist())
    return (min(names), max(names)) if names else ("", "")


def part_name(table: str, index: int, units: int) -> str:
    """Return the name of the part of a table that a unit writes, without the hash of its bytes."""
    return f"{table}/part-{index:05}-of-{units:05}"


def full_part_name(name: str, sha256: str) -> str:
    """Return the name of a part with these bytes."""
    return f"{name}-{sha256[:_HASH_DIGITS]}"


def is_part_of(name: str, full_name: str) -> bool:
    """Whether a part with this full name was written under this name, whatever its bytes."""
    return _FULL_NAME.fullmatch(full_name) is not None and full_name[: -_HASH_DIGITS - 1] == name
