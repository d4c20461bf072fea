"""Packs and their indexes: one object a unit, found with few reads; damage is noticed, set aside and worked around."""

from __future__ import annotations

import os
import pickle
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from pulse.testing.results import data_snapshot, variable_batches, variable_scores
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.sinks.pack_index import LARGEST, to_merge
from pulse_adapters.sinks.pack_store import StoragePacks
from pulse_adapters.sinks.packs import DamagedPack, OutdatedPack, decode_head, encode_pack
from pulse_core.errors import SinkUnavailable
from pulse_core.results import Record
from tests.fakes import FakeStorage

GROUP = "1a" * 16
KEYS = [f"{number:02x}" * 32 for number in range(1, 5)]
RECORDS: dict[str, Record] = {
    KEYS[0]: data_snapshot(),
    KEYS[1]: variable_scores(1),
    KEYS[2]: variable_batches(2),
    KEYS[3]: variable_batches(3, "b"),
}


@attrs.frozen
class CountingStorage(FakeStorage):
    """Notes what is asked of it."""

    calls: list[str] = attrs.field(factory=list)

    def read(self, name: str) -> bytes | None:
        self.calls.append("read")
        return FakeStorage.read(self, name)

    def read_range(self, name: str, start: int, length: int) -> bytes | None:
        self.calls.append("range")
        content = FakeStorage.read(self, name)
        return None if content is None else content[start : start + length]

    def names(self, prefix: str):
        self.calls.append("names")
        return FakeStorage.names(self, prefix)


@attrs.frozen
class NoisyStorage(FakeStorage):
    """Flips the last bit of every range on its way."""

    def read_range(self, name: str, start: int, length: int) -> bytes | None:
        content = FakeStorage.read_range(self, name, start, length)
        return content and content[:-1] + bytes([content[-1] ^ 1])


@pytest.fixture
def sink(tmp_path: Path) -> FolderSink:
    return FolderSink(tmp_path / "results")


def folder_of(sink: FolderSink) -> Path:
    return sink.root / "records" / GROUP


def packs_in(sink: FolderSink) -> list[Path]:
    return sorted(path for path in folder_of(sink).iterdir() if len(path.name) == 32)


def indexes_in(sink: FolderSink) -> list[Path]:
    return sorted(folder_of(sink).glob("index-*"))


def another(sink: Any) -> Any:
    """Return a sink of the same place that knows nothing yet."""
    return type(sink)(sink.root if isinstance(sink, FolderSink) else sink.storage)


def recalled(sink: FolderSink | StoragePacks, keys: Sequence[str] = KEYS) -> dict[str, Record | None]:
    """What a sink that knows nothing yet finds under these keys."""
    with another(sink).recalling(GROUP, keys) as recall:
        return {key: recall(key) for key in keys}


def test_a_unit_is_one_file_named_by_its_bytes(sink):
    sink.pack(GROUP, RECORDS)
    assert [len(path.name) for path in folder_of(sink).iterdir()] == [32]
    assert recalled(sink) == RECORDS


def test_snapshots_and_scores_stand_in_the_front():
    head = decode_head(encode_pack(RECORDS, 7))
    assert [head.is_in_front(key) for key in KEYS] == [True, True, False, False]
    assert head.packed_at == 7


@pytest.mark.parametrize("key", ["", "ab", "AB" * 32, "ab" * 33, "xy" * 32])
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(ValueError, match="is no key"):
        encode_pack({key: data_snapshot()}, 1)


@pytest.mark.parametrize("group", ["", "../..", "1a", "1A" * 16, "1a" * 17])
def test_a_group_that_is_none_is_refused(sink, group):
    with pytest.raises(ValueError, match="is no group"):
        sink.pack(group, RECORDS)
    with pytest.raises(ValueError, match="is no group"), sink.recalling(group, KEYS):
        pass


def test_two_fsyncs_store_a_unit(sink, monkeypatch):
    sink.pack(GROUP, RECORDS)  # makes the folders
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    sink.pack(GROUP, RECORDS)
    assert len(flushed) == 2


