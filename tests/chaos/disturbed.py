"""One disturbed run: started, disturbed at a moment, run again; and what must hold of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from pulse_adapters.backends.host.deaths import BY_MEMORY
from tests.chaos.memory import MemoryGroup
from tests.chaos.places import Results, finished_variables, records_of, strays_of
from tests.chaos.running import Launch, Running
from tests.chaos.victims import ends, kill

VARIABLES = 36
CHEAP = ("naive", "drift", "mean", "window-mean", "mean-of-all", "median-of-all")
SIGNALS = {number.name: number for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
_RUN_SECONDS = 120.0
_LEFT_SECONDS = 20.0


@attrs.frozen
class Verdict:
    """What came of a disturbed run. `problems` is empty where nothing was lost."""

    disturbance: str
    hit: bool
    statuses: tuple[int, ...]
    recorded_before: int
    recalled: int
    problems: tuple[str, ...]


@attrs.frozen
class Stage:
    """Data, and what an undisturbed run makes of them."""

    folder: Path
    launch: Launch
    digest: str = ""
    records: Mapping[str, list[bytes]] = attrs.field(factory=dict)

    @classmethod
    def set(cls, folder: Path, launch: Launch, results: Results) -> Stage:
        """Write the data and run undisturbed."""
        _write_data(folder / "data")
        stage = cls(folder, launch)
        done = stage.run(results, ("--backend", "serial"))
        if done.status != 0:
            raise RuntimeError(f"the undisturbed run failed: {done.output}")
        return attrs.evolve(stage, digest=done.digest, records=records_of(results))

    def start(self, results: Results, engine: Sequence[str]) -> tuple[Running, Path]:
        """Start a run."""
        log = self.folder / f"log-{time.monotonic_ns()}"
        words = [
            *("train", "--variables", *(f"v{number:02}" for number in range(VARIABLES))),
            *("--start-date", "2020-03-01", "--end-date", "2020-07-31", "--horizon", "2", "--unit-size", "2"),
            *("--forecasters", *CHEAP, "--results", results.name, "--log-dir", str(self.folder / "logs"), *engine),
        ]
        return self.launch(words, self.folder, results.environment, log), log

    def within(self, group: MemoryGroup | None) -> Stage:
        """Start what is started in a group, if there is one."""
        if group is None:
            return self
        launch = self.launch

        def launch_within(words: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> Running:
            running = launch(words, folder, environment, log)
            group.take(running.pid)
            return running

        return attrs.evolve(self, launch=launch_within)

    def run(self, results: Results, engine: Sequence[str]) -> Done:
        """Run to the end."""
        running, log = self.start(results, engine)
        status = running.wait(timeout=_RUN_SECONDS)
        return Done.of(status, log)


@attrs.frozen
class Done:
    """A run that came to its end."""

    status: int
    output: str
    digest: str = ""
    recalled: int = 0

    @classmethod
    def of(cls, status: int, log: Path) -> Done:
        """Read what it said."""
        output = log.read_text()
        finished: dict[str, Any] = {}
        for line in output.splitlines():
            if line.startswith("{") and '"run_finished"' in line:
                finished = json.loads(line)
        return cls(status, output[-2000:], str(finished.get("digest", "")), int(finished.get("recalled", 0)))


def disturb(
    stage: Stage,
    results: Results,
    engine: Sequence[str],
    disturbance: str,
    delay: float,
    act: Callable[[Running], bool],
    hint: Callable[[], None],
) -> Verdict:
    """Start a run, disturb it after a delay, run it again until it is done, and judge.

    `act` disturbs and says whether it hit anything; `mend` puts right what the run needs to be run again.
    """
    running, log = stage.start(results, engine)
    hit = _after(running, delay) and act(running)
    try:
        statuses = [running.wait(timeout=_RUN_SECONDS)]
    except subprocess.TimeoutExpired:
        kill(running.pid)
        return Verdict(disturbance, hit, (), 0, 0, ("it did not end",))
    problems = [] if ends(running.pid, _LEFT_SECONDS) else ["processes were left behind"]
    done = Done.of(statuses[0], log)
    if disturbance == "memory" and done.status == 1 and BY_MEMORY not in done.output:
        problems.append(f"that memory ran out is not named: {done.output}")
    hint()
    before = records_of(results)
    recalled = done.recalled
    if statuses[0] != 0:
        done = stage.run(results, engine)
        statuses.append(done.status)
        recalled = done.recalled
        finished = finished_variables(before)
        if recalled < finished:
            problems.append(f"{finished} were recorded, and {recalled} recalled")
    problems += _judge(stage, results, done, before, disturbance, statuses[0])
    return Verdict(disturbance, hit, tuple(statuses), len(before), recalled, tuple(problems))


def kill_the_parent(running: Running) -> bool:
    """Kill the coordinator."""
    return kill(running.pid)


def send(number: signal.Signals, running: Running) -> bool:
    """Ask the coordinator to end."""
    os.kill(running.pid, number)
    return True


def started(words: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> Running:
    """Start the real command (a Launch)."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "pulse_entrypoints", *words],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _after(running: Running, delay: float) -> bool:
    """Wait; return whether it still runs."""
    end = time.monotonic() + delay
    while time.monotonic() < end:
        if running.poll() is not None:
            return False
        time.sleep(0.005)
    return running.poll() is None


def _judge(
    stage: Stage, results: Results, done: Done, before: Mapping[str, list[bytes]], disturbance: str, first: int
) -> list[str]:
    problems = []
    # of memory: the kernel takes a worker where it can, and now and then the coordinator, as when there is no worker
    by_disturbance = {"worker": (0,), "parent": (0, -9), "memory": (0, 1, -9), **dict.fromkeys(SIGNALS, (0, 75))}
    expected: tuple[int, ...] = by_disturbance.get(disturbance, (0, 1, 75))
    if disturbance in SIGNALS and first == -SIGNALS[disturbance] and not before:  # before Python had begun to listen
        expected = (first,)
    if first not in expected:
        problems.append(f"it ended with {first}")
    if done.status != 0:
        problems.append(f"run again it ended with {done.status}: {done.output[-500:]}")
    elif done.digest != stage.digest:
        problems.append(f"the digest is {done.digest}")
    after = records_of(results)
    if after != stage.records:
        twice = [key for key, contents in after.items() if len(contents) > 1]
        problems.append(f"{len(after)} records, undisturbed {len(stage.records)}, not the same; {len(twice)} twice")
    if any(after.get(key) != contents for key, contents in before.items()):
        problems.append("what was recorded before has changed")
    if done.status == 0:
        problems.extend(f"stray: {stray}" for stray in strays_of(results))
    return problems


def _write_data(folder: Path) -> None:
    folder.mkdir()
    days = np.datetime64("2020-01-01") + np.arange(220)
    for number in range(VARIABLES):
        values = 100 + np.cumsum(np.random.default_rng(number).normal(size=len(days)))
        rows = [f"{day},{value:.6f}" for day, value in zip(days, values, strict=True)]
        (folder / f"v{number:02}.csv").write_text("\n".join(["timestamp,value", *rows, ""]))
