"""Many disturbed runs, one after another, all chosen by a seed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import attrs

from tests.chaos.disturbed import SIGNALS, Stage, Verdict, disturb, kill_the_parent, send
from tests.chaos.memory import LITTLE, MemoryGroup, memory_group, starved
from tests.chaos.places import BucketResults, FolderResults, Results, full, small_disk
from tests.chaos.running import Launch, Running
from tests.chaos.victims import kill, workers_of_dask, workers_of_pulse
from tests.servers.dask_cluster import DaskProcesses
from tests.servers.seaweedfs import free_ports, started

ENGINES = {"serial": ("--backend", "serial"), "processes": ("--backend", "processes", "--max-workers", "2")}
"""Those that need no server."""

Kind = tuple[str, str, str]
"""Engine, place and disturbance."""

KINDS: Mapping[Kind, int] = {
    ("serial", "folder", "parent"): 3,
    ("serial", "folder", "SIGTERM"): 2,
    ("serial", "folder", "SIGINT"): 2,
    ("serial", "folder", "SIGHUP"): 2,
    ("serial", "bucket", "parent"): 2,
    ("serial", "bucket", "SIGTERM"): 1,
    ("processes", "folder", "worker"): 4,
    ("processes", "folder", "parent"): 4,
    ("processes", "folder", "SIGTERM"): 2,
    ("processes", "folder", "SIGINT"): 2,
    ("processes", "folder", "SIGHUP"): 2,
    ("processes", "folder", "memory"): 2,
    ("processes", "disk", "disk"): 2,
    ("processes", "bucket", "worker"): 1,
    ("processes", "bucket", "parent"): 1,
    ("processes", "bucket", "SIGHUP"): 1,
    ("processes", "bucket", "server"): 2,
    ("dask", "folder", "worker"): 2,
    ("dask", "folder", "parent"): 2,
    ("dask", "folder", "SIGTERM"): 1,
    ("dask", "folder", "SIGINT"): 1,
    ("dask", "folder", "SIGHUP"): 1,
    ("dask", "folder", "memory"): 1,
    ("dask", "folder", "scheduler"): 1,
    ("dask", "bucket", "parent"): 1,
}
"""How often each is chosen, relatively."""


@attrs.define
class Campaign:
    """Runs on one set of data; servers are started when first needed, and again when they were killed."""

    folder: Path
    launch: Launch
    seed: int
    stage: Stage
    opened: ExitStack
    kinds: Mapping[Kind, int] = attrs.field(factory=lambda: KINDS)
    seconds: dict[str, float] = attrs.field(factory=dict)
    cluster: DaskProcesses | None = None
    bucket: tuple[BucketResults, ExitStack, dict[str, int]] | None = None

    def run(self, number: int) -> tuple[Kind, Verdict]:
        """Make the run of a number: what is done to it, and when, depend on the seed and the number alone."""
        choose = random.Random(f"{self.seed}-{number}")
        engine, place, disturbance = kind = choose.choices(list(self.kinds), list(self.kinds.values()))[0]
        moment = choose.random()
        with ExitStack() as passing, ExitStack() as filler:
            results = self._results(place, number, passing)
            words = ENGINES[engine] if engine in ENGINES else self._dask()
            delay = moment * self._seconds(engine, words)
            group = passing.enter_context(memory_group()) if disturbance == "memory" else None
            stage = self.stage.within(group) if engine in ENGINES else self.stage
            act: dict[str, Callable[[Running], bool]] = {
                "worker": partial(self._kill_worker, engine, choose),
                "parent": kill_the_parent,
                **{name: partial(send, number) for name, number in SIGNALS.items()},
                "scheduler": partial(self._kill_scheduler, choose),
                "server": partial(self._kill_server, choose),
                "disk": partial(_fill, filler, self.folder / f"disk-{number}"),
                "memory": partial(self._starve, engine, choose, group),
            }
            mends: dict[str, Callable[[], None]] = {
                "scheduler": self._bring_scheduler_back,
                "disk": filler.close,
                "memory": partial(_give_back, group),
            }
            hint = mends.get(disturbance, _nothing)
            return kind, disturb(stage, results, words, disturbance, delay, act[disturbance], hint)

    def _seconds(self, engine: str, words: Sequence[str]) -> float:
        """Return how long an undisturbed run takes."""
        if engine not in self.seconds:
            results, start = FolderResults(self.folder / f"undisturbed-{engine}"), time.monotonic()
            if self.stage.run(results, words).digest != self.stage.digest:
                raise RuntimeError(f"undisturbed, {engine} gives another digest")
            self.seconds[engine] = time.monotonic() - start
        return self.seconds[engine]

    def _results(self, place: str, number: int, passing: ExitStack) -> Results:
        if place == "bucket":
            first, _, _ = self._bucket()
            return attrs.evolve(first, prefix=f"run-{number}")
        if place == "disk":
            return FolderResults(passing.enter_context(small_disk(self.folder / f"disk-{number}")))
        return FolderResults(self.folder / f"run-{number}")

    def _dask(self) -> tuple[str, ...]:
        if self.cluster is None:
            buckets = any(place == "bucket" for _, place, _ in self.kinds)
            environment = self._bucket()[0].environment if buckets else {}
            self.cluster = DaskProcesses(self.folder, environment)
            self.opened.callback(self.cluster.close)
            self.cluster.start()
        return ("--use-dask", "--dask-scheduler-address", self.cluster.address)

    def _bucket(self) -> tuple[BucketResults, ExitStack, dict[str, int]]:
        if self.bucket is None:
            life, ports = self.opened.enter_context(ExitStack()), free_ports()
            (self.folder / "weed").mkdir()
            server, _ = life.enter_context(started(self.folder / "weed", ports))
            self.bucket = (BucketResults(server, ""), life, ports)
        return self.bucket

    def _kill_worker(self, engine: str, choose: random.Random, running: Running) -> bool:
        """Kill a worker, as soon as there is one."""
        while running.poll() is None:
            workers = workers_of_pulse(running.pid) if engine == "processes" else self._dask_workers()
            if workers:
                return kill(choose.choice(workers))
            time.sleep(0.01)
        return False

    def _dask_workers(self) -> list[int]:
        assert self.cluster is not None
        return [pid for nanny in self.cluster.workers for pid in workers_of_dask(nanny.pid)]

    def _starve(self, engine: str, choose: random.Random, group: MemoryGroup | None, running: Running) -> bool:
        """Let the memory run out of a whole run, or of a worker of Dask; whether it hit says the kernel."""
        assert group is not None
        for_good = choose.random() < 0.5
        if engine == "dask":
            group.limit(LITTLE)
            group.take(choose.choice(self._dask_workers()))
        return starved(group, running, for_good=for_good)

    def _kill_scheduler(self, choose: random.Random, running: Running) -> bool:
        del running
        assert self.cluster is not None
        self.cluster.close()
        if choose.random() < 0.5:
            self.cluster.start()
        return True

    def _bring_scheduler_back(self) -> None:
        assert self.cluster is not None
        if not self.cluster.workers:
            self.cluster.start()

    def _kill_server(self, choose: random.Random, running: Running) -> bool:
        del running
        _, life, ports = self._bucket()
        life.close()
        time.sleep(choose.uniform(0.0, 1.0))
        life.enter_context(started(self.folder / "weed", ports))
        return True


@contextmanager
def campaign(folder: Path, launch: Launch, seed: int, kinds: Mapping[Kind, int] = KINDS) -> Iterator[Campaign]:
    """Set the stage; in the end all servers are killed."""
    with ExitStack() as opened:
        stage = Stage.set(folder, launch, FolderResults(folder / "undisturbed"))
        yield Campaign(folder, launch, seed, stage, opened, kinds)


def _fill(filler: ExitStack, disk: Path, running: Running) -> bool:
    del running
    filler.enter_context(full(disk))
    return True


def _give_back(group: MemoryGroup | None) -> None:
    assert group is not None
    group.limit(None)


def _nothing() -> None:
    pass
