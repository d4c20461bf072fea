"""Foreign text on its way to people: what a terminal would obey, or hide, is written as an escape."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

_KEPT: Final = "\n\t"
_OBEYED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode: controls, formats (such as reversals of the direction), lone surrogates, line separators."""
_HARMLESS: Final = "\N{SOFT HYPHEN}\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


def plain_text(text: str) -> str:
    """Return the text with escapes (backslash, x1b) for control characters other than line feeds and tabs."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_plain, text))


def plain_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields whose texts are plain."""
    return {name: plain_text(value) if isinstance(value, str) else value for name, value in fields.items()}


def _plain(character: str) -> str:
    if character in _KEPT or character in _HARMLESS or unicodedata.category(character) not in _OBEYED:
        return character
    return character.encode("unicode_escape").decode()
