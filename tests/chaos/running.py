"""What a run under way is to those who disturb it, and how one is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol


class Running(Protocol):
    """A run under way, which leads a session of its own."""

    @property
    def pid(self) -> int:
        """Its process."""

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit status; raise subprocess.TimeoutExpired."""


Launch = Callable[[Sequence[str], Path, Mapping[str, str], Path], Running]
"""Starts `pulse` with words, in a folder, with more environment, its output to a file."""
