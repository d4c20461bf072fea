"""`make chaos`: 600 and more seeded kills and faults, and pairs of runs at once; what came of all, in a table.

    python -m tests.chaos [--runs N] [--pairs N] [--seed N] [--only STAGE ...] [--output FOLDER]

Stages: `runs` are whole runs that are disturbed (benchmarks/chaos.py), `kills` writers that SIGKILL ends before each
change to a folder, `requests` writers stopped at each request to S3, `folder` and `bucket` pairs of runs under one id.
Each writes its lines to a file of its name. The status is 1 where anything was lost.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
STAGES: Final = ("runs", "kills", "requests", "folder", "bucket")


def main() -> int:
    """Run the stages one after another; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--only", nargs="*", choices=STAGES, default=STAGES)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "chaos")
    chosen = parser.parse_args()
    output = chosen.output / time.strftime("%Y%m%d-%H%M%S")
    output.mkdir(parents=True)
    commands = {
        "runs": ["benchmarks/chaos.py", "--runs", str(chosen.runs), "--seed", str(chosen.seed)],
        "kills": ["-m", "tests.chaos.kills", str(output / "killed")],
        "requests": ["-m", "tests.chaos.requests"],
        **{
            place: [
                *("-m", "tests.chaos.races", str(output / f"raced-{place}"), "--place", place),
                *("--pairs", str(chosen.pairs), "--seed", str(chosen.seed)),
            ]
            for place in ("folder", "bucket")
        },
    }
    statuses = {stage: _run(stage, commands[stage], output) for stage in chosen.only}
    return int(any(statuses.values()))


def _run(stage: str, command: list[str], output: Path) -> int:
    """Run a stage, and print its last lines and its time."""
    start, log = time.monotonic(), output / f"{stage}.log"
    (output / "killed").mkdir(exist_ok=True)
    with log.open("w") as file:
        status = subprocess.run([sys.executable, *command], cwd=ROOT, stdout=file, stderr=file, check=False).returncode
    seconds = time.monotonic() - start
    sys.stdout.write(f"{stage}: {_counted(stage, log)}; status {status}, {seconds:.0f} s ({log})\n")
    sys.stdout.flush()
    return status


def _counted(stage: str, log: Path) -> str:
    """Return what a stage counted."""
    lines = log.read_text().splitlines()
    if stage == "runs":
        kinds = ("runs", "hit", "losses", "different digests")
        return ", ".join(" ".join(line.split()) for line in lines if line.startswith(kinds))
    verdicts = [json.loads(line) for line in lines if line.startswith("{")]
    if stage in {"folder", "bucket"}:
        return json.dumps(verdicts[-1] if verdicts else {})
    stops = sum(int(verdict.get("kills", verdict.get("stops", 0))) for verdict in verdicts)
    return f"{stops} stops of {len(verdicts)} writers, {sum(len(verdict['problems']) for verdict in verdicts)} wrong"


if __name__ == "__main__":
    sys.exit(main())
