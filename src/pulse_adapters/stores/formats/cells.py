"""Conversion of one cell, a text or a plain Python value, into a moment or a number; a ValueError describes a fault."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import Literal

TimeKind = Literal["day", "with offset", "without offset"]
"""What the text of a moment is: a day or month, or a time of day with or without its offset from UTC."""

NOT_A_TIME = -(2**63)
"""numpy's NaT as an integer."""

ABSENT_TEXTS = ("", ".", *(
    "".join(letters) for word in ("na", "nan") for letters in product(*((c, c.upper()) for c in word))
))  # fmt: skip
"""Texts for an absent observation: blank, a dot, NA and NaN in any case."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = 40

_MOMENT = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)"
    r"(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,6})(\d*))?)?)?"
    r"(?:(Z)|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)?)?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_ABSENT = frozenset(ABSENT_TEXTS)


def moment(cell: object) -> int:
    """Return an ISO date or date-time as microseconds since 1970, UTC unless it bears an offset.

    A month (`2000-01`) is its first day.
    """
    return moment_and_kind(cell)[0]


def moment_and_kind(cell: object) -> tuple[int, TimeKind]:
    """Return the microseconds since 1970 of `moment`, and whether the cell is a day or has an offset from UTC."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        raise ValueError("is missing")
    if not isinstance(cell, str):
        raise ValueError(f"{quoted_text(cell)} is no ISO date")
    return _moment(cell.strip())


def number(cell: object) -> float:
    """Return the nearest float64 of a decimal number, NaN where the observation is absent."""
    if cell is None:
        return math.nan
    if isinstance(cell, str):
        return _number(cell.strip())
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise ValueError(f"{quoted_text(cell)} is no number")
    return _finite(float(cell), cell)


def quoted_text(cell: object) -> str:
    """Return a cell for a message: quoted, control characters escaped, cut to 40 characters."""
    text = repr(cell)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


@lru_cache(maxsize=2**15)
def _moment(text: str) -> tuple[int, TimeKind]:
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(f"{quoted_text(text)} is no ISO date")
    kind: TimeKind = "day" if match[4] is None else "with offset" if match[9] or match[10] else "without offset"
    *clock, fraction, finer, _zulu, sign, hours, minutes = match.groups(default="0")
    if finer.strip("0"):
        raise ValueError(f"{quoted_text(text)} is finer than a microsecond: at most six digits, then zeros")
    try:
        year, month, day, hour, minute, second = map(int, clock)
        local = datetime(year, month, day if match[3] else 1, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"{quoted_text(text)} is no date: {error}") from error
    east = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    try:
        return (local - east - _EPOCH) // _MICROSECOND + int(fraction.ljust(6, "0")), kind
    except OverflowError as error:
        raise ValueError(f"{quoted_text(text)} is outside the years 1 to 9999") from error


def _number(text: str) -> float:
    if text in _ABSENT:
        return math.nan
    if _NUMBER.fullmatch(text):
        return _finite(float(text), text)
    if text.lstrip("+-").lower() in ("inf", "infinity"):
        raise ValueError(f"{quoted_text(text)} is infinite")
    raise ValueError(f"{quoted_text(text)} is no number")


def _finite(value: float, cell: object) -> float:
    if math.isinf(value):
        raise ValueError(f"{quoted_text(cell)} is {'infinite' if cell == value else 'too large for a float64'}")
    return value
