"""The ledger against a model: writers that die between any two file operations, readers, damage, pruning."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pulse.testing.results import per_origin_record, publish, run_result
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.storage import files

KEYS = [f"{number:02x}" * 32 for number in range(3)]
VALUES = {key: per_origin_record(number) for number, key in enumerate(KEYS)}
RUN = run_result(parts=())
OPERATIONS: tuple[tuple[Any, str], ...] = (
    (os, "open"),
    (os, "fsync"),
    (Path, "hardlink_to"),
    (Path, "replace"),
    (Path, "unlink"),
    (Path, "mkdir"),
)


class Died(BaseException):
    """The writer was killed: nothing that it would do afterwards happens."""


@contextmanager
def dying_after(count: int) -> Iterator[None]:
    """Let so many file operations happen, and none of those that follow."""
    left = [count]

    def guarded(operation: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if left[0] <= 0:
                raise Died
            left[0] -= 1
            return operation(*arguments, **options)

        return call

    patches = [mock.patch.object(owner, name, guarded(getattr(owner, name))) for owner, name in OPERATIONS]
    for patch in patches:
        patch.start()
    try:
        yield
    except Died:
        pass
    finally:
        for patch in patches:
            patch.stop()


class LedgerMachine(RuleBasedStateMachine):
    """`certain` holds the keys whose record must be there, `possible` those whose writer died."""

    @initialize()
    def open(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="pulse-ledger-"))
        self.sink = FolderSink(self.root)
        self.certain: set[str] = set()
        self.possible: set[str] = set()
        self.published = False
        # an operation to die at like any other, but the disk need not be waited for
        self.flushing = mock.patch.object(os, "fsync", return_value=None)
        self.flushing.start()

    def teardown(self) -> None:
        self.flushing.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    @rule(key=st.sampled_from(KEYS))
    def record(self, key: str) -> None:
        self.sink.record(key, VALUES[key])
        self.certain.add(key)

    @rule(key=st.sampled_from(KEYS), operations=st.integers(0, 12))
    def record_and_die(self, key: str, operations: int) -> None:
        with dying_after(operations):
            self.sink.record(key, VALUES[key])
        self.possible.add(key)

    @rule(key=st.sampled_from(KEYS))
    def recall(self, key: str) -> None:
        found = self.sink.recall(key)
        if key in self.certain or found is not None:
            assert found == VALUES[key]
            assert key in self.certain | self.possible
            self.certain.add(key)

    @rule(key=st.sampled_from(KEYS), position=st.integers(0, 10_000))
    def damage(self, key: str, position: int) -> None:
        path = self._path(key)
        if path.exists():
            content = bytearray(path.read_bytes())
            content[position % len(content)] ^= 1
            path.write_bytes(content)
            assert self.sink.recall(key) is None
            self.certain.discard(key)
            self.possible.discard(key)

    @rule(key=st.sampled_from(KEYS), operations=st.integers(0, 4))
    def damage_and_die_setting_it_aside(self, key: str, operations: int) -> None:
        path = self._path(key)
        if path.exists():
            path.write_bytes(path.read_bytes()[:-1])
            with dying_after(operations):
                self.sink.recall(key)
            assert self.sink.recall(key) is None
            self.certain.discard(key)
            self.possible.discard(key)

    @rule(key=st.sampled_from(KEYS))
    def prune(self, key: str) -> None:
        self.sink.remove_record(key)
        assert self.sink.recall(key) is None
        self.certain.discard(key)
        self.possible.discard(key)

    @rule(key=st.sampled_from(KEYS), operations=st.integers(0, 2))
    def prune_and_die(self, key: str, operations: int) -> None:
        with dying_after(operations):
            self.sink.remove_record(key)
        if key in self.certain:
            self.certain.discard(key)
            self.possible.add(key)

    @rule()
    def publish(self) -> None:
        publish(self.sink, RUN)
        self.published = True
        assert [path for path in self.root.rglob("*") if files.is_temporary(path.name)] == []

    @rule(operations=st.integers(0, 14))
    def publish_and_die(self, operations: int) -> None:
        with dying_after(operations):
            publish(self.sink, RUN)

    @invariant()
    def what_has_a_name_is_whole(self) -> None:
        if not hasattr(self, "root"):
            return
        listed = {record.name.rpartition("/")[2] for record in self.sink.records() if not record.damaged}
        assert self.certain <= listed <= self.certain | self.possible
        for key in listed:
            assert self.sink.recall(key) == VALUES[key]
        if self.published:
            assert self.sink.read(RUN.run_id, "result.json").endswith(b"}\n")

    def _path(self, key: str) -> Path:
        return self.root / "units" / key[:2] / key


LedgerMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
TestLedger = LedgerMachine.TestCase


def test_the_machine_bites() -> None:
    """A ledger that writes in place leaves half a record when its writer dies."""

    def in_place(path: Path, content: bytes) -> bool:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content[: len(content) // 2])
        os.fsync(os.open(path, os.O_RDONLY))
        path.write_bytes(content)
        return True

    assert any(_notices(in_place, operations) for operations in range(10))


def _notices(create: Callable[[Path, bytes], bool], operations: int) -> bool:
    machine = LedgerMachine()
    machine.open()
    try:
        with mock.patch.object(files, "create", create):
            machine.record_and_die(KEYS[0], operations)
        machine.what_has_a_name_is_whole()
    except AssertionError:
        return True
    finally:
        machine.teardown()
    return False
