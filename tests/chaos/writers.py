"""Everything that writes to a location of results, as actions on a storage; and what a reader must find after any.

The actions are small runs of the core over three variables, so that a writer can be stopped at each of its operations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from typing import Final

import attrs
import numpy as np

from pulse_adapters.published.result_reader import read_result
from pulse_adapters.published.table_reader import run_table
from pulse_adapters.sinks.layout import claim_name
from pulse_adapters.sinks.leases import TRAIN, Claim
from pulse_adapters.sinks.processes import ProcessIdentity
from pulse_adapters.sinks.storage_sink import StorageSink
from pulse_adapters.sinks.verification import Verification
from pulse_adapters.storage.port import Storage
from pulse_core import Observations, RetrodictionTraining, RunSpec
from pulse_core.errors import RunNotFound
from pulse_core.results import RunResult
from tests.fakes import FakeBackend, FakeStore

RUN: Final = "nightly"
LOG: Final = "run.log"
VARIABLES: Final = ("a", "b", "c")
NOW: Final = datetime(2030, 1, 1, tzinfo=UTC)

Action = Callable[[Storage], None]
"""Writes to a storage. Raises what the storage raises."""


@attrs.frozen
class Trained:
    """A run of a spec over data that may have been revised."""

    revised: bool = False
    fresh: bool = False
    hindcasts: bool = False
    calibration: str = "conformal"

    def result(self, storage: Storage) -> RunResult:
        """Train and publish."""
        return RetrodictionTraining(
            store=FakeStore({name: _observations(name, revised=self.revised) for name in VARIABLES}),
            backend=FakeBackend(),
            sink=StorageSink(storage),
            unit_size=2,
            run_id=RUN,
            hindcasts=self.hindcasts,
            fresh=self.fresh,
            clock=lambda: NOW,
        ).execute(_spec(self.calibration))

    def __call__(self, storage: Storage) -> None:
        """Train and publish; say nothing."""
        self.result(storage)


def prune(storage: Storage) -> None:
    """Remove all runs, and all records."""
    sink, later = StorageSink(storage), datetime.now(UTC) + timedelta(days=1)
    for run_id in list(sink.run_ids()):
        try:
            sink.remove_run(run_id, later)
        except RunNotFound:
            continue
    sink.remove_records(list(sink.records()), later)


def attach(storage: Storage) -> None:
    """Attach a log, longer than the one before."""
    StorageSink(storage).attach(RUN, LOG, (StorageSink(storage).storage.read(f"{RUN}/{LOG}") or b"") + b"line\n")


def damage(storage: Storage) -> None:
    """Leave a part that no result names, a damaged pack, and the claim of a process that has ended."""
    sink = StorageSink(storage)
    with sink.part(RUN, "scores/part-00009-of-00010") as writer:
        writer.write({"mae": np.arange(3.0)})
    pack = next(facts.name for facts in sorted(sink.records(), key=attrgetter("name")) if "index" not in facts.name)
    storage.replace(pack, (storage.read(pack) or b"")[:-9] + b"damaged!!")
    ended = attrs.evolve(ProcessIdentity.current(), pid=2**22 + 1)  # above the largest that a system gives
    storage.create(claim_name(RUN), attrs.evolve(Claim.of(RUN, TRAIN, "a"), process=ended).encoded())


def repair(storage: Storage) -> None:
    """Check everything, and repair what can be."""
    verification = Verification(storage, StorageSink(storage), repair=True)
    for _ in (*verification.records(), *verification.run(RUN)):
        pass


FIRST: Final = Trained()
WRITERS: Final[Mapping[str, tuple[tuple[Action, ...], Action]]] = {
    "publish": ((), FIRST),
    "publish hindcasts": ((), Trained(hindcasts=True)),
    "publish again": ((FIRST,), FIRST),
    "publish revised data": ((FIRST,), Trained(revised=True)),
    "publish hindcasts of revised data": ((Trained(hindcasts=True),), Trained(revised=True, hindcasts=True)),
    "fresh": ((Trained(hindcasts=True),), Trained(hindcasts=True, fresh=True)),
    "prune": ((FIRST, Trained(revised=True), attach), prune),
    "attach": ((FIRST, attach), attach),
    "repair": ((FIRST, damage), repair),
}
"""Each writer, and the actions that come before it."""


@attrs.frozen
class Found:
    """What a reader finds: the digest of the published result, None without one; the digests of the variables."""

    digest: str | None
    log: bytes | None


def found(storage: Storage) -> Found:
    """Read all that is published. Raises MalformedData where anything is missing or damaged, AssertionError."""
    sink = StorageSink(storage)
    log = storage.read(f"{RUN}/{LOG}")
    try:
        run = read_result(sink, RUN)
    except RunNotFound:
        return Found(None, log)
    for table in run.document.tables:
        parts, stored = run.parts(table), run_table(sink, run, table, ["variable"])
        read = [sum(len(rows.columns["variable"]) for rows in stored.row_groups(part)) for part in parts]
        assert read == [part.rows for part in parts], f"table {table} has {read} rows a part"
    assert {"scores", "batches"} <= set(run.document.tables)
    return Found(run.document.digest, log)


def strays(storage: Storage, run_id: str = RUN) -> list[str]:
    """Return what nobody needs once a run has published: other parts, claims, what was set aside."""
    run = read_result(StorageSink(storage), run_id)
    needed = {f"{run_id}/{part.name}" for table in run.document.tables for part in run.parts(table)}
    allowed = {f"{run_id}/result.json", f"{run_id}/{LOG}", *needed}
    names = {entry.name for entry in storage.entries("")}
    other = {name for name in names - allowed if name.startswith(f"{run_id}/")}
    return sorted(other | (needed - names) | {name for name in names if name.endswith(".damaged")})


def _spec(calibration: str) -> RunSpec:
    return RunSpec(
        variables=VARIABLES,
        start=date(2020, 1, 1),
        end=date(2020, 2, 20),
        horizon=2,
        batch_size_days=14,
        min_history=2,
        forecasters=("naive", "mean"),
        calibration=calibration,
    )


def _observations(name: str, *, revised: bool) -> Observations:
    """A value a day; in revised data all of one variable are others."""
    numbers = np.cumsum(np.random.default_rng(VARIABLES.index(name)).normal(size=60)) + 100
    if revised and name == "b":
        numbers = numbers + np.sin(np.arange(60))
    days = np.datetime64("2020-01-01", "us") + np.arange(60) * np.timedelta64(1, "D")
    return Observations(name, list(days), list(numbers))


def judge(storage: Storage, before: Found, after: Found, writer: Action, context: str) -> None:
    """Hold what a stopped writer has left against what was there and what should be; then run it again, or a training.

    Raises AssertionError with the context.
    """
    now = found(storage)
    assert now.digest in {before.digest, after.digest}, context
    assert now.log in {before.log, after.log}, context
    again = writer if isinstance(writer, Trained) else FIRST
    again(storage)
    assert not isinstance(writer, Trained) or found(storage).digest == after.digest, context
    left = strays(storage)
    if writer is repair:  # which sets damaged packs aside
        left = [name for name in left if not name.endswith(".damaged")]
    assert left == [], context
