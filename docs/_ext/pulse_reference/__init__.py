"""A Sphinx extension: the reference pages are written from the code each time the pages are built.

A page says where by a comment, `<!-- generated: commands -->`; before it is parsed the comment becomes Markdown.
Links to `benchmarks/README.md`, which lies outside of the pages, lead to the page that includes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from pulse_entrypoints.cli.commands import COMMANDS
from pulse_reference.commands import commands_page
from pulse_reference.schema import schema_page
from pulse_reference.settings import settings_page

_PLACE: Final = re.compile(r"^<!-- generated: ([a-z-]+) -->$", re.MULTILINE)
_BENCHMARKS: Final = re.compile(r"\]\(((?:\.\./)*)\.\./benchmarks/README\.md\b")
_SCHEMA: Final = Path(__file__).parents[2] / "result.schema.json"

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "commands": lambda: commands_page(COMMANDS),
    "settings": lambda: settings_page(COMMANDS),
    "result-schema": lambda: schema_page(json.loads(_SCHEMA.read_text(encoding="utf-8"))),
}


def filled(text: str) -> str:
    """Return a page's Markdown with what is generated in its place. Raises ExtensionError for a name nobody knows."""
    return _PLACE.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    write = PAGES.get(found[1])
    if write is None:
        raise ExtensionError(f"'<!-- generated: {found[1]} -->' is none of {', '.join(PAGES)}")
    return write()


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx of the extension."""
    app.connect("source-read", _fill)
    app.connect("env-get-outdated", _outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _fill(app: Sphinx, name: str, source: list[str]) -> None:
    del app, name
    source[0] = _BENCHMARKS.sub(r"](\1benchmarks.md", filled(source[0]))


def _outdated(app: Sphinx, *_: object) -> list[str]:
    """Read the reference anew whenever pages are built: its sources are in the code."""
    return sorted(name for name in app.env.found_docs if name.startswith("reference/"))
