"""Pairs of runs at once under one run id: each result is whole and that of one run, or the run is refused.

    python -m tests.chaos.races FOLDER [--pairs N] [--seed N] [--place folder|bucket]

The real command runs, in processes that are forked from one that has loaded everything, with readers beside, and
one who prunes all that is not in use. Prints a line of JSON a pair, and a summary; exits with 1 where one was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.published.result_reader import PublishedRun, with_results
from pulse_adapters.published.table_reader import run_table
from pulse_adapters.sinks.storage_sink import StorageSink
from pulse_adapters.storage.folder import FolderStorage
from pulse_adapters.storage.port import Storage
from pulse_adapters.storage.s3 import S3Storage
from pulse_core.errors import RunNotFound
from pulse_entrypoints.cli.app import main as pulse
from pulse_entrypoints.commands.runs.command import lines_of
from tests.chaos.writers import RUN, strays
from tests.chaos.writers import prune as prune_once
from tests.servers.s3 import BUCKET

VARIABLES: Final = ("a", "b", "c", "d")
SAME, REVISED, OTHER = "same", "revised", "other spec"
RUN_SECONDS: Final = 120.0
_SPAN_SECONDS: Final = 0.6
_WORDS: Final = (
    *("train", "--variables", *VARIABLES, "--start-date", "2020-02-01", "--end-date", "2020-06-30", "--horizon", "2"),
    *("--forecasters", "naive", "mean", "drift", "--unit-size", "1", "--backend", "serial", "--run-id", RUN),
)
_DIGESTS: Final = 2


@attrs.frozen
class Pair:
    """Two runs at once: how they differ, what stands before, who else is there, and when each begins."""

    relation: str
    fresh: tuple[bool, bool]
    former: bool
    pruned: bool
    offset: float
    revision: float

    @classmethod
    def chosen(cls, choose: random.Random) -> Pair:
        """Choose a pair."""
        return cls(
            relation=choose.choice((SAME, REVISED, OTHER)),
            fresh=(choose.random() < 0.25, choose.random() < 0.25),
            former=choose.random() < 0.5,
            pruned=choose.random() < 0.25,
            offset=choose.choice((0.0, choose.uniform(0, _SPAN_SECONDS))),
            revision=choose.uniform(0, _SPAN_SECONDS),
        )


@attrs.frozen
class Place:
    """A location of results: as the command has it, and as this process reads it."""

    name: str
    storage: Storage
    environment: Mapping[str, str]


@attrs.frozen
class Race:
    """A pair under way in a folder of its own."""

    pair: Pair
    folder: Path
    place: Place
    digests: Mapping[tuple[str, bool], str]
    """Those of undisturbed runs, by calibration and whether the data are revised."""

    def problems(self) -> tuple[list[int], list[str]]:
        """Run the pair; return the exit statuses, and what was wrong."""
        data, results = self.folder / "data", self.folder / "observed"
        write_data(data, revised=False)
        if self.pair.former and self._started("conformal", "former", ()).wait() != 0:
            return [], ["the run before failed"]
        observers = [Child.started(self.folder / "reader", lambda: observe(self.place.storage, results))]
        if self.pair.pruned:
            observers.append(Child.started(self.folder / "pruner", lambda: prune(self.place.storage)))
        first = self._started("conformal", "first", ("--fresh",) * self.pair.fresh[0])
        time.sleep(self.pair.offset)
        calibration = "empirical" if self.pair.relation == OTHER else "conformal"
        second = self._started(calibration, "second", ("--fresh",) * self.pair.fresh[1])
        if self.pair.relation == REVISED:
            time.sleep(self.pair.revision)
            write_data(data, revised=True)
        runs = (first, second)
        statuses = [run.wait() for run in runs]
        ended = [observer.stopped() for observer in observers]
        problems = [f"an observer ended with {status}" for status in ended if status not in {0, -signal.SIGTERM}]
        problems += self._of_the_ends(runs, statuses)
        problems += self._of_the_observed(results)
        return statuses, problems

    def _started(self, calibration: str, log: str, more: Sequence[str]) -> Child:
        words = [*_WORDS, "--calibration", calibration, "--results", self.place.name, "--data", "data", *more]

        def run() -> int:
            os.chdir(self.folder)
            os.environ.update(self.place.environment)
            return pulse(words)

        return Child.started(self.folder / log, run)

    def _of_the_ends(self, runs: Sequence[Child], statuses: Sequence[int]) -> Iterator[str]:
        allowed = {0, 2} if self.pair.relation == OTHER else {0}
        if not set(statuses) <= allowed or 0 not in statuses:
            yield f"the runs ended with {statuses}: {[run.output()[-600:] for run in runs]}"
            return
        if statuses == [0, 0] and self.pair.relation == OTHER and not self.pair.pruned:
            yield "both specs were published"
        finished = {run.digest() for run, status in zip(runs, statuses, strict=True) if status == 0}
        if not finished <= set(self.digests.values()):
            yield f"a run finished with another digest: {finished}"
        try:
            now = with_results(StorageSink(self.place.storage), (RUN,), lambda run: whole(self.place.storage, run))
        except RunNotFound:
            if not self.pair.pruned:
                yield "no result stands"
            return
        if now not in finished:
            yield f"the result is {now}, and the runs finished with {finished}"
        if not self.pair.pruned and strays(self.place.storage):
            yield f"strays: {strays(self.place.storage)}"

    def _of_the_observed(self, results: Path) -> Iterator[str]:
        observed = Counter(results.read_text().splitlines()) if results.exists() else Counter[str]()
        for line in observed.keys() - {"none"} - set(self.digests.values()):
            yield f"a reader found {line}"


@attrs.frozen
class Child:
    """A forked process that does something, and where its output goes."""

    pid: int
    log: Path

    @classmethod
    def started(cls, log: Path, action: Callable[[], object]) -> Child:
        """Fork."""
        pid = os.fork()
        if pid:
            return cls(pid, log)
        status = 1
        try:
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(output, 1)
            os.dup2(output, 2)
            status = int(action() or 0)  # type: ignore[call-overload]  # None or a status
        except BaseException:  # noqa: BLE001 - a forked process must not go on as its parent
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def wait(self) -> int:
        """Return the exit status, or the negative number of the signal that ended it."""
        end = time.monotonic() + RUN_SECONDS
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return 999

    def stopped(self) -> int:
        """End it by SIGTERM and return its status."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait()

    def output(self) -> str:
        """Return what it has written."""
        return self.log.read_text(errors="replace")

    def digest(self) -> str:
        """Return the digest with which the run finished."""
        lines = (line for line in self.output().splitlines() if '"run_finished"' in line)
        return next((str(json.loads(line)["digest"]) for line in lines), "")


