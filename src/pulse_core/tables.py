"""Tables of a run, column by column, as workers write them part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
