"""The score by which the kernel kills a worker first where memory runs out, since a worker can be replaced.

Without it the kernel kills the largest process. Where the limit is small that may be the coordinator, and the run ends
with no word of the reason (proc_pid_oom_score_adj(5)).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

SCORE: Final = Path("/proc/self/oom_score_adj")
INCREASE: Final = 500
"""In thousandths of the group's limit, or of the machine's memory: the kernel takes the process for so much larger."""
LARGEST: Final = 1000


def die_first() -> None:
    """Let this process be killed before those that started it; programs that it starts inherit the score."""
    with suppress(OSError, ValueError):  # no Linux, or a sandbox that does not allow it: the largest is killed then
        SCORE.write_text(str(min(LARGEST, int(SCORE.read_text()) + INCREASE)))
