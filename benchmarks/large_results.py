"""What readers of results cost with many variables: CPU time, the clock's and peak memory of commands, a process each.

Two runs are published by the real writers, with drawn numbers: 13 forecasters, horizon 5, 24 batches. `--changed` of
the variables have other scores in the second run (0.01; 1 for all).
`python benchmarks/large_results.py [--variables 20000] [--changed 0.01] [--folder FOLDER]`
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from pulse.testing.results import publish
from pulse_adapters.sinks.folder import FolderSink
from pulse_core.backtest.reliability_counts import BINS
from pulse_core.plan import batches
from pulse_core.results import (
    RELIABILITY,
    STATISTICS,
    TRUST,
    DataFacts,
    RunResult,
    UnitCounts,
    VariableBatches,
    VariableScores,
)
from pulse_core.runs.table_rows import BatchRows, ScoreRows
from pulse_core.scores.measures import MEASURES
from pulse_core.spec import RunSpec
from pulse_core.tables import PartFacts, part_name

UNIT: Final = 50
BATCHES: Final = 24
FACTS: Final = DataFacts("sha256:" + "0a" * 32, 1250, 3, "2020-01-01", "2024-12-30", "timestamp")
BEFORE, AFTER = "before", "after"


@attrs.frozen
class Drawn:
    """Scores and batches of variables, drawn from the variable's number and a seed."""

    spec: RunSpec

    def scores(self, name: str, seed: int) -> VariableScores:
        """Return the scores of a variable."""
        drawn = np.random.default_rng((seed, int(name[1:])))
        shape = len(self.spec.forecasters), self.spec.horizon
        sizes: dict[str, tuple[int, ...]] = {
            "scores": (*shape, len(MEASURES)),
            "trust": (*shape, len(TRUST)),
            "statistics": (*shape, len(STATISTICS)),
            "simple_skill": (2, *shape),
            "weights": shape,
            "regret": shape[1:],
            "bound": shape[1:],
        }
        arrays: dict[str, Any] = {field: drawn.uniform(size=size) for field, size in sizes.items()}
        for measure in ("n", "hit_rate_count"):
            arrays["scores"][..., MEASURES.index(measure)] = 700
        return VariableScores(
            variable=name,
            forecasters=self.spec.forecasters,
            benchmark=self.spec.forecasters[0],
            span=250,
            verdicts=drawn.integers(-1, 2, size=shape),
            reliability=np.zeros((shape[1], BINS, len(RELIABILITY))),
            simple=("naive", "drift"),
            trends=np.zeros(shape[1], dtype=np.int64),
            batches=np.arange(BATCHES),
            origins=np.full(BATCHES, 30),
            **arrays,
        )

    def batches(self, name: str, seed: int) -> VariableBatches:
        """Return the batches of a variable."""
        drawn = np.random.default_rng((seed, int(name[1:]), 1))
        shape = BATCHES, len(self.spec.forecasters), self.spec.horizon
        counts = {field: np.full(shape, 30, dtype=np.int32) for field in ("n", "won", "lost")}
        singles = {field: drawn.random(size=shape, dtype=np.float32) for field in ("mase", "crps", "trust")}
        mae = drawn.exponential(size=shape)
        return VariableBatches(name, self.spec.forecasters, np.arange(BATCHES), mae=mae, **singles, **counts)


def publish_run(sink: FolderSink, run_id: str, spec: RunSpec, seeds: dict[str, int]) -> None:
    """Publish a run of drawn numbers; `seeds` are by variable."""
    drawn, parts, summaries = Drawn(spec), [], []
    units = [spec.variables[start : start + UNIT] for start in range(0, len(spec.variables), UNIT)]
    for index, unit in enumerate(units):
        scores = [drawn.scores(name, seeds[name]) for name in unit]
        with sink.part(run_id, part_name("scores", index, len(units))) as writer:
            score_rows = ScoreRows(writer.write)
            for one in scores:
                score_rows.add(one)
            score_rows.flush()
        parts.append(writer.facts)
        with sink.part(run_id, part_name("batches", index, len(units))) as writer:
            batch_rows = BatchRows(spec, writer.write)
            for name in unit:
                batch_rows.add(drawn.batches(name, seeds[name]))
            batch_rows.flush()
        parts.append(writer.facts)
        summaries += [one.summary(FACTS) for one in scores]
    result = RunResult(
        run_id=run_id,
        spec=spec,
        batches=batches(spec),
        variables=tuple(summaries),
        units=UnitCounts(planned=len(summaries), computed=len(summaries)),
        software={"pulse": "0.1"},
        parts=tuple(part for part in parts if isinstance(part, PartFacts)),
    )
    publish(sink, result)


def make(folder: Path, variables: int, changed: float) -> None:
    """Publish both runs in a folder."""
    names = tuple(f"v{number:05}" for number in range(variables))
    spec = RunSpec(variables=names, start=date(2022, 1, 1), end=date(2023, 12, 21))
    sink = FolderSink(folder)
    publish_run(sink, BEFORE, spec, dict.fromkeys(names, 0))
    every = round(1 / changed) if changed else variables + 1
    publish_run(sink, AFTER, spec, {name: int(number % every == 0) for number, name in enumerate(names)})


def measured(words: list[str], folder: Path) -> None:
    """Run a command beside the results in a process, and print its seconds and its peak memory."""
    program = [sys.executable, "-c", "from pulse_entrypoints.cli.program import pulse; pulse()", *words]
    started, cpu, peak = time.perf_counter(), children_seconds(), 0
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(program, stdout=output, env={**os.environ, "PULSE_RESULTS": str(folder)}) as process,
    ):
        while process.poll() is None:
            peak = max(peak, peak_kb(process.pid))
            time.sleep(0.01)
        seconds, size = time.perf_counter() - started, output.tell()
    cost = f"{children_seconds() - cpu:7.2f} s CPU{seconds:7.2f} s{peak / 1024:6.0f} MB{size:12,} B"
    print(f"{' '.join(words):40}{cost}  exit {process.returncode}", flush=True)


def children_seconds() -> float:
    """Return the CPU time of all processes that this one has started and waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def peak_kb(pid: int) -> int:
    """Return the most memory that a process has had, in kB; 0 once it has ended. That of wait4 counts its parent's."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Make the runs, and measure the commands that read them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variables", type=int, default=20_000)
    parser.add_argument("--changed", type=float, default=0.01)
    parser.add_argument("--folder", type=Path, help="keep the runs here, and use those that are here already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "results"
        if not (folder / AFTER / "result.json").exists():
            make(folder, options.variables, options.changed)
        size = (folder / BEFORE / "result.json").stat().st_size
        print(f"{options.variables} variables, result.json {size / 1e6:.1f} MB, {size / options.variables:.0f} B each")
        measured(["--version"], folder)
        for words in (
            ["runs", "list"],
            ["runs", "show", BEFORE],
            ["runs", "show", BEFORE, "--format", "csv"],
            ["runs", "show", BEFORE, "--format", "json"],
            ["compare", BEFORE, BEFORE],
            ["compare", BEFORE, AFTER],
            ["compare", BEFORE, AFTER, "--format", "csv"],
        ):
            measured(list(words), folder)


if __name__ == "__main__":
    main()
