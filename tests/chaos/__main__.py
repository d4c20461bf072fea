"""`make chaos`: 600 and more seeded kills and faults, and pairs of runs at once; what came of all, in a table.

    python -m tests.chaos [--runs N] [--pairs N] [--seed N] [--only STAGE ...] [--output FOLDER] [--resume FOLDER]

Stages: `runs` are whole runs that are disturbed (benchmarks/chaos.py), `kills` writers that SIGKILL ends before each
change to a folder, `requests` writers stopped at each request to S3, `folder` and `bucket` pairs of runs under one id.
Each step writes its lines to a file of its name, and what it counted to another; --resume goes on after the last step
that has ended. The status is 1 where anything was lost.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

ROOT: Final = Path(__file__).parents[2]
STAGES: Final = ("runs", "kills", "requests", "folder", "bucket")
RUNS_A_STEP: Final = 20


@attrs.frozen
class Step:
    """A stage, or a share of one: its command, and what it has counted once it has ended."""

    stage: str
    name: str
    command: Sequence[str | Path]


def main() -> int:
    """Run the steps one after another; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--only", nargs="*", choices=STAGES, default=STAGES)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "chaos")
    parser.add_argument("--resume", type=Path, help="the folder of an interrupted run of this program")
    chosen = parser.parse_args()
    output = chosen.resume or chosen.output / time.strftime("%Y%m%d-%H%M%S")
    output.mkdir(parents=True, exist_ok=True)
    steps = [step for step in _steps(chosen, output) if step.stage in chosen.only]
    counts = [_counted(step, output) for step in steps]
    for line in summary(counts):
        _say(line)
    return int(any(count["status"] for count in counts))


def _steps(chosen: argparse.Namespace, output: Path) -> Iterator[Step]:
    for first in range(0, chosen.runs, RUNS_A_STEP):
        count = min(RUNS_A_STEP, chosen.runs - first)
        words = ["--first", str(first), "--runs", str(count), "--seed", str(chosen.seed)]
        yield Step("runs", f"runs-{first:03}", ["benchmarks/chaos.py", *words])
    yield Step("kills", "kills", ["-m", "tests.chaos.kills", output / "killed"])
    yield Step("requests", "requests", ["-m", "tests.chaos.requests"])
    for place in ("folder", "bucket"):
        words = ["--place", place, "--pairs", str(chosen.pairs), "--seed", str(chosen.seed)]
        yield Step(place, place, ["-m", "tests.chaos.races", output / f"raced-{place}", *words])


def _counted(step: Step, output: Path) -> dict[str, Any]:
    """Return what a step counted, from an earlier time or now; print it."""
    file, log = output / f"{step.name}.json", output / f"{step.name}.log"
    if not file.exists():
        (output / "killed").mkdir(exist_ok=True)
        start = time.monotonic()
        with log.open("w") as stream:
            command = [sys.executable, *step.command]
            status = subprocess.run(command, cwd=ROOT, stdout=stream, stderr=stream, check=False).returncode
        counted = {"step": step.name, "status": status, "seconds": round(time.monotonic() - start)}
        file.write_text(json.dumps(counted | counts_of(step.stage, log.read_text().splitlines())))
    counts: dict[str, Any] = json.loads(file.read_text())
    _say(", ".join(f"{name} {value}" for name, value in counts.items() if name != "statuses"))
    return counts


def counts_of(stage: str, lines: Sequence[str]) -> dict[str, Any]:
    """Return what a stage counted: kills and faults, what was lost, and the statuses by kind of disturbance."""
    verdicts: list[dict[str, Any]] = [json.loads(line) for line in lines if line.startswith("{")]
    if stage == "runs":
        statuses = {verdict["kind"]: Counter[str]() for verdict in verdicts}
        for verdict in verdicts:
            statuses[verdict["kind"]][" then ".join(map(str, verdict["statuses"]))] += 1
        return {
            "disturbed": len(verdicts),
            "hit": sum(verdict["hit"] for verdict in verdicts),
            "lost": sum(bool(verdict["problems"]) for verdict in verdicts),
            "statuses": {kind: dict(counts) for kind, counts in statuses.items()},
        }
    if stage in {"kills", "requests"}:
        stops = sum(int(verdict.get("kills", verdict.get("stops", 0))) for verdict in verdicts)
        return {"disturbed": stops, "hit": stops, "lost": sum(len(verdict["problems"]) for verdict in verdicts)}
    *pairs, _ = verdicts or [{}]
    return {"pairs": len(pairs), "lost": sum(bool(pair["problems"]) for pair in pairs)}


def summary(counts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the statuses by kind, and the totals."""
    statuses: dict[str, Counter[str]] = {}
    for count in counts:
        for kind, seen in count.get("statuses", {}).items():
            statuses.setdefault(kind, Counter()).update(seen)
    for kind, seen in sorted(statuses.items()):
        words = ", ".join(f"{number} x {status}" for status, number in seen.most_common())
        yield f"{kind:32} {words}"
    total = {name: sum(count.get(name, 0) for count in counts) for name in ("disturbed", "hit", "pairs", "lost")}
    yield (
        f"{total['disturbed']} kills and faults, {total['hit']} of which hit; {total['pairs']} pairs of runs at once; "
        f"{total['lost']} with anything lost, twice or other than undisturbed; {sum(c['seconds'] for c in counts)} s"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
