"""What storing costs: thousands of variables from CSV files to a result, and recalled, in a folder and on S3.

`pulse train` in a process of its own, wall-clock and CPU seconds, bytes on the disk and requests. On S3 every request
waits 25 ms in a proxy before a real server (SeaweedFS on loopback), which takes its own share of the cores.
`python benchmarks/storage.py [--variables 10000] [--s3 1000]`; how to read it: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import attrs
from _synthetic import FIRST_DAY, MIN_HISTORY, series

sys.path.insert(0, str(Path(__file__).parents[1]))  # the servers of the tests

from tests.servers.faults import Proxy, proxied
from tests.servers.s3 import BUCKET
from tests.servers.seaweedfs import running_seaweedfs

POINTS: Final = 1_250
LATENCY: Final = 0.025
PULSE: Final = (sys.executable, "-m", "pulse_entrypoints")
DISTINCT: Final = 200
"""Series that differ; more variables have these again, under other names."""


@attrs.frozen
class Spent:
    """Wall-clock and CPU seconds of a process and all that it waited for."""

    wall: float
    cpu: float


def write_data(folder: Path, variables: int) -> None:
    """Write a CSV file for each variable."""
    folder.mkdir()
    days = [(FIRST_DAY + timedelta(days=day)).isoformat() for day in range(POINTS)]
    contents = [
        "\n".join(["timestamp,value", *(f"{day},{value!r}" for day, value in zip(days, column, strict=True)), ""])
        for column in series(min(variables, DISTINCT), POINTS).T.tolist()
    ]
    for number in range(variables):
        (folder / f"v{number:05}.csv").write_text(contents[number % DISTINCT])


def train(
    data: str, results: str, variables: int, environment: Mapping[str, str] | None = None, *options: str
) -> Spent:
    """Train so many variables. Raises CalledProcessError where that fails."""
    first, last = (FIRST_DAY + timedelta(days=days) for days in (MIN_HISTORY - 1, POINTS - 1))
    period: Sequence[date] = (first, last)
    words = ["train", "--data", data, "--results", results, "--variables", *names(variables), "--horizon", "5"]
    words += ["--start-date", period[0].isoformat(), "--end-date", period[1].isoformat(), "--quiet", *options]
    started = time.perf_counter()
    process = subprocess.Popen([*PULSE, *words], env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "pulse train")
    return Spent(time.perf_counter() - started, used.ru_utime + used.ru_stime)


def names(variables: int) -> list[str]:
    """Return the names of so many variables."""
    return [f"v{number:05}" for number in range(variables)]


def show(title: str, spent: Spent, note: str = "") -> None:
    """Print a line of the table."""
    print(f"{title:>44} {spent.wall:>8.1f} {spent.cpu:>8.1f}  {note}", flush=True)


def sizes(results: Path) -> str:
    """Return how many bytes and files there are, by kind."""
    totals: Counter[str] = Counter()
    for path in (path for path in results.rglob("*") if path.is_file()):
        parts = path.relative_to(results).parts
        totals["index" if path.name.startswith("index-") else parts[0] if parts[0] == "records" else parts[1]] += (
            path.stat().st_size
        )
    whole = sum(totals.values())
    return f"{whole / 1e6:,.0f} MB: " + ", ".join(f"{name} {size / 1e6:,.1f}" for name, size in sorted(totals.items()))


def in_a_folder(folder: Path, variables: int) -> Spent:
    """Train, and repeat the run; return what the first cost."""
    data, results = str(folder / "data"), folder / "results"
    first = train(data, str(results), variables)
    show(f"folder, {variables:,} variables", first, sizes(results))
    show("the same run again", train(data, str(results), variables))
    show("another run id", train(data, str(results), variables, None, "--run-id", "another"))
    return first


def on_s3(folder: Path, variables: int) -> None:
    """Train with results on S3, data in a folder and on S3; repeat it; beside the same in a folder."""
    data = folder / "data"
    alone = in_a_folder(folder, variables)
    with running_seaweedfs() as server, proxied(server.endpoint) as proxy:
        server.put("data/", {f"{name}.csv": (data / f"{name}.csv").read_bytes() for name in names(variables)})
        proxy.delay = LATENCY
        environment = {
            **server.environment,
            "AWS_ENDPOINT_URL_S3": proxy.endpoint,
            "PULSE_CACHE_DIR": str(folder / "cache"),
        }
        for source, title in ((str(data), "folder"), (f"s3://{BUCKET}/data", "S3")):
            results = f"s3://{BUCKET}/results-{title}"
            for run in ("first", "again"):
                proxy.plan()
                spent = train(source, results, variables, environment)
                title_of_run = f"S3, data {title}, {run}"
                show(title_of_run, spent, f"{spent.wall / alone.wall:.2f} x the folder; {requests(proxy)}")


def requests(proxy: Proxy) -> str:
    """Return how many requests came by, by method and by what they were about."""
    counts: Counter[str] = Counter()
    for seen in list(proxy.seen):
        about = "list" if seen.path.count("/") < 2 or seen.path.endswith(f"/{BUCKET}") else seen.path.split("/")[2]
        about = "index" if "/index-" in seen.path else about
        counts[f"{seen.method} {about}"] += 1
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--variables", type=int, default=10_000, help="variables in a folder; 0 leaves that out")
    options.add_argument("--s3", type=int, default=1_000, help="variables on S3; 0 leaves that out")
    arguments = options.parse_args()
    print(f"{'':>44} {'wall s':>8} {'CPU s':>8}")
    for variables, action in ((arguments.variables, in_a_folder), (arguments.s3, on_s3)):
        if variables:
            with TemporaryDirectory(prefix="pulse-storage-") as path:
                write_data(Path(path, "data"), variables)
                action(Path(path), variables)


if __name__ == "__main__":
    main()
