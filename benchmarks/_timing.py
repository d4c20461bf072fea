"""CPU time of this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

Action = Callable[[], Any]


def seconds(action: Action) -> float:
    """Return the CPU time of one run, all threads of this process together."""
    started = time.process_time()
    action()
    return time.process_time() - started


def least(action: Action, repeats: int) -> float:
    """Return the least CPU time of several runs."""
    return min(seconds(action) for _ in range(repeats))
