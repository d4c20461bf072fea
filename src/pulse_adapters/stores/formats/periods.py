"""Periods of pandas: whole numbers of months, quarters and so on since 1970, as the days on which they begin."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pulse_adapters.stores.formats.arrow_cells import WrongType

_UNITS: Final = {"M": "M", "ME": "M", "D": "D", "h": "h", "H": "h", "min": "m"}
"""The unit of numpy that a frequency counts in."""


def period_starts_of(column: Any, frequency: str) -> Any:
    """Return an Arrow column of days from one of periods as numbers. Raises WrongType for other frequencies."""
    import pyarrow as pa

    numbers = np.array(column.to_pylist(), dtype=np.int64)
    return pa.chunked_array([pa.array(_starts(numbers, frequency).astype("datetime64[us]"))])


def _starts(numbers: np.ndarray, frequency: str) -> np.ndarray:
    base, _, anchor = frequency.partition("-")
    if base in ("Q", "QE") and anchor in ("", "DEC"):
        return (3 * numbers).astype("datetime64[M]")
    if base in ("A", "Y", "YE") and anchor in ("", "DEC"):
        return numbers.astype("datetime64[Y]")
    if base == "W":
        weekday = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT").index(anchor or "SUN")
        # week 1 of pandas holds the first days of 1970 up to the anchor's day; a week begins six days before its end
        return (7 * (numbers - 1) + weekday - 3).astype("datetime64[D]")
    if base in _UNITS:
        return numbers.astype(f"datetime64[{_UNITS[base]}]")
    raise WrongType
