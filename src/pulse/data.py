"""Data as a caller has them: DataFrames become a store, anything else is a location or a store already."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pulse_adapters.stores.frames import FrameStore
from pulse_core.errors import SettingsError
from pulse_core.ports import DataStore
from pulse_entrypoints.settings.locations import DataSettings

if TYPE_CHECKING:
    Data: TypeAlias = Any
else:
    Data = Any

IN_MEMORY: Final = "data in memory"
"""What stands for the location of data that have none."""


def location_of(data: Data) -> str:
    """Return the location of the data, or what stands for it. Raises SettingsError where there are none."""
    if data is None:
        raise SettingsError(["data: none are given; expected a DataFrame, a Series, a dict of them, or a path"])
    return os.fspath(data) if isinstance(data, str | os.PathLike) else IN_MEMORY


def store_of(data: Data, settings: DataSettings) -> DataStore | None:
    """Return the store of data in memory, read as the settings say; None for data that have a location.

    Raises MalformedData where a DataFrame of several variables cannot be read.
    """
    if isinstance(data, str | os.PathLike):
        return None
    if callable(getattr(data, "names", None)) and callable(getattr(data, "read", None)):
        store: DataStore = data
        return store
    return FrameStore(data, reading=settings.readings.default)
