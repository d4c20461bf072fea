"""Reader of small CSV files of days and numbers alone: for them the quick reader takes longer to start than to read.

It reads what it reads to the same bits as the other readers of CSV, and leaves everything else to them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_adapters.stores.formats.table import Table
from pulse_core.data.observations import Moments

LONGEST: Final = 2**15
"""Bytes of a file above which the quick reader is quicker."""

_HEADER: Final = b"timestamp,value\n"
_DAY: Final = 10
_LEAST: Final = np.frombuffer(b"0000-00-00,", np.uint8)
_MOST: Final = np.frombuffer(b"9999-19-39,", np.uint8)
_FIRST_DAY: Final = np.datetime64("0001-01-01", "us")
_NUMBER_CHARACTERS: Final = b"0123456789.+-eE"


def read_plain(content: bytes) -> Table | None:
    """Return the table of lines such as `2020-01-31,1.5` under `timestamp,value`; None for any other file."""
    if len(content) > LONGEST or not content.startswith(_HEADER) or not content.isascii():
        return None
    lines = content[len(_HEADER) :].removesuffix(b"\n").split(b"\n")
    days, cells = b"".join([line[: _DAY + 1] for line in lines]), [line[_DAY + 1 :] for line in lines]
    if len(days) != (_DAY + 1) * len(lines) or b"".join(cells).translate(None, _NUMBER_CHARACTERS):
        return None
    try:
        values = np.array([float(cell or b"nan") for cell in cells])
    except ValueError:
        return None
    timestamps = _days(np.frombuffer(days, np.uint8).reshape(-1, _DAY + 1))
    if timestamps is None or np.isinf(values).any():
        return None
    return Table(timestamps, values, None, np.arange(2, len(lines) + 2))


def _days(text: NDArray[np.uint8]) -> Moments | None:
    """Return the days that begin the lines (line, character), followed by a comma; None where one is no day."""
    if ((text < _LEAST) | (text > _MOST)).any():
        return None
    try:
        days = text[:, :_DAY].copy().view("S10").astype("U10").astype("datetime64[us]").ravel()
    except ValueError:  # the 30th of February
        return None
    return days if (days >= _FIRST_DAY).all() else None
