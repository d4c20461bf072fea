"""CPU time of this process, for two sides in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

Action = Callable[[], Any]


def seconds(action: Action) -> float:
    """Return the CPU time of one go, all threads of this process together."""
    begun = time.process_time()
    action()
    return time.process_time() - begun


def least(action: Action, goes: int) -> float:
    """Return the least CPU time of several goes."""
    return min(seconds(action) for _ in range(goes))


def in_turn(ours: Action, theirs: Action, goes: int) -> tuple[float, float]:
    """Return the least CPU time of each side, run in the order ours, theirs, ours, theirs, ..."""
    taken = [(seconds(ours), seconds(theirs)) for _ in range(goes)]
    return min(mine for mine, _ in taken), min(other for _, other in taken)
