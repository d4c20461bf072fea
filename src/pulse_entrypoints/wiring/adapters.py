"""How an adapter is named: a dotted path, and the extra of `pulse-retrodiction` that brings what it needs."""

from __future__ import annotations

import importlib
from typing import Any

import attrs

from pulse_core.errors import SettingsError


@attrs.frozen
class Adapter:
    """Where an adapter's class is, and the extra of `pulse-retrodiction` that brings the library it `needs`.

    What it needs is named where its module imports it later.
    """

    path: str
    extra: str = ""
    needs: str = ""

    def load(self) -> Any:
        """Import the class. Raises SettingsError with the install hint where a library is missing."""
        module, name = self.path.split(":")
        try:
            if self.needs:
                importlib.import_module(self.needs)
            return getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            if not self.extra or (error.name or "").startswith("pulse_"):
                raise
            hint = f"pip install 'pulse-retrodiction[{self.extra}]'"
            raise SettingsError([f"'{error.name}' is not installed; {hint}"]) from error
