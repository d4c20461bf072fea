"""The port `Archive`: the files of published runs, in a folder, a bucket, or any other storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Archive(Protocol):
    """The files of published runs, as readers of results need them."""

    def read(self, run_id: str, name: str) -> bytes:
        """Return a run's file. Raises RunNotFound, SinkUnavailable, SettingsError for an invalid run id or name."""

    def parts(self, run_id: str, table: str) -> Mapping[str, int]:
        """Return the names, for `read`, of the files of a run's table, with their sizes in bytes. Raises as `read`."""

    def address(self, run_id: str, name: str) -> str:
        """Return the full name of a run's file, for people. Raises SettingsError for an invalid run id or name."""
