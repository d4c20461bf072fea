"""Secrets: which texts of the environment are secret, and their removal from whatever is shown or written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from typing import Final

import attrs

_SECRET_NAME: Final = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.IGNORECASE)
_USER_OF_ADDRESS: Final = re.compile(r"(?<=://)[^/\s\"'?#]+@")
_ENCODED_USER: Final = re.compile(r"(?<=%3a%2f%2f)(?:(?!%2f|%3f|%23)[^/\s\"'?#&])+%40", re.IGNORECASE)
_MASK: Final = "***"
_SHORTEST_SECRET: Final = 6


@attrs.frozen
class Masker:
    """Masks secrets in text: the values of the environment's secret variables, and the users of addresses.

    A secret is found as it is, as JSON and HTML write it, and percent-encoded, be it in parts or twice.
    """

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
            for written in _writings(secret):
                text = text.replace(written, _MASK)
        if "%" in text:
            for secret in self.secrets:
                text = _encoded(secret).sub(_MASK, text)
            text = _ENCODED_USER.sub(f"{_MASK}%40", text)
        elif "+" in text:
            for secret in self.secrets:
                if " " in secret:
                    text = text.replace(secret.replace(" ", "+"), _MASK)
        return _USER_OF_ADDRESS.sub(f"{_MASK}@", text)


@cache
def _writings(secret: str) -> tuple[str, ...]:
    """Return the secret as it is and as JSON, Python and HTML write it in a text, the longest first."""
    written: Iterable[str] = {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], escape(secret)}
    return tuple(sorted(written, key=len, reverse=True))


@cache
def _encoded(secret: str) -> re.Pattern[str]:
    """Return the pattern of a secret of which any characters are percent-encoded, any number of times."""
    return re.compile("".join(map(_encoded_character, secret)))


def _encoded_character(character: str) -> str:
    raw = character.encode("utf-8", "surrogateescape")
    encoded = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in raw)
    return f"(?:{re.escape(character)}|{encoded}{'|[+]' if character == ' ' else ''})"
