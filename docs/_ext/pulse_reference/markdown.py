"""Text of the code as Markdown: nothing in it is taken for markup, save what stands in backticks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

_MARKUP: Final = re.compile(r"([\\*_{}\[\]<>#|$~])")
_QUOTED: Final = re.compile(r"(`[^`]*`)")


def plain(text: str) -> str:
    """Return text as one line in which markup stands for itself and options and `backticks` are code."""
    parts = _QUOTED.split(" ".join(text.split()))
    return "".join(part if part.startswith("`") else _escaped(part) for part in parts)


def _escaped(text: str) -> str:
    words = re.split(r"(--[a-z][a-z-]*[a-z])", text)
    return "".join(f"`{word}`" if word.startswith("--") else _MARKUP.sub(r"\\\1", word) for word in words)


def prose(text: str) -> str:
    """Return paragraphs as such, and indented ones (commands to type) as blocks."""
    paragraphs = re.split(r"\n\s*\n", text.strip("\n"))
    return "\n\n".join(fenced(one) if one.startswith("    ") else plain(one) for one in paragraphs)


def fenced(text: str) -> str:
    """Return text as a block that is only shown."""
    lines = "\n".join(line.removeprefix("    ") for line in text.splitlines())
    return f"```text\n{lines}\n```"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
