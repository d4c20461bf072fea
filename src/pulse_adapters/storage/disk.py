"""Errors of a disk, translated into SinkUnavailable with a hint for each cause."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pulse_core.errors import SinkUnavailable

_FORBIDDEN: Final = "Let this user {} there, or choose another --results"
_READING: Final = ("read", "list")
"""The verbs of actions that write nothing."""
_HINTS: Final = {
    errno.ENOSPC: "The disk is full: make room there, or choose another --results",
    errno.EDQUOT: "The quota is used up: make room there, or choose another --results",
    errno.EACCES: _FORBIDDEN.format("write"),
    errno.EPERM: _FORBIDDEN.format("write"),
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f), or choose another --results",
    errno.EROFS: "It can only be read: choose another --results",
    errno.EEXIST: "A file stands where a folder should be: move it, or choose another --results",
    errno.EINVAL: "Remove what stands there, then run the command again",
    errno.EISDIR: "Remove the folder that stands there, then run the command again",
    errno.ELOOP: "Remove the link that stands there, then run the command again",
    errno.ENOTDIR: "A file stands where a folder should be: move it, or choose another --results",
}


@contextmanager
def disk_faults(action: str, context: object) -> Iterator[None]:
    """Translate an OSError into SinkUnavailable: `action` (a verb with its object) failed at `context` (a path)."""
    try:
        yield
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, "Check the disk, or choose another --results")
        if error.errno in {errno.EACCES, errno.EPERM} and action.startswith(_READING):
            hint = _FORBIDDEN.format("read")
        raise SinkUnavailable(f"cannot {action}: {error.strerror or error}", str(context), hint) from error
