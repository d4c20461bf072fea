"""How to install what Pulse needs beside its core: the libraries of an extra."""

from __future__ import annotations


def missing(library: str | None, extra: str) -> str:
    """Return the words for a library that is not installed, with the command that installs its extra."""
    return f"'{library}' is not installed; in the clone: pip install '.[{extra}]'"