def observe(storage: Storage, results: Path) -> None:
    """Read the result and list the runs, again and again; write each digest, or error, as a line."""
    sink = StorageSink(storage)
    with results.open("a") as file:
        while True:
            try:
                lines_of(sink)
                line = with_results(sink, (RUN,), lambda run: whole(storage, run))
            except RunNotFound:
                line = "none"
            except Exception as error:  # noqa: BLE001 - whatever a reader meets is reported
                line = f"{type(error).__name__}: {error}".replace("\n", " ")
            file.write(f"{line}\n")
            file.flush()
            time.sleep(0.005)


def whole(storage: Storage, run: PublishedRun) -> str:
    """Return the digest of a run that is read whole."""
    sink = StorageSink(storage)
    for table in run.document.tables:
        stored = run_table(sink, run, table, ["variable"])
        for part in run.parts(table):
            rows = sum(len(group.columns["variable"]) for group in stored.row_groups(part))
            assert rows == part.rows, f"{part.name} has {rows} rows of {part.rows}"
    return run.document.digest


def prune(storage: Storage) -> None:
    """Remove whatever is not in use, again and again."""
    while True:
        prune_once(storage)
        time.sleep(0.05)


def write_data(folder: Path, *, revised: bool) -> None:
    """Write the data; in revised data all of one variable are others. A file is replaced in one step."""
    folder.mkdir(exist_ok=True)
    days = np.datetime64("2020-01-01") + np.arange(182)
    for number, name in enumerate(VARIABLES):
        values = 100 + np.cumsum(np.random.default_rng(number).normal(size=len(days)))
        if revised and name == "c":
            values = values + np.sin(np.arange(len(days)))
        rows = [f"{day},{value:.6f}" for day, value in zip(days, values, strict=True)]
        new = folder / f".{name}.new"
        new.write_text("\n".join(["timestamp,value", *rows, ""]))
        new.replace(folder / f"{name}.csv")


