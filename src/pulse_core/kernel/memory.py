"""Memory of the kernel's arrays: they begin where a line of the cache does.

Rows are whole lanes long, so that no lanes lie in two lines: reading and writing such takes twice as long, and numpy's
own arrays begin anywhere.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LINE: Final = 8
"""Numbers in a line of the cache."""

_BLOCK: Final = 1 << 13


def on_lines(*shape: int) -> NDArray[np.float64]:
    """Return a new array, whose numbers are anything."""
    size = math.prod(shape)
    memory = np.empty(size + _LINE)
    first = -memory.ctypes.data // 8 % _LINE
    return memory[first : first + size].reshape(shape)


class Memory:
    """What many small arrays are parts of, one after another."""

    def __init__(self) -> None:
        self._rest = np.empty(0)

    def full(self, *shape: int, value: float = 0.0) -> NDArray[np.float64]:
        """Return a new array of one number."""
        size = math.prod(shape)
        if size > len(self._rest):
            self._rest = on_lines(max(size, _BLOCK))
        array = self._rest[:size]
        self._rest = self._rest[-(-size // _LINE) * _LINE :]
        array.fill(value)
        return array.reshape(shape)

    def integers(self, *shape: int) -> NDArray[np.int64]:
        """Return a new array of zeros."""
        return self.full(*shape).view(np.int64)
