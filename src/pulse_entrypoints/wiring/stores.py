"""Stores by scheme, and the store of the data that the settings name."""

from __future__ import annotations

from typing import Final

from pulse_core.ports import DataStore
from pulse_entrypoints.settings.locations import SAMPLE, DataSettings
from pulse_entrypoints.wiring import entry_points
from pulse_entrypoints.wiring.adapters import Adapter, Registry
from pulse_entrypoints.wiring.locations import data_location

STORES: Final = Registry(
    entry_points.STORES,
    {
        "folder": Adapter("pulse_adapters.stores.folder:open_store"),
        "s3": Adapter("pulse_adapters.stores.s3:open_store", "aws", needs="boto3"),
    },
)
"""The stores by the scheme of --data."""


def store_of(settings: DataSettings) -> DataStore:
    """Return the store of the data. Raises SettingsError where no adapter can open it."""
    store: DataStore = STORES.open(data_location(settings), settings)
    return store


def sample_store() -> DataStore:
    """Return the store of the series that come with Pulse."""
    return store_of(DataSettings(data=SAMPLE))
