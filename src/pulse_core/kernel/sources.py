"""The digest of the kernel's sources, by which a compiled library is matched with them. Loads nothing but hashlib.

The build hook writes the digest into the library; the bindings compare it where the sources lie beside the library.
"""

from __future__ import annotations

import hashlib
from importlib.resources.abc import Traversable
from typing import Final

SUFFIXES: Final = (".c", ".h")


def digest(folder: Traversable) -> str:
    """Return the SHA-256 of the names and contents of a folder's C files; empty where it has none."""
    sources = sorted((file for file in folder.iterdir() if file.name.endswith(SUFFIXES)), key=lambda file: file.name)
    total = hashlib.sha256()
    for source in sources:
        content = source.read_bytes()
        total.update(f"{source.name} {len(content)}\n".encode() + content)
    return total.hexdigest() if sources else ""
