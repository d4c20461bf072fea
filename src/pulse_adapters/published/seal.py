"""The seal of `result.json`: its last line, which holds the SHA-256 of all the lines before.

    sed '$d' result.json | sha256sum        prints the 64 digits that `tail -n 1 result.json` shows

Whoever changes a byte, or cuts the document off, breaks the seal; so does a program that writes the document in another
layout. Both layouts of the writer end in the same form, so that reading a seal needs no parsing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

_BEFORE: Final = b'  "seal": "sha256:'
_AFTER: Final = b'"}\n'
_DIGITS: Final = 64
_LENGTH: Final = len(_BEFORE) + _DIGITS + len(_AFTER)


def sealed(pieces: Iterable[bytes]) -> bytes:
    """Return a JSON object, which comes in pieces, with its seal as the last key."""
    *before, last = pieces
    last = last.rstrip()
    if not last.endswith(b"}"):
        raise ValueError("only a JSON object can be sealed")
    lines = [*before, last[:-1].rstrip(), b",\n"]
    digest = hashlib.sha256()
    for piece in lines:  # joined once: a document may have 50 MB
        digest.update(piece)
    return b"".join([*lines, _BEFORE, digest.hexdigest().encode(), _AFTER])


def is_sealed(content: bytes) -> bool:
    """Whether a document ends in a seal, and the seal fits."""
    lines = memoryview(content)[:-_LENGTH]  # 50 MB are not copied
    digest = hashlib.sha256(lines).hexdigest().encode()
    return content[-_LENGTH:] == _BEFORE + digest + _AFTER and content[-_LENGTH - 1 : -_LENGTH] == b"\n"