def test_what_another_packs_is_found_although_it_was_not_there_before(sink):
    other = another(sink)
    with sink.recalling(GROUP, KEYS) as recall:
        assert recall(KEYS[0]) is None
    other.pack(GROUP, RECORDS)
    with sink.recalling(GROUP, KEYS) as recall:
        assert {key: recall(key) for key in KEYS} == RECORDS


def test_the_last_pack_hides_the_others_whatever_the_clocks_say(sink, monkeypatch):
    for second, seed in ((9, 1), (8, 2), (8, 3)):
        monkeypatch.setattr("pulse_adapters.sinks.pack_store.time.time_ns", lambda second=second: second * 10**9)
        another(sink).pack(GROUP, {KEYS[0]: variable_scores(seed)})
    assert recalled(sink, KEYS[:1]) == {KEYS[0]: variable_scores(3)}


@pytest.mark.parametrize("indexed", [False, True])
def test_a_bit_that_flips_in_any_byte_of_a_pack_is_noticed_and_the_pack_set_aside(indexed):
    storage, generator = FakeStorage(), random.Random(5)
    packs = StoragePacks(storage)
    packs.pack(GROUP, {KEYS[1]: variable_scores(9)})
    packs.pack(GROUP, RECORDS)
    if indexed:
        packs.index(GROUP)
    sound = dict(storage.files)
    name = max((name for name in sound if "index" not in name), key=lambda name: len(sound[name][0]))
    head, end = decode_head(sound[name][0]).front[0], len(sound[name][0])
    edges = (head, decode_head(sound[name][0]).front[1], end)
    near = {edge + step for edge in edges for step in range(-40, 40) if 0 <= edge + step < end}
    for position in sorted({*range(0, head, 3), *near, *generator.sample(range(end), 200)}):
        storage.files.clear()
        storage.files.update(sound)
        damaged = bytearray(sound[name][0])
        damaged[position] ^= 1 << generator.randrange(8)
        storage.files[name] = bytes(damaged), sound[name][1]
        with StoragePacks(storage).recalling(GROUP, KEYS) as recall:
            found = {key: recall(key) for key in KEYS}
        if chr(damaged[position]).isdecimal() and position == 11:  # the number of the layout: of another version
            assert found == dict.fromkeys(KEYS, None) | {KEYS[1]: variable_scores(9)}
            continue
        # what was recalled before the damage was met is right; the older pack stands for what is gone
        assert all(found[key] in (RECORDS[key], None) for key in KEYS if key != KEYS[1])
        assert found[KEYS[1]] in (RECORDS[KEYS[1]], variable_scores(9))
        assert name not in storage.files, position
        assert f"{name}.damaged" in storage.files


def test_what_was_damaged_on_its_way_only_is_read_again_and_stays():
    storage = NoisyStorage()
    packs = StoragePacks(storage)
    packs.pack(GROUP, RECORDS)
    assert recalled(packs) == RECORDS
    assert not any("damaged" in name for name in storage.files)


def test_records_of_two_keys_that_were_swapped_are_noticed(sink):
    one, other = variable_scores(1), variable_scores(2)
    sink.pack(GROUP, {KEYS[0]: one, KEYS[1]: other})
    (path,) = packs_in(sink)
    swapped = encode_pack({KEYS[1]: one, KEYS[0]: other}, 1)
    head, swapped_head = decode_head(path.read_bytes()), decode_head(swapped)
    # the head says what it said, but each key's bytes are the other's, under sound checksums of their own
    assert [length for _, length in head.places.values()] == [length for _, length in swapped_head.places.values()]
    path.write_bytes(path.read_bytes()[: head.front[0]] + swapped[swapped_head.front[0] :])
    assert recalled(sink, KEYS[:2]) == {KEYS[0]: None, KEYS[1]: None}
    assert [path.suffix for path in folder_of(sink).iterdir()] == [".damaged"]


def test_a_pack_of_another_layout_is_left_alone_and_holds_nothing(sink):
    sink.pack(GROUP, RECORDS)
    (path,) = packs_in(sink)
    path.write_bytes(path.read_bytes().replace(b"pulse-pack 1", b"pulse-pack 2"))
    assert recalled(sink) == dict.fromkeys(KEYS)
    assert packs_in(sink) == [path]
    with pytest.raises(OutdatedPack, match="layout 2"):
        decode_head(path.read_bytes())


