"""Chaos: real runs that are killed at random moments, resumed, and held against an undisturbed one.

    python benchmarks/chaos.py --runs 200 --seed 1

Each run starts real processes on the processes backend or on a Dask scheduler with two workers, its results in a
folder, on a disk of 5 MiB or in SeaweedFS. At a moment within the run a worker, the coordinator, the scheduler or the
server is killed with SIGKILL, the coordinator gets SIGTERM, the disk is filled, or memory runs out: the run (of Dask: a
worker) is in a control group which gets no more than it has in use. Then the same command is run again.
What must hold: the digest is the undisturbed one, the same records stand byte for byte, all that was
recorded is recalled, no temporary file, unfinished upload or process is left. Else the run counts as a loss.

That memory ran out must be named where units failed of it. Mounting the small disk needs root; --without disk leaves it
out. Control groups mostly need it as well: where none can be made, the script says so and leaves those runs out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import attrs

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.chaos.campaign import KINDS, campaign
from tests.chaos.memory import why_no_memory_groups
from tests.chaos.poison import EXPECTED, poisoned


@attrs.define
class Forked:
    """A run in a copy of this process, which has the libraries loaded already: half the time of a run goes there."""

    pid: int
    status: int | None = None

    def poll(self) -> int | None:
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status

    def wait(self, timeout: float | None = None) -> int:
        end = time.monotonic() + (timeout or float("inf"))
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("pulse", timeout or 0.0)
            time.sleep(0.01)
        return self.status or 0


def forked(words: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> Forked:
    pid = os.fork()
    if pid == 0:
        _be_pulse(words, folder, environment, log)
    return Forked(pid)


def _be_pulse(words: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> NoReturn:
    status = 70
    try:
        os.setsid()
        os.chdir(folder)
        os.environ.update(environment)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        from pulse_entrypoints.cli.app import main as pulse

        status = pulse(list(words))
    finally:
        sys.stdout.flush()
        os._exit(status)


def _load() -> None:
    """Load what every run needs, once."""
    import pyarrow.parquet

    import pulse_adapters.backends.processes.backend
    import pulse_adapters.sinks.folder
    import pulse_entrypoints.commands.train.command

    del pyarrow, pulse_adapters, pulse_entrypoints


def _memory_is_named(folder: Path) -> bool:
    """Whether a unit that takes all memory is set aside for that, the others done, and each kill counted once."""
    folder.mkdir()
    said, kills = poisoned(folder)
    print(f"A unit that takes all memory: {said} ({kills} killed by the kernel)", flush=True)
    return (said, kills) == (EXPECTED, 3)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=20)
    options.add_argument("--first", type=int, default=0, help="the number of the first run")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", nargs="*", default=(), help="engines, places or disturbances to keep to")
    options.add_argument("--without", nargs="*", default=(), help="engines, places or disturbances to leave out")
    wanted = options.parse_args()
    kinds = {
        kind: weight
        for kind, weight in KINDS.items()
        if not set(kind) & set(wanted.without) and (not wanted.only or set(kind) & set(wanted.only))
    }
    if any("memory" in kind for kind in kinds) and (why := why_no_memory_groups()):
        print(f"No run has its memory run out: no control group can be made here ({why}). Root mostly can.")
        kinds = {kind: weight for kind, weight in kinds.items() if "memory" not in kind}
    folder = Path(tempfile.mkdtemp(prefix="pulse-chaos-"))
    counts: Counter[str] = Counter()
    if any("memory" in kind for kind in kinds):
        counts["losses"] += not _memory_is_named(folder / "poison")
    _load()
    try:
        with campaign(folder, forked, wanted.seed, kinds) as runs:
            for number in range(wanted.first, wanted.first + wanted.runs):
                kind, verdict = runs.run(number)
                counts.update(["runs", *(["hit"] if verdict.hit else []), *(["losses"] if verdict.problems else [])])
                counts.update([f"{' '.join(kind)}"])
                counts["different digests"] += any("digest" in problem for problem in verdict.problems)
                line = {"run": number, "kind": " ".join(kind), **attrs.asdict(verdict)}
                print(json.dumps(line), flush=True)
                shutil.rmtree(folder / f"run-{number}", ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, count in counts.items():
        print(f"{name:40} {count:5}")
    sys.exit(bool(counts["losses"]))


if __name__ == "__main__":
    main()
