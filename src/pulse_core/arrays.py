"""Arrays of the core: converters to read-only arrays, for fields of frozen classes."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from typing import Any, Final, TypeGuard, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = TypeVar("Float", np.float64, np.float32)

_LARGEST_EXPONENT: Final = 960
"""Of values below 2**960, differences and the sum of 2**60 are below 2**1024, the end of a float64."""


def floats(values: ArrayLike) -> NDArray[np.float64]:
    """Return a read-only float64 copy; what nobody can write to any more is returned as it is."""
    return _frozen(values, "float64")


def integers(values: ArrayLike) -> NDArray[np.int64]:
    """Return a read-only int64 copy, or the same as `floats`."""
    return _frozen(values, "int64")


def singles(values: ArrayLike) -> NDArray[np.float32]:
    """Return a read-only float32 copy, or the same as `floats`."""
    return _frozen(values, "float32")


def counts(values: ArrayLike) -> NDArray[np.int32]:
    """Return a read-only int32 copy, or the same as `floats`."""
    return _frozen(values, "int32")


def views(arrays: Iterable[ArrayLike]) -> tuple[NDArray[np.float64], ...]:
    """Return read-only views of contiguous float64 arrays, which their owner can still write to; copies of others."""
    return tuple(_view(values) for values in arrays)


def strided_views(arrays: Iterable[NDArray[np.float64]]) -> tuple[NDArray[np.float64], ...]:
    """Return read-only views of float64 arrays, of which some may be parts of one."""
    return tuple(frozen(np.asarray(values, dtype=np.float64).view()) for values in arrays)


def moments(values: ArrayLike) -> NDArray[np.datetime64]:
    """Return a read-only datetime64[us] copy, or the same as `floats`."""
    return _frozen(values, "datetime64[us]")


def optional_moments(values: ArrayLike | None) -> NDArray[np.datetime64] | None:
    """Return a read-only datetime64[us] copy, or None as it is."""
    return None if values is None else moments(values)


def moment_text(moment: np.datetime64) -> str:
    """Return a moment for people: a day where it is midnight, and no fraction of a second where it has none."""
    return str(moment.astype("datetime64[us]")).removesuffix(".000000").removesuffix("T00:00:00")


def names(values: Iterable[str]) -> tuple[str, ...]:
    """Return strings as a tuple. Raises TypeError for a single string."""
    if isinstance(values, str):
        raise TypeError(f"expected several names, got the text {values!r}")
    return tuple(values)


def normal_form(name: str) -> str:
    """Return a name in Unicode normal form C: names that look alike are one, however they were typed."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def variable_names(values: Iterable[str]) -> tuple[str, ...]:
    """Return the names of variables in normal form. Raises TypeError for a single string."""
    return tuple(normal_form(name) if isinstance(name, str) else name for name in names(values))


def finite_or_nan(values: NDArray[Float]) -> NDArray[Float]:
    """Return values with NaN in place of those that are not finite."""
    return np.where(np.isfinite(values), values, values.dtype.type(np.nan))


def in_units(values: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    """Return values times 2**exponent; NaN for what is beyond the range of a float64."""
    with np.errstate(over="ignore"):
        return finite_or_nan(np.ldexp(values, exponent))


def ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numerator / denominator; NaN where the denominator is not above 0 or the ratio is not finite."""
    with np.errstate(all="ignore"):
        return finite_or_nan(np.where(denominator > 0, numerator / denominator, np.nan))


def finite_difference(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return left - right; NaN for what is not finite or beyond the range of a float64."""
    with np.errstate(over="ignore", invalid="ignore"):
        return finite_or_nan(left - right)


def excess_exponent(*arrays: NDArray[np.float64]) -> int:
    """Return by which power of two to divide, so that differences and long sums of these values stay finite.

    It is 0 for all but the largest values, so that ordinary ones keep their bits. Values that are not finite are none.
    """
    largest = max((float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) for values in arrays), default=0.0)
    return max(0, math.frexp(largest)[1] - _LARGEST_EXPONENT)


def frozen(values: NDArray[Any]) -> NDArray[Any]:
    """Return an array that nobody else writes to as a read-only one, which the converters take without a copy."""
    values.flags.writeable = False
    return values


def is_frozen(values: object) -> TypeGuard[NDArray[Any]]:
    """Whether it is a read-only array, and a part of none that can be written to."""
    if type(values) is not np.ndarray or values.flags.writeable:
        return False
    return values.flags.owndata or is_frozen(values.base)


def _view(values: ArrayLike) -> NDArray[np.float64]:
    if type(values) is not np.ndarray or values.dtype != "float64" or not values.flags.c_contiguous:
        return floats(values)
    return frozen(values.view()) if values.flags.writeable else values


def _frozen(values: ArrayLike, dtype: str) -> NDArray[Any]:
    if is_frozen(values) and values.flags.c_contiguous and values.dtype == dtype:
        return values
    array = np.array(values, dtype=dtype, order="C")
    array.flags.writeable = False
    return array
