"""Unpacking of gzip within a limit."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Final

from pulse_adapters.stores.formats.memory import ALWAYS
from pulse_adapters.stores.formats.table import Source, refuse

_STEP: Final = 2**18
_ODD_RATIO: Final = 100
"""Data pack to a tenth or so. What unpacks to more than this many times its size is counted before it is kept."""


def unpack(content: bytes, source: Source) -> bytes:
    """Return the content of a gzip of one or more members; memory stays within the source's limit and a step.

    Raises MalformedData for a gzip that is none, damaged, cut short, or larger than the source's limit.
    """
    if not content:
        raise refuse("is empty", source)
    unpacked = io.BytesIO()
    try:
        for step in _steps(content, source):
            unpacked.write(step)
            if unpacked.tell() > max(ALWAYS, _ODD_RATIO * len(content)):
                unpacked.close()
                return _counted(content, source)
    except EOFError as error:
        raise refuse("is gzip cut short", source) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise refuse(f"is no sound gzip: {error}", source) from error
    return unpacked.getvalue()


def _counted(content: bytes, source: Source) -> bytes:
    """Return the content, which is kept only after its size has been found to be within the limit."""
    size = sum(len(step) for step in _steps(content, source))
    unpacked = io.BytesIO(bytes(size))
    for step in _steps(content, source):
        unpacked.write(step)
    return unpacked.getvalue()


def _steps(content: bytes, source: Source) -> Iterator[bytes]:
    size = 0
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
        while step := packed.read(_STEP):
            size += len(step)
            source.refuse_above_limit(size, f"unpacks to more than {size - len(step)} bytes")
            yield step
