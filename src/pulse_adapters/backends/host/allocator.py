"""The allocator of the C library: what a variable's arrays have freed stays at hand for those of the next one."""

from __future__ import annotations

import ctypes
from typing import Final

_MMAP_THRESHOLD, _TRIM_THRESHOLD, _TOP_PAD = -3, -1, -2  # malloc.h of glibc
_SETTINGS: Final = {_MMAP_THRESHOLD: 2**25, _TRIM_THRESHOLD: 2**27, _TOP_PAD: 2**24}
"""Bytes: blocks up to 32 MiB come from the heap, of which at most 128 MiB stay that nobody uses; it grows by 16 MiB.

By default arrays are returned to the kernel one by one, and each page of the next ones is a fault: 8 % of a run's CPU.
"""


def keep_freed_memory() -> None:
    """Let this process keep what it frees; do nothing where the C library is not that of GNU."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, size in _SETTINGS.items():
            set_option(option, size)
