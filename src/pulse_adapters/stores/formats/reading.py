"""Readings: what the user says of how files are to be read, where columns and cells have more than one meaning."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

import attrs

ROLES: Final = ("timestamp", "value", "known_at", "variable")
"""What a column can be to Pulse."""


def _pairs(columns: Mapping[str, str] | tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(columns.items()) if isinstance(columns, Mapping) else tuple(columns)


@attrs.frozen
class Reading:
    """How a file is to be read; None where its own cells must decide.

    `columns` are pairs of a role and the name of the column that has it; `value` may be there more than once.
    `date_format` is one of strptime. `decimal` and `thousands` are the marks in numbers. `time_zone` is that of times
    without an offset from UTC.
    """

    columns: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    date_format: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    time_zone: str | None = None

    def of_role(self, role: str) -> tuple[str, ...]:
        """Return the names of the columns that are said to have a role."""
        return tuple(name for one, name in self.columns if one == role)

    def over(self, other: Reading) -> Reading:
        """Return this reading, with what it leaves open taken from another."""
        mine = {field.name: getattr(self, field.name) for field in attrs.fields(Reading)}
        return attrs.evolve(other, **{name: value for name, value in mine.items() if value})

    def token(self) -> str:
        """Return a text that differs where the same bytes may be read differently; '' where all is left open."""
        if self == Reading():
            return ""
        return " read " + hashlib.sha256(repr(attrs.astuple(self)).encode()).hexdigest()[:16]


@attrs.frozen
class Readings:
    """The reading of each file by its name: those of the patterns that fit, earlier ones first, over the default."""

    default: Reading = Reading()
    patterns: tuple[tuple[str, Reading], ...] = ()

    def of(self, file_name: str) -> Reading:
        """Return the reading of a file; a pattern is one of the shell, such as `*.csv`."""
        result = self.default
        for pattern, reading in reversed(self.patterns):
            if fnmatchcase(file_name, pattern):
                result = reading.over(result)
        return result


AS_IT_IS: Final = Readings()
"""Nothing is said of any file."""
