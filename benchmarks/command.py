"""What the command line costs: `pulse train` of 100 and of two variables from files to a folder, and `pulse --help`.

CPU seconds of a process and all that it starts, the least of several runs; for the runs also without the imports, which
are timed in an interpreter that imports the modules that a run has imported, and does no more. A run reads CSV files,
and writes records, tables and result.json. `python benchmarks/command.py`; how to read it: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import attrs
from _synthetic import FIRST_DAY, MIN_HISTORY, series

POINTS: Final = 1_250
PULSE: Final = (sys.executable, "-m", "pulse_entrypoints")

IMPORTED: Final = """
import json, os, runpy, sys
leave = os._exit
def tell(status):
    if not status:
        print(json.dumps(list(sys.modules)), file=sys.stderr, flush=True)
    leave(status)
os._exit = tell
sys.argv = ["pulse", *sys.argv[1:]]
runpy.run_module("pulse_entrypoints", run_name="__main__")
"""
"""Runs a command, and tells which modules it has imported, in order."""

IMPORTING: Final = """
import importlib, json, pathlib, sys
for name in json.loads(pathlib.Path(sys.argv[1]).read_text()):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
"""
"""Imports modules; what a library has put there under a name that cannot be imported comes with the library."""


@attrs.frozen(order=True)
class Spent:
    """CPU seconds, and peak memory in MiB, of a process and of those that it waited for."""

    cpu: float
    peak: float


def spent(command: Sequence[str | Path], folder: Path) -> Spent:
    """Run a command to its end. Raises CalledProcessError where it fails."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return Spent(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def write_data(folder: Path, variables: int) -> None:
    """Write a CSV file for each variable."""
    folder.mkdir()
    days = [(FIRST_DAY + timedelta(days=day)).isoformat() for day in range(POINTS)]
    for number, column in enumerate(series(variables, POINTS).T.tolist()):
        rows = [f"{day},{value!r}" for day, value in zip(days, column, strict=True)]
        (folder / f"v{number:03}.csv").write_text("\n".join(["timestamp,value", *rows, ""]))


def train(variables: int, results: str) -> list[str]:
    """Return the words of the command that trains so many variables in one process."""
    names = [f"v{number:03}" for number in range(variables)]
    first, last = (FIRST_DAY + timedelta(days=days) for days in (MIN_HISTORY - 1, POINTS - 1))
    period = ["--start-date", first.isoformat(), "--end-date", last.isoformat(), "--horizon", "5"]
    folders = ["--data", f"data-{variables}", "--results", results]
    return ["train", *folders, "--variables", *names, *period, "--backend", "serial"]


def import_cost(folder: Path, repeats: int) -> Spent:
    """Return what the imports of a run cost."""
    words = train(2, "results-imports")
    run = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    modules = json.loads(run.stderr.strip().splitlines()[-1])
    (folder / "modules.json").write_text(json.dumps(modules))
    return min(spent([sys.executable, "-c", IMPORTING, "modules.json"], folder) for _ in range(repeats))


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=5, help="how often a command is run; the least counts")
    options.add_argument("--variables", type=int, nargs="+", default=[100, 2])
    arguments = options.parse_args()
    repeats, counts = arguments.repeats, arguments.variables
    with TemporaryDirectory(prefix="pulse-command-") as path:
        folder = Path(path)
        for count in {*counts, 2}:
            write_data(folder / f"data-{count}", count)
        print(f"{'command':>34} {'CPU s':>7} {'imports apart':>14} {'peak MiB':>9}")
        for command in ("--help", "--version"):
            cost = min(spent([*PULSE, command], folder) for _ in range(repeats))
            print(f"{f'pulse {command}':>34} {cost.cpu:>7.2f} {'':>14} {cost.peak:>9.0f}", flush=True)
        imports = import_cost(folder, repeats)
        print(f"{'(the imports of a run)':>34} {imports.cpu:>7.2f} {'':>14} {imports.peak:>9.0f}", flush=True)
        for count in counts:
            runs = [spent([*PULSE, *train(count, f"results-{count}-{run}")], folder) for run in range(repeats)]
            name, cost = f"pulse train, {count} x {POINTS:,}", min(runs)
            print(f"{name:>34} {cost.cpu:>7.2f} {cost.cpu - imports.cpu:>14.2f} {cost.peak:>9.0f}", flush=True)


if __name__ == "__main__":
    main()
