"""Tells the kernel whom to kill first where memory runs out: a worker, which can be replaced.

Without this it takes the largest process, and where the limit is small that was seen to be the coordinator, with which
the run ends and nothing is left to say why (proc_pid_oom_score_adj(5)).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

SCORE: Final = Path("/proc/self/oom_score_adj")
MORE: Final = 500
"""In thousandths of the group's limit, or of the machine's memory: by so much this process is taken for larger."""
MOST: Final = 1000


def die_first() -> None:
    """Let this process be killed before those that started it; programs that it starts inherit this."""
    with suppress(OSError, ValueError):  # no Linux, or a sandbox that does not allow it: the largest is killed then
        SCORE.write_text(str(min(MOST, int(SCORE.read_text()) + MORE)))
