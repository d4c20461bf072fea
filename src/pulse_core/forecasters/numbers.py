"""Numbers that foreign code returns: what numpy would turn into other ones without a word is refused."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import Any, Final

import numpy as np

from pulse_core.forecasters.base import Values

_REFUSED: Final = {
    "c": "complex numbers, whose imaginary part would be lost",
    "b": "truth values",
    "U": "texts",
    "S": "bytes",
    "M": "times",
    "m": "durations",
}
"""Kinds of numpy that it converts to floating point, or would parse."""


def real_numbers(result: Any) -> Values:
    """Return an array, or nested sequences, of real numbers as float64; None in a sequence is a missing one.

    Raises TypeError for what is none, ValueError for masked arrays and rows of different lengths.
    """
    if _is_masked(result):
        raise ValueError("masked values, which would be taken for what lies behind the mask; fill them with NaN")
    array = np.asarray(result)
    if array.dtype.kind in _REFUSED:
        raise TypeError(_REFUSED[array.dtype.kind])
    if array.dtype.kind == "O":
        for element in array.flat:
            if not isinstance(element, Real | Decimal | None) or isinstance(element, bool | np.bool):
                raise TypeError(f"a value is of type {type(element).__name__}")
    return np.asarray(array, dtype=np.float64)


def _is_masked(result: Any) -> bool:
    """Whether an array, or one among the rows of a sequence, has a mask, be it empty."""
    if isinstance(result, Sequence) and not isinstance(result, str | bytes):
        return any(_is_masked(row) for row in result)
    return isinstance(result, np.ma.MaskedArray)
