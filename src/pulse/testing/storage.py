"""The contract of Storage: files by name, each whole or absent, whoever writes at the same time."""

from __future__ import annotations

import hashlib
import pickle
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import pytest

from pulse_adapters.storage.port import DAMAGED, Storage

NAME: Final = "units/ab/abcd"
OTHER: Final = "units/cd/cdef"
LARGE: Final = bytes(range(256)) * 40_000
A_MINUTE: Final = timedelta(minutes=1)


class StorageContract(ABC):
    """Subclass it, and say in `open` how an empty storage comes to be."""

    @abstractmethod
    def open(self) -> AbstractContextManager[Storage]:
        """Open a new, empty storage; the context's end removes it."""

    @pytest.fixture
    def storage(self) -> Iterator[Storage]:
        """Open a storage, send it through pickle, as to a worker, and hand out the copy that arrives."""
        with self.open() as storage:
            yield pickle.loads(pickle.dumps(storage))

    def test_what_was_never_written_is_none(self, storage: Storage) -> None:
        assert storage.read(NAME) is None

    @pytest.mark.parametrize("content", [b"", b"x", LARGE], ids=["empty", "small", "large"])
    def test_every_way_of_writing_keeps_every_byte(self, storage: Storage, content: bytes) -> None:
        storage.create("a/created", content)
        storage.replace("a/replaced", content)
        write_draft(storage, "a/drafted", content[:5], content[5:])
        assert [storage.read(f"a/{how}") == content for how in ("created", "replaced", "drafted")] == [True] * 3

    def test_files_that_are_read_one_after_another_are_read_in_any_order(self, storage: Storage) -> None:
        for number in range(40):
            storage.create(f"many/{number}", b"%d" % number)
        listed = [f"many/{number}" for number in range(41)]
        with storage.reading([*listed, *listed]) as read:
            contents = {name: read(name) for name in [*listed[20:], *reversed(listed), NAME]}
        assert contents == {f"many/{number}": b"%d" % number for number in range(40)} | {"many/40": None, NAME: None}

    def test_creating_says_whether_there_was_none(self, storage: Storage) -> None:
        assert storage.create(NAME, b"one")
        assert not storage.create(NAME, b"two")
        assert storage.read(NAME) == b"one"

    def test_of_creators_at_once_one_wins(self, storage: Storage) -> None:
        with ThreadPoolExecutor(8) as threads:
            firsts = list(threads.map(lambda number: storage.create(NAME, b"%d" % number), range(8)))
        assert firsts.count(True) == 1
        assert storage.read(NAME) == b"%d" % firsts.index(True)

    def test_replacing_leaves_the_new_one(self, storage: Storage) -> None:
        storage.replace(NAME, b"a long one")
        storage.replace(NAME, b"short")
        assert storage.read(NAME) == b"short"

    def test_an_exchange_needs_what_it_expects_and_else_changes_nothing(self, storage: Storage) -> None:
        steps: tuple[tuple[bytes | None, bytes | None, bool, bytes | None], ...] = (
            (b"x", b"a", False, None),
            (b"x", None, False, None),
            (None, None, True, None),
            (None, b"a", True, b"a"),
            (None, b"b", False, b"a"),
            (None, None, False, b"a"),
            (b"b", b"c", False, b"a"),
            (b"b", None, False, b"a"),
            (b"a", b"", True, b""),
            (b"", b"c", True, b"c"),
            (b"c", None, True, None),
        )
        for before, after, exchanged, content in steps:
            assert storage.exchange(NAME, before, after) is exchanged
            assert storage.read(NAME) == content
        assert entry_names(storage, "") == []
        assert list(storage.folders()) == []

    def test_of_those_who_exchange_the_same_content_at_once_one_wins(self, storage: Storage) -> None:
        content: bytes | None = None
        with ThreadPoolExecutor(8) as threads:
            for turn in range(5):
                contents = [b"%d-%d" % (turn, number) for number in range(8)]
                wins = list(threads.map(partial(storage.exchange, NAME, content), contents))
                assert wins.count(True) == 1
                content = contents[wins.index(True)]
                assert storage.read(NAME) == content
            assert list(threads.map(partial(storage.exchange, NAME, content), [None] * 8)).count(True) == 1
        assert storage.read(NAME) is None

    def test_a_draft_replaces_when_it_is_finished_and_not_before(self, storage: Storage) -> None:
        storage.replace(NAME, b"old")
        draft = storage.draft(NAME)
        draft.file.write(b"new")
        assert storage.read(NAME) == b"old"
        draft.finish()
        draft.discard()
        assert storage.read(NAME) == b"new"

    def test_a_draft_can_be_given_another_name_once_it_is_written(self, storage: Storage) -> None:
        draft = storage.draft(NAME)
        draft.file.write(b"new")
        draft.finish(f"{NAME}-named")
        draft.discard()
        assert entry_names(storage, "") == [f"{NAME}-named"]
        assert storage.read(f"{NAME}-named") == b"new"

    def test_a_file_fits_its_own_size_and_checksum_alone(self, storage: Storage) -> None:
        storage.create(NAME, b"content")
        storage.replace(OTHER, b"content")
        write_draft(storage, "run/part", b"con", b"tent")
        sha256, other = (hashlib.sha256(content).hexdigest() for content in (b"content", b"CONTENT"))
        for name in (NAME, OTHER, "run/part"):
            assert storage.fits(name, 7, sha256)
            assert not storage.fits(name, 8, sha256)
            assert not storage.fits(name, 7, other)
        assert not storage.fits("run/other", 7, sha256)
        storage.replace("run/part", b"CONTENT")
        assert not storage.fits("run/part", 7, sha256)

    def test_whatever_was_written_is_not_abandoned(self, storage: Storage) -> None:
        storage.replace(NAME, b"x")
        draft = storage.draft(OTHER)
        draft.file.write(b"under way")
        assert list(storage.abandoned("")) == list(storage.abandoned("units")) == []
        draft.discard()

    def test_a_discarded_draft_was_never_there(self, storage: Storage) -> None:
        draft = storage.draft(NAME)
        draft.file.write(b"new")
        draft.discard()
        assert storage.read(NAME) is None
        assert entry_names(storage, "units") == []

    def test_entries_are_all_files_below_a_folder(self, storage: Storage) -> None:
        for name in (NAME, OTHER, "units", "units2/x", "nightly/result.json"):
            if name != "units":
                storage.create(name, b"123")
        entries = list(storage.entries("units"))
        assert sorted((entry.name, entry.size) for entry in entries) == [(NAME, 3), (OTHER, 3)]
        assert entry_names(storage, "units/ab") == [NAME]
        assert entry_names(storage, "nothing") == []
        assert entry_names(storage, "") == sorted([NAME, OTHER, "units2/x", "nightly/result.json"])
        assert all(abs(entry.modified - datetime.now(UTC)) < A_MINUTE for entry in entries)

    def test_names_with_a_prefix_are_those_of_one_folder(self, storage: Storage) -> None:
        for name in ("run/part-1-a", "run/part-1-b", "run/part-2", "run/part-1-c/below", "part-1-a", "run2/part-1-a"):
            storage.replace(name, b"x")
        assert sorted(storage.names("run/part-1-")) == ["run/part-1-a", "run/part-1-b"]
        assert sorted(storage.names("run/part-1-a")) == ["run/part-1-a"]
        assert list(storage.names("part-")) == ["part-1-a"]
        assert list(storage.names("nothing/part")) == []

    def test_more_entries_than_a_page_holds_are_all_listed(self, storage: Storage) -> None:
        created = {f"many/{number:04}" for number in range(1_100)}
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda name: storage.create(name, b"x"), created))
        assert set(entry_names(storage, "many")) == created
        storage.remove_folder("many")
        assert entry_names(storage, "many") == []

    def test_folders_are_the_topmost_ones_sorted(self, storage: Storage) -> None:
        for name in ("two/a", "one/b/c", "file"):
            storage.create(name, b"x")
        assert list(storage.folders()) == ["one", "two"]

    def test_an_empty_storage_has_no_folders(self, storage: Storage) -> None:
        assert list(storage.folders()) == []

    def test_what_is_removed_is_gone_and_nothing_else(self, storage: Storage) -> None:
        storage.create(NAME, b"x")
        storage.create(OTHER, b"x")
        storage.remove(NAME)
        storage.remove(NAME)
        assert (storage.read(NAME), storage.read(OTHER)) == (None, b"x")

    def test_all_files_that_are_named_are_removed_and_nothing_else(self, storage: Storage) -> None:
        for name in ("run/a", "run/b/c", "run2/a", "run/b/d"):
            storage.create(name, b"x")
        storage.remove_all(iter(["run/a", "run/nothing", "run/b/d", "nothing/a"]))
        assert entry_names(storage, "") == ["run/b/c", "run2/a"]
        storage.remove_all(["run/b/c"])
        assert list(storage.folders()) == ["run2"]

    def test_a_folder_is_removed_with_all_that_is_in_it_and_nothing_else(self, storage: Storage) -> None:
        for name in ("run/a", "run/b/c", "run2/a"):
            storage.create(name, b"x")
        storage.remove_folder("run")
        storage.remove_folder("run")
        assert [storage.read(name) for name in ("run/a", "run/b/c", "run2/a")] == [None, None, b"x"]

    def test_a_damaged_file_is_set_aside_under_another_name(self, storage: Storage) -> None:
        storage.create(NAME, b"damaged")
        aside = storage.set_aside(NAME, b"damaged")
        assert (storage.read(NAME), storage.read(NAME + DAMAGED)) == (None, b"damaged")
        assert aside == storage.address(NAME + DAMAGED)

    def test_what_another_has_repaired_meanwhile_is_not_set_aside(self, storage: Storage) -> None:
        storage.create(NAME, b"repaired")
        assert storage.set_aside(NAME, b"damaged") is None
        assert storage.set_aside(OTHER, b"damaged") is None
        assert storage.read(NAME) == b"repaired"

    def test_sweeping_takes_nothing_that_is_whole(self, storage: Storage) -> None:
        storage.create(NAME, b"x")
        storage.replace("run/result.json", b"x")
        for name in ("units", "run", "run/result.json", "nothing"):
            storage.sweep(name)
        assert entry_names(storage, "units") + entry_names(storage, "run") == [NAME, "run/result.json"]

    def test_an_address_ends_in_the_name(self, storage: Storage) -> None:
        assert storage.address(NAME).endswith(NAME)


def write_draft(storage: Storage, name: str, *pieces: bytes) -> None:
    """Write a file piece by piece."""
    draft = storage.draft(name)
    try:
        for piece in pieces:
            draft.file.write(piece)
        draft.finish()
    finally:
        draft.discard()


def entry_names(storage: Storage, folder: str) -> list[str]:
    """Return the names of the files in and below a folder, sorted."""
    return sorted(entry.name for entry in storage.entries(folder))