def undisturbed(folder: Path) -> dict[tuple[str, bool], str]:
    """Return the digests of runs that nobody disturbs."""
    digests = {}
    for calibration in ("conformal", "empirical"):
        for revised in (False, True):
            corner = folder / f"undisturbed-{calibration}-{revised}"
            corner.mkdir(parents=True)
            write_data(corner / "data", revised=revised)
            words = [*_WORDS, "--calibration", calibration, "--results", "results", "--data", "data"]

            def run(corner: Path = corner, words: list[str] = words) -> int:
                os.chdir(corner)
                return pulse(words)

            child = Child.started(corner / "log", run)
            if child.wait() != 0:
                raise RuntimeError(child.output())
            digests[calibration, revised] = child.digest()
    if len(set(digests.values())) != len(digests):
        raise RuntimeError("the digests do not differ")
    return digests


@contextmanager
def places(kind: str, folder: Path) -> Iterator[Callable[[int], Place]]:
    """Open a folder or a bucket; return what makes a place in it by number."""
    if kind == "folder":
        yield lambda number: Place(str(folder / f"results-{number}"), FolderStorage(folder / f"results-{number}"), {})
        return
    from tests.servers.seaweedfs import running_seaweedfs

    with running_seaweedfs() as server:
        os.environ.update(server.environment)
        aws = AwsSettings(endpoint_url=server.endpoint)
        yield lambda number: Place(
            f"s3://{BUCKET}/race-{number}", S3Storage(BUCKET, f"race-{number}/", aws, folder / "kept"), {}
        )


def raced(folder: Path, pairs: int, seed: int, kind: str) -> Iterator[dict[str, Any]]:
    """Run pairs, all chosen by a seed; yield what came of each."""
    with ExitStack() as opened:
        place = opened.enter_context(places(kind, folder))
        digests = undisturbed(folder)
        for number in range(pairs):
            pair = Pair.chosen(random.Random(f"{seed}-{kind}-{number}"))
            corner = folder / f"pair-{number}"
            corner.mkdir()
            start = time.monotonic()
            statuses, problems = Race(pair, corner, place(number), digests).problems()
            seconds = round(time.monotonic() - start, 2)
            yield {"pair": number, **attrs.asdict(pair), "statuses": statuses, "s": seconds, "problems": problems}
            if not problems:
                shutil.rmtree(corner)


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--place", choices=("folder", "bucket"), default="folder")
    chosen = parser.parse_args()
    folder = chosen.folder.absolute()
    folder.mkdir(parents=True)
    counts: Counter[str] = Counter()
    for verdict in raced(folder, chosen.pairs, chosen.seed, chosen.place):
        sys.stdout.write(json.dumps(verdict) + "\n")
        sys.stdout.flush()
        counts.update({"pairs": 1, "wrong": bool(verdict["problems"]), f"ends {sorted(verdict['statuses'])}": 1})
    sys.stdout.write(json.dumps(counts) + "\n")
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
