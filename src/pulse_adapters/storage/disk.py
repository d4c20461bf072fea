"""What a disk's faults mean for results, and their mends."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pulse_core.errors import SinkUnavailable

_MENDS: Final = {
    errno.ENOSPC: "The disk is full: make room there, or choose another place for the results",
    errno.EDQUOT: "The quota is used up: make room there, or choose another place for the results",
    errno.EACCES: "Let this user write there, or choose another place for the results",
    errno.EPERM: "Let this user write there, or choose another place for the results",
    errno.EROFS: "It can only be read: choose another place for the results",
    errno.EEXIST: "A file stands where a folder should be: move it, or choose another place for the results",
    errno.ENOTDIR: "A file stands where a folder should be: move it, or choose another place for the results",
}


@contextmanager
def disk_faults(action: str, context: object) -> Iterator[None]:
    """Translate a disk's OSError into SinkUnavailable: `action` could not be done to what is at `where`."""
    try:
        yield
    except OSError as error:
        hint = _MENDS.get(error.errno or 0, "See to the place, or choose another for the results")
        raise SinkUnavailable(f"cannot {action}: {error.strerror or error}", str(context), hint) from error
