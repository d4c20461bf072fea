"""Data as a caller has them: DataFrames become a store, anything else is a location or a store already."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pulse_adapters.stores.frames import FrameStore
from pulse_core.errors import SettingsError
from pulse_core.ports import DataStore

if TYPE_CHECKING:
    Data: TypeAlias = Any
else:
    Data = Any

IN_MEMORY: Final = "data in memory"
"""What stands for the location of data that have none."""


def data_of(data: Data) -> tuple[str, DataStore | None]:
    """Return the location of the data; or what stands for it, and the store. Raises SettingsError, MalformedData."""
    if isinstance(data, str | os.PathLike):
        return os.fspath(data), None
    if callable(getattr(data, "names", None)) and callable(getattr(data, "read", None)):
        return IN_MEMORY, data
    if data is None:
        raise SettingsError(["data: none are given; expected a DataFrame, a Series, a dict of them, or a path"])
    return IN_MEMORY, FrameStore(data)