@pytest.mark.parametrize("content", [b"", b"pulse", b"pulse-pack 1\n", b"pulse-pack 1\n" + bytes(36)])
def test_foreign_content_is_damaged(content):
    with pytest.raises(DamagedPack):
        decode_head(content)


@pytest.mark.parametrize("what", ["pipe", "folder", "loop", "folder with a file"])
def test_what_stands_in_the_place_of_a_pack_keeps_nobody_waiting(sink, what):
    sink.pack(GROUP, RECORDS)
    sink.index(GROUP)
    (path,) = packs_in(sink)
    stood_in(path, what)
    assert recalled(sink) == dict.fromkeys(KEYS)
    sink.pack(GROUP, RECORDS)
    assert recalled(sink) == RECORDS


@pytest.mark.parametrize("what", ["pipe", "folder", "loop"])
def test_what_stands_in_the_place_of_a_single_record_is_told_with_a_hint_that_works(sink, what):
    sink.record(KEYS[0], variable_scores())
    path = sink.root / "units" / KEYS[0][:2] / KEYS[0]
    stood_in(path, what)
    with pytest.raises(SinkUnavailable, match=r"Remove (what|the folder|the link) .*stands there") as caught:
        sink.recall(KEYS[0])
    assert str(path) in caught.value.context
    path.rmdir() if what == "folder" else path.unlink()
    assert sink.recall(KEYS[0]) is None
    sink.record(KEYS[0], variable_scores())
    assert sink.recall(KEYS[0]) == variable_scores()


def stood_in(path: Path, what: str) -> None:
    """Put something that is no file in the place of a file."""
    path.unlink()
    if what == "pipe":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(path)
    else:
        path.mkdir()
        if what == "folder with a file":
            (path / path.name).write_bytes(b"x")


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda path: path.write_bytes(b"x"), lambda path: stood_in(path, "pipe")]
)
def test_an_index_that_is_missing_or_damaged_costs_time_only(sink, spoil):
    for key, record in RECORDS.items():
        sink.pack(GROUP, {key: record})
    sink.index(GROUP)
    (index,) = indexes_in(sink)
    spoil(index)
    assert recalled(sink) == RECORDS


def test_a_damaged_index_is_replaced(sink):
    sink.pack(GROUP, RECORDS)
    sink.index(GROUP)
    (index,) = indexes_in(sink)
    index.write_bytes(b"x")
    another(sink).index(GROUP)
    assert index not in indexes_in(sink)
    assert len(indexes_in(sink)) == 1


def test_indexes_are_merged_and_their_number_grows_with_the_logarithm(sink):
    for number in range(40):
        sink.pack(GROUP, {f"{number:064x}": data_snapshot()})
        sink.index(GROUP)
        assert len(indexes_in(sink)) <= 6
    keys = [f"{number:064x}" for number in range(40)]
    assert recalled(sink, keys) == dict.fromkeys(keys, data_snapshot())


def test_an_index_forgets_packs_that_are_gone(sink):
    for key, record in RECORDS.items():
        sink.pack(GROUP, {key: record})
    sink.index(GROUP)
    for path in packs_in(sink):
        path.unlink()
    sink.pack(GROUP, {KEYS[0]: RECORDS[KEYS[0]]})
    another(sink).index(GROUP)
    assert recalled(sink) == dict.fromkeys(KEYS) | {KEYS[0]: RECORDS[KEYS[0]]}


@pytest.mark.parametrize(
    ("new", "indexes", "merged"),
    [
        (1, {}, []),
        (1, {"a": 1}, ["a"]),
        (1, {"a": 2}, []),
        (1, {"a": 1, "b": 2, "c": 5}, ["a", "b"]),
        (10, {"a": 100, "b": 3}, ["b"]),
        (LARGEST, {"a": 1}, []),
        (LARGEST - 1, {"a": 1, "b": 1}, ["a"]),
    ],
)
def test_indexes_are_merged_with_what_is_no_smaller(new: int, indexes: Mapping[str, int], merged: list[str]) -> None:
    assert to_merge(new, list(indexes.items())) == merged


