"""Packs against a model: a list of dicts. Two writers, damage, lost indexes, pruning, writers that die under way."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
from pathlib import Path
from unittest import mock

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pulse.testing.results import data_snapshot, variable_batches, variable_scores
from pulse_adapters.sinks.folder import FolderSink
from pulse_core.results import Record
from tests.unit.sinks.test_ledger_machine import dying_after

GROUP = "1a" * 16
KEYS = [f"{number:02x}" * 32 for number in range(5)]
GIVEN = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 2), min_size=1)
WRITERS = st.integers(0, 1)


def record_of(key: str, seed: int) -> Record:
    """A record of the kind of its key."""
    if key == KEYS[4]:
        return data_snapshot(last_day=f"2022-03-{seed + 1:02}")
    return variable_scores(seed) if KEYS.index(key) % 2 else variable_batches(seed)


@attrs.define
class Pack:
    """What the model knows of a pack: its file, what it holds, whether it is damaged."""

    path: Path
    records: dict[str, Record]
    is_damaged: bool = False


class PacksMachine(RuleBasedStateMachine):
    """`packs` are those that exist, in the order of their packing."""

    @initialize()
    def open(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="pulse-packs-"))
        self.writers = [FolderSink(self.root), FolderSink(self.root)]
        self.packs: list[Pack] = []
        self.ever: dict[str, list[Record]] = {key: [] for key in KEYS}
        # an operation to die at like any other, but the disk need not be waited for
        self.flushing = mock.patch.object(os, "fsync", return_value=None)
        self.flushing.start()

    def teardown(self) -> None:
        self.flushing.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    @rule(writer=WRITERS, given=GIVEN)
    def pack(self, writer: int, given: dict[str, int]) -> None:
        records = self._records(given)
        self.writers[writer].pack(GROUP, records)
        self._note(records)
        assert set(self._files()) == {pack.path for pack in self.packs}

    @rule(writer=WRITERS, given=GIVEN, operations=st.integers(0, 8))
    def pack_and_die(self, writer: int, given: dict[str, int], operations: int) -> None:
        records = self._records(given)
        with dying_after(operations):
            pickle.loads(pickle.dumps(self.writers[writer])).pack(GROUP, records)
        self._note(records)

    @rule(index=st.integers(0, 9), position=st.integers(0, 10_000), bit=st.integers(0, 7))
    def damage(self, index: int, position: int, bit: int) -> None:
        if self.packs:
            pack = self.packs[index % len(self.packs)]
            content = bytearray(pack.path.read_bytes())
            content[position % len(content)] ^= 1 << bit
            pack.path.write_bytes(content)
            pack.is_damaged = True

    @rule(index=st.integers(0, 9))
    def prune(self, index: int) -> None:
        if self.packs:
            self.packs.pop(index % len(self.packs)).path.unlink()

    @rule(writer=WRITERS, fresh=st.booleans())
    def index(self, writer: int, fresh: bool) -> None:
        sink = self.writers[writer]
        (pickle.loads(pickle.dumps(sink)) if fresh else sink).index(GROUP)
        self._sync()

    @rule(operations=st.integers(0, 10))
    def index_and_die(self, operations: int) -> None:
        with dying_after(operations):
            FolderSink(self.root).index(GROUP)
        self._sync()

    @rule(position=st.integers(-1, 10_000))
    def lose_an_index(self, position: int) -> None:
        for path in list(self._folder().glob("index-*"))[:1]:
            content = bytearray(path.read_bytes())
            if position < 0:
                path.unlink()
            else:
                content[position % len(content)] ^= 1
                path.write_bytes(content)

    @rule(keys=st.lists(st.sampled_from(KEYS), min_size=1))
    def recall_anew(self, keys: list[str]) -> None:
        """A process that starts now finds what was packed last in a pack that is sound."""
        with FolderSink(self.root).recalling(GROUP, keys) as recall:
            for key in keys:
                assert recall(key) in self._allowed(key)
        self._sync()

    @rule(writer=WRITERS, keys=st.lists(st.sampled_from(KEYS), min_size=1))
    def recall(self, writer: int, keys: list[str]) -> None:
        """One that has been at work may remember what was packed before, but not more, and no wrong number."""
        with self.writers[writer].recalling(GROUP, keys) as recall:
            for key in keys:
                found = recall(key)
                must = any(key in pack.records and not pack.is_damaged for pack in self.packs)
                assert found in self.ever[key] if found is not None else not must
        self._sync()

    def _records(self, given: dict[str, int]) -> dict[str, Record]:
        return {key: record_of(key, seed) for key, seed in given.items()}

    def _allowed(self, key: str) -> list[Record | None]:
        """What may be recalled: of damaged packs what is sound in them, of sound ones the last."""
        allowed: list[Record | None] = []
        for pack in reversed(self.packs):
            if key in pack.records:
                allowed.append(pack.records[key])
                if not pack.is_damaged:
                    return allowed
        return [*allowed, None]

    def _note(self, records: dict[str, Record]) -> None:
        """Take in a pack that was stored; a writer that died may have stored none."""
        known = {pack.path for pack in self.packs}
        self.packs += [Pack(path, records) for path in self._files() if path not in known]
        for key, record in records.items():
            self.ever[key].append(record)
        self._sync()

    def _sync(self) -> None:
        """Drop the packs that were set aside: only damaged ones may be."""
        files = set(self._files())
        assert all(pack.is_damaged for pack in self.packs if pack.path not in files)
        self.packs = [pack for pack in self.packs if pack.path in files]

    def _folder(self) -> Path:
        return self.root / "records" / GROUP

    def _files(self) -> list[Path]:
        return [path for path in self._folder().glob("*") if len(path.name) == 32]


PacksMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestPacks = PacksMachine.TestCase


def test_the_machine_bites(monkeypatch) -> None:
    """It notices a sink in which what was packed first hides the rest."""
    machine = PacksMachine()
    machine.open()
    try:
        for seed in (1, 2):
            machine.pack(0, {KEYS[0]: seed})
        machine.recall_anew([KEYS[0]])
        monkeypatch.setattr(FolderSink, "recalling", _first_pack_only)
        with pytest.raises(AssertionError):
            machine.recall_anew([KEYS[0]])
    finally:
        machine.teardown()


def _first_pack_only(self: FolderSink, group: str, keys: list[str]):
    """A sink in which the first that was packed hides the others."""
    opened = self._packs._group(group)
    opened.look_for(keys)
    opened._entries = dict(sorted(opened._entries.items(), key=lambda item: item[1].packed_at)[:1])
    opened._table = None
    return mock.MagicMock(__enter__=lambda _: opened.recall, __exit__=lambda *_: None)
