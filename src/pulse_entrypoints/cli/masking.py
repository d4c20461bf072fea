"""Secrets: which texts of the environment are secret, and their removal from whatever is shown or written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

_SECRET_NAME: Final = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.IGNORECASE)
_USER_OF_ADDRESS: Final = re.compile(r"(?<=://)[^/\s@\"']+@")
_MASK: Final = "***"
_SHORTEST_SECRET: Final = 6


@attrs.frozen
class Masker:
    """Masks secrets in text: the values of the environment's secret variables, and the users of addresses."""

    secrets: tuple[str, ...]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Masker:
        """Return the masker of an environment's secrets."""
        values = {
            value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET
        }
        return cls(tuple(sorted(values, key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, _MASK)
        return _USER_OF_ADDRESS.sub(f"{_MASK}@", text)
