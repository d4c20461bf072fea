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

from pulse_core.errors import KernelUnavailable
from pulse_core.kernel.sources import digest

Array = NDArray[np.float64]
Positions = NDArray[np.int64]

BASELINE: Final = "kernel_baseline.so"
AVX2: Final = "kernel_avx2.so"
HINT_BUILD: Final = "Install Pulse anew, in a clone by `make run` or `pip install --editable .`, which compiles it"


@cache
def library() -> ctypes.CDLL:
    """Return the compiled kernel, in the build that suits this machine. Raises KernelUnavailable."""
    baseline = _open(BASELINE)
    return _open(AVX2) if baseline.pulse_has_avx2() else baseline


def _open(name: str) -> ctypes.CDLL:
    folder = files("pulse_core.kernel")
    resource = folder.joinpath(name)
    if not resource.is_file():
        raise KernelUnavailable("the compiled kernel is missing", name, HINT_BUILD)
    try:
        with as_file(resource) as path:
            kernel = ctypes.CDLL(str(path))
    except OSError as error:
        raise KernelUnavailable(f"the compiled kernel cannot be loaded ({error})", name, HINT_BUILD) from error
    sources = digest(folder)
    if sources and _built_from(kernel) != sources:
        raise KernelUnavailable("the compiled kernel is older than its sources", name, HINT_BUILD)
    return kernel


def _built_from(kernel: ctypes.CDLL) -> str:
    kernel.pulse_sources.restype = ctypes.c_char_p
    return bytes(kernel.pulse_sources()).decode()


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
    return ctypes.c_void_p(array.ctypes.data)
