"""Standard streams that never raise: what can no longer be written is dropped, and the reason is kept.

A reader that has gone, a full disk or a limit on the size of files makes Python raise in whatever prints next, be it a
library or a forecaster, and once more when the program ends. What only accompanies a result must not end it; whoever
prints the result itself asks `failure_of` afterwards.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import IO, Any, Final

_READER_GONE: Final = frozenset({errno.EPIPE, errno.EBADF, errno.ECONNRESET})


class _LastingFile(io.FileIO):
    """A descriptor that takes everything; from the first failure on it drops what it takes."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        if self.failure is not None:
            return size
        try:
            written = super().write(data)
            while written is None:  # another program has made the descriptor non-blocking
                select.select([], [self], [])
                written = super().write(data)
        except OSError as error:
            self.failure = error
            return size
        return written


class _LastingText(io.TextIOWrapper):
    """A stream that foreign code cannot close."""

    def close(self) -> None:
        """Flush."""
        self.flush()


def protect_streams() -> None:
    """Let stdout and stderr of this process outlast whatever they are connected to.

    Characters that their encoding does not have are written as escapes. A descriptor that is closed is opened on the
    null device, so that no file of the program gets its number.
    """
    _occupy_descriptors()
    sys.stdout = _lasting(1, sys.stdout)
    sys.stderr = _lasting(2, sys.stderr)


def failure_of(stream: IO[str]) -> str:
    """Return why a stream can no longer be written; "" where it can, or where only its reader has gone."""
    failure = getattr(getattr(getattr(stream, "buffer", None), "raw", None), "failure", None)
    if not isinstance(failure, OSError) or failure.errno in _READER_GONE:
        return ""
    return failure.strerror or str(failure)


def _occupy_descriptors() -> None:
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)


def _lasting(number: int, stream: Any) -> io.TextIOWrapper:
    """Return a stream like this one on a descriptor; `stream` is None where the descriptor was closed."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    file = _LastingFile(number, "wb", closefd=False)
    return _LastingText(
        io.BufferedWriter(file),
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=getattr(stream, "line_buffering", number == 2),  # stderr, where it was closed
        write_through=getattr(stream, "write_through", False),
    )
