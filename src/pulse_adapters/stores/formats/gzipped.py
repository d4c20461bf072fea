"""Unpacking of gzip within a limit."""

from __future__ import annotations

import gzip
import io
import zlib

from pulse_adapters.stores.formats.table import Source, refuse

_STEP = 2**18


def unpack(content: bytes, source: Source) -> bytes:
    """Return the content of a gzip of one or more members; memory stays within the source's limit and a step.

    Raises MalformedData for a gzip that is none, damaged, cut short, or larger than the source's limit.
    """
    if not content:
        raise refuse("is empty", source)
    unpacked = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            while step := packed.read(_STEP):
                unpacked.write(step)
                if unpacked.tell() > source.limit:
                    raise refuse(f"unpacks to more than {source.limit} bytes", source)
    except EOFError as error:
        raise refuse("is gzip cut short", source) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise refuse(f"is no sound gzip: {error}", source) from error
    return unpacked.getvalue()