@pytest.mark.parametrize("indexed", [False, True])
def test_a_pack_is_recalled_with_one_read_of_its_front_and_one_of_the_rest(indexed):
    storage = CountingStorage()
    packs = StoragePacks(storage)
    for number in range(3):
        packs.pack(GROUP, {key[:-1] + str(number): record for key, record in RECORDS.items()})
    if indexed:
        packs.index(GROUP)
    again = another(packs)
    storage = again.storage
    storage.calls.clear()
    fronts, rests = ([key[:-1] + str(number) for key in keys for number in range(3)] for keys in (KEYS[:2], KEYS[2:]))
    for keys, ranges in ((fronts, 3), (rests, 3), (fronts, 0)):
        with again.recalling(GROUP, keys) as recall:
            assert None not in [recall(key) for key in keys]
        heads = 0 if indexed or ranges == 0 or keys is rests else 3
        assert storage.calls.count("range") == ranges + heads
        assert storage.calls.count("names") == (1 if keys is fronts and ranges else 0)
        storage.calls.clear()


def test_a_pack_whose_head_is_longer_than_is_guessed_is_read(monkeypatch):
    monkeypatch.setattr("pulse_adapters.sinks.pack_store.LIKELY_HEAD", 60)
    packs = StoragePacks(FakeStorage())
    packs.pack(GROUP, RECORDS)
    assert recalled(packs) == RECORDS


def test_a_pack_that_is_removed_while_it_is_used_holds_nothing_more(sink):
    sink.pack(GROUP, RECORDS)
    fresh = another(sink)
    with fresh.recalling(GROUP, KEYS) as recall:
        for path in packs_in(sink):
            path.unlink()
        assert [recall(key) for key in KEYS] == [None] * 4
    sink.pack(GROUP, RECORDS)
    with fresh.recalling(GROUP, KEYS) as recall:
        assert {key: recall(key) for key in KEYS} == RECORDS


def test_what_is_in_memory_is_bounded(monkeypatch):
    monkeypatch.setattr("pulse_adapters.sinks.pack_store._KEPT_BYTES", 1)
    packs = StoragePacks(FakeStorage())
    keys = [f"{number:064x}" for number in range(5)]
    for key in keys:
        packs.pack(GROUP, {key: variable_scores()})
    again = another(packs)
    with again.recalling(GROUP, keys) as recall:
        for key in keys:
            assert recall(key) == variable_scores()
            assert len(again._group(GROUP)._open) == 1


def test_a_copy_made_by_pickling_knows_what_is_known_and_lists_nothing():
    storage = CountingStorage()
    packs = StoragePacks(storage)
    packs.pack(GROUP, RECORDS)
    storage.calls.clear()
    copy = pickle.loads(pickle.dumps(packs))
    with copy.recalling(GROUP, ()) as recall:
        assert {key: recall(key) for key in KEYS} == RECORDS
    assert "names" not in copy.storage.calls


def test_a_pickled_copy_looks_anew_for_a_key_that_it_does_not_know():
    storage = FakeStorage()
    packs = StoragePacks(storage)
    packs.pack(GROUP, {KEYS[0]: RECORDS[KEYS[0]]})
    copy = pickle.loads(pickle.dumps(packs))
    StoragePacks(copy.storage).pack(GROUP, {KEYS[1]: RECORDS[KEYS[1]]})
    with copy.recalling(GROUP, KEYS[:2]) as recall:
        assert recall(KEYS[1]) == RECORDS[KEYS[1]]


def test_a_run_that_packed_nothing_lists_nothing_to_index_unless_a_pack_has_no_index():
    storage = CountingStorage()
    StoragePacks(storage).pack(GROUP, RECORDS)
    for expected in (1, 0):  # the first finds a pack that a killed run has left without an index
        packs = StoragePacks(storage)
        with packs.recalling(GROUP, ()):
            pass
        before = set(storage.files)
        storage.calls.clear()
        packs.index(GROUP, packed=False)
        assert ("names" in storage.calls, len(set(storage.files) - before)) == (False, expected)
