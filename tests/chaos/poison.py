"""A unit that takes more memory than there is, among five that do not: `python -m tests.chaos.poison FOLDER`.

Prints what is said of each unit that failed, and how many did not. Run it where little memory is allowed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pulse.testing.tasks import units
from pulse_adapters.backends.host.deaths import BY_MEMORY
from pulse_adapters.backends.processes.backend import ProcessesBackend
from pulse_core.ports import Failed
from tests.chaos.memory import memory_group
from tests.tasks import Scripted

ALLOWED = 500 << 20
EXPECTED = f"1 of 6 failed: its process was killed {BY_MEMORY}; tried 3 times"
ROOT = Path(__file__).parents[2]


def poisoned(folder: Path) -> tuple[str, int]:
    """Run this module with little memory; return what it said, and how many processes the kernel has killed for it."""
    command = [sys.executable, "-m", "tests.chaos.poison", str(folder)]
    with memory_group() as group:
        group.limit(ALLOWED)
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
        )
        group.take(process.pid)
        out, _ = process.communicate()
        return out.strip() or f"it ended with {process.returncode}", group.kills()


def main() -> None:
    backend = ProcessesBackend(max_workers=2, worth_seconds=0)
    outcomes = list(backend.run(Scripted(Path(sys.argv[1]), {0: ("devour",)}), units(6)))
    failed = [outcome.error.message for outcome in outcomes if isinstance(outcome, Failed)]
    sys.stdout.write(f"{len(failed)} of {len(outcomes)} failed: {', '.join(failed)}\n")


if __name__ == "__main__":
    main()
