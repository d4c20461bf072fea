"""Bindings: the kernel's functions as typed Python functions. The only module that knows ctypes.

Each function checks dtype, shape and contiguity of its arrays before the call: the kernel itself cannot fail.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.resources import as_file, files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

BASELINE: Final = "kernel_baseline.so"
AVX2: Final = "kernel_avx2.so"


@cache
def library() -> ctypes.CDLL:
    """Return the compiled kernel, in the build that suits this machine."""
    baseline = _open(BASELINE)
    return _open(AVX2) if baseline.pulse_has_avx2() else baseline


def _open(name: str) -> ctypes.CDLL:
    with as_file(files("pulse_core.kernel").joinpath(name)) as path:
        return ctypes.CDLL(str(path))


def count(number: int) -> ctypes.c_int64:
    """Return a number as the kernel's int64_t; a bare Python int would pass as 32 bits."""
    return ctypes.c_int64(number)


def doubles(array: Array, *shape: int) -> ctypes.c_void_p:
    """Return the address of a C-contiguous float64 array of this shape. Raises ValueError for any other."""
    return _address(array, np.float64, shape)


def positions(array: Positions, *shape: int) -> ctypes.c_void_p:
    """Return the address of a C-contiguous int64 array of this shape. Raises ValueError for any other."""
    return _address(array, np.int64, shape)


def _address(array: NDArray[Any], dtype: type, shape: tuple[int, ...]) -> ctypes.c_void_p:
    if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        raise ValueError(f"expected a contiguous array of {dtype.__name__} {shape}, got {array.dtype} {array.shape}")
    return _pointer(array)


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    """Return the address of an array, which lives as long as the address does."""
    address = ctypes.c_void_p(array.ctypes.data)
    address.array = array  # type: ignore[attr-defined]  # as numpy's ndarray.ctypes.data_as does
    return address


def rows(array: Array, height: int, width: int) -> tuple[ctypes.c_void_p, ctypes.c_int64]:
    """Return the address of a float64 array (height, width) whose rows may lie apart, and the doubles between two rows.

    Raises ValueError for any other, also where the numbers of a row are not contiguous.
    """
    step, within = array.strides if array.ndim == 2 else (1, 1)
    contiguous = within == array.itemsize or width == 1
    strided = array.flags.aligned and step >= 0 and step % array.itemsize == 0
    if array.dtype != np.float64 or array.shape != (height, width) or not contiguous or not strided:
        raise ValueError(f"expected rows of float64 ({height}, {width}), got {array.dtype} {array.shape}")
    return _pointer(array), ctypes.c_int64(step // 8)
