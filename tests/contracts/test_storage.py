"""The contract of every Storage."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from pulse_adapters.storage.port import DAMAGED, Entry, Read, Storage
from tests.contracts.storages import STORAGES
from tests.fakes import FakeDraft, FakeStorage

NAME, OTHER = "units/ab/abcd", "units/cd/cdef"
LARGE = bytes(range(256)) * 40_000
A_MINUTE = timedelta(minutes=1)


@contextmanager
def travelled(name: str) -> Iterator[Storage]:
    """Open a storage and hand on what is left of it after a journey through pickle."""
    with STORAGES[name]() as opened:
        yield pickle.loads(pickle.dumps(opened))


@pytest.fixture(params=STORAGES)
def storage(request: pytest.FixtureRequest) -> Iterator[Storage]:
    with travelled(request.param) as opened:
        yield opened


def draft(storage: Storage, name: str, *pieces: bytes) -> None:
    begun = storage.draft(name)
    try:
        for piece in pieces:
            begun.file.write(piece)
        begun.finish()
    finally:
        begun.discard()


def names(storage: Storage, folder: str) -> list[str]:
    return sorted(entry.name for entry in storage.entries(folder))


class TestStorage:
    def test_what_was_never_written_is_none(self, storage):
        assert storage.read(NAME) is None

    @pytest.mark.parametrize("content", [b"", b"x", LARGE], ids=["empty", "small", "large"])
    def test_every_way_of_writing_keeps_every_byte(self, storage, content):
        storage.create("a/created", content)
        storage.replace("a/replaced", content)
        draft(storage, "a/drafted", content[:5], content[5:])
        assert [storage.read(f"a/{how}") == content for how in ("created", "replaced", "drafted")] == [True] * 3

    def test_files_that_are_read_one_after_another_are_read_in_any_order(self, storage):
        for number in range(40):
            storage.create(f"many/{number}", b"%d" % number)
        wanted = [f"many/{number}" for number in range(41)]
        with storage.reading([*wanted, *wanted]) as read:
            found = {name: read(name) for name in [*wanted[20:], *reversed(wanted), NAME]}
        assert found == {f"many/{number}": b"%d" % number for number in range(40)} | {"many/40": None, NAME: None}

    def test_creating_says_whether_there_was_none(self, storage):
        assert storage.create(NAME, b"one")
        assert not storage.create(NAME, b"two")
        assert storage.read(NAME) == b"one"

    def test_of_creators_at_once_one_wins(self, storage):
        with ThreadPoolExecutor(8) as threads:
            won = list(threads.map(lambda number: storage.create(NAME, b"%d" % number), range(8)))
        assert won.count(True) == 1
        assert storage.read(NAME) == b"%d" % won.index(True)

    def test_replacing_leaves_the_new_one(self, storage):
        storage.replace(NAME, b"a long one")
        storage.replace(NAME, b"short")
        assert storage.read(NAME) == b"short"

    def test_a_copy_is_whole_and_stays_when_its_source_changes(self, storage):
        storage.replace(NAME, LARGE)
        assert storage.copy(NAME, OTHER)
        storage.replace(NAME, b"another")
        assert storage.read(OTHER) == LARGE
        storage.remove(NAME)
        assert storage.read(OTHER) == LARGE
        assert names(storage, "units") == [OTHER]

    def test_of_nothing_there_is_no_copy(self, storage):
        assert not storage.copy(NAME, OTHER)
        assert storage.read(OTHER) is None
        assert names(storage, "units") == []

    def test_copying_again_does_no_harm(self, storage):
        storage.create(NAME, b"x")
        assert [storage.copy(NAME, OTHER), storage.copy(NAME, OTHER), storage.read(OTHER)] == [True, True, b"x"]

    def test_a_draft_replaces_when_it_is_finished_and_not_before(self, storage):
        storage.replace(NAME, b"old")
        begun = storage.draft(NAME)
        begun.file.write(b"new")
        assert storage.read(NAME) == b"old"
        begun.finish()
        begun.discard()
        assert storage.read(NAME) == b"new"

    def test_a_discarded_draft_was_never_there(self, storage):
        begun = storage.draft(NAME)
        begun.file.write(b"new")
        begun.discard()
        assert storage.read(NAME) is None
        assert names(storage, "units") == []

    def test_entries_are_all_files_below_a_folder(self, storage):
        for name in (NAME, OTHER, "units", "units2/x", "nightly/result.json"):
            if name != "units":
                storage.create(name, b"123")
        found = list(storage.entries("units"))
        assert sorted((entry.name, entry.size) for entry in found) == [(NAME, 3), (OTHER, 3)]
        assert names(storage, "units/ab") == [NAME]
        assert names(storage, "nothing") == []
        assert names(storage, "") == sorted([NAME, OTHER, "units2/x", "nightly/result.json"])
        assert all(abs(entry.modified - datetime.now(UTC)) < A_MINUTE for entry in found)

    def test_names_with_a_prefix_are_those_of_one_folder(self, storage):
        for name in ("run/part-1-a", "run/part-1-b", "run/part-2", "run/part-1-c/below", "part-1-a", "run2/part-1-a"):
            storage.replace(name, b"x")
        assert sorted(storage.names("run/part-1-")) == ["run/part-1-a", "run/part-1-b"]
        assert sorted(storage.names("run/part-1-a")) == ["run/part-1-a"]
        assert list(storage.names("part-")) == ["part-1-a"]
        assert list(storage.names("nothing/part")) == []

    def test_more_entries_than_a_page_holds_are_all_told(self, storage):
        made = {f"many/{number:04}" for number in range(1_100)}
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda name: storage.create(name, b"x"), made))
        assert set(names(storage, "many")) == made
        storage.remove_folder("many")
        assert names(storage, "many") == []

    def test_folders_are_the_topmost_ones_sorted(self, storage):
        for name in ("two/a", "one/b/c", "file"):
            storage.create(name, b"x")
        assert list(storage.folders()) == ["one", "two"]

    def test_an_empty_storage_has_no_folders(self, storage):
        assert list(storage.folders()) == []

    def test_what_is_removed_is_gone_and_nothing_else(self, storage):
        storage.create(NAME, b"x")
        storage.create(OTHER, b"x")
        storage.remove(NAME)
        storage.remove(NAME)
        assert (storage.read(NAME), storage.read(OTHER)) == (None, b"x")

    def test_a_file_is_removed_by_its_content_unless_it_holds_another(self, storage):
        storage.create(NAME, b"old")
        storage.create(OTHER, b"new")
        assert storage.remove_content(NAME, b"old")
        assert not storage.remove_content(NAME, b"old")
        assert not storage.remove_content(OTHER, b"old")
        assert (storage.read(NAME), storage.read(OTHER)) == (None, b"new")

    def test_a_folder_is_removed_with_all_that_is_in_it_and_nothing_else(self, storage):
        for name in ("run/a", "run/b/c", "run2/a"):
            storage.create(name, b"x")
        storage.remove_folder("run")
        storage.remove_folder("run")
        assert [storage.read(name) for name in ("run/a", "run/b/c", "run2/a")] == [None, None, b"x"]

    def test_a_damaged_file_is_set_aside_under_another_name(self, storage):
        storage.create(NAME, b"damaged")
        aside = storage.set_aside(NAME, b"damaged")
        assert (storage.read(NAME), storage.read(NAME + DAMAGED)) == (None, b"damaged")
        assert aside == storage.address(NAME + DAMAGED)

    def test_what_another_has_mended_meanwhile_is_not_set_aside(self, storage):
        storage.create(NAME, b"mended")
        assert storage.set_aside(NAME, b"damaged") is None
        assert storage.set_aside(OTHER, b"damaged") is None
        assert storage.read(NAME) == b"mended"

    def test_sweeping_takes_nothing_that_is_whole(self, storage):
        storage.create(NAME, b"x")
        storage.replace("run/result.json", b"x")
        for swept in ("units", "run", "run/result.json", "nothing"):
            storage.sweep(swept)
        assert names(storage, "units") + names(storage, "run") == [NAME, "run/result.json"]

    def test_where_ends_in_the_name(self, storage):
        assert storage.address(NAME).endswith(NAME)


class Overwriting(FakeStorage):
    def create(self, name: str, content: bytes) -> bool:
        self.replace(name, content)
        return True


class Forgetful(FakeStorage):
    def replace(self, name: str, content: bytes) -> None:
        pass


class InTheirOrder(FakeStorage):
    @contextmanager
    def reading(self, names: Sequence[str]) -> Iterator[Read]:
        following = iter(names)
        yield lambda name: self.read(next(following, name))


class Linking(FakeStorage):
    def read(self, name: str) -> bytes | None:
        content = FakeStorage.read(self, name)
        linked = (content or b"").removeprefix(b"link to ")
        return FakeStorage.read(self, linked.decode()) if content and linked != content else content

    def copy(self, source: str, name: str) -> bool:
        self.replace(name, f"link to {source}".encode())
        return source in self.files


class CopiesNothing(FakeStorage):
    def copy(self, source: str, name: str) -> bool:
        self.replace(name, self.read(source) or b"")
        return source in self.files


class CopiesOnce(FakeStorage):
    def copy(self, source: str, name: str) -> bool:
        return name not in self.files and FakeStorage.copy(self, source, name)


class KeepsTheOld(FakeStorage):
    def replace(self, name: str, content: bytes) -> None:
        self.create(name, content)


class Inventive(FakeStorage):
    def read(self, name: str) -> bytes | None:
        return FakeStorage.read(self, name) or b""


@attrs.frozen
class EagerDraft(FakeDraft):
    def discard(self) -> None:
        self.finish()


class Eager(FakeStorage):
    def draft(self, name: str) -> FakeDraft:
        self.replace(name, b"")
        return EagerDraft(self, name)


class CarelessOfSlashes(FakeStorage):
    def entries(self, folder: str) -> Iterator[Entry]:
        return (
            Entry(name, len(held[0]), held[1]) for name, held in list(self.files.items()) if name.startswith(folder)
        )


class FirstPageOnly(FakeStorage):
    def entries(self, folder: str) -> Iterator[Entry]:
        yield from list(FakeStorage.entries(self, folder))[:1_000]


class NamesAtAnyDepth(FakeStorage):
    def names(self, prefix: str) -> Iterator[str]:
        yield from (name for name in self.files if name.startswith(prefix))


class FilesForFolders(FakeStorage):
    def folders(self) -> Iterator[str]:
        return iter(sorted({name.split("/")[0] for name in self.files}))


class CreatesFolders(FakeStorage):
    def folders(self) -> Iterator[str]:
        yield from [*FakeStorage.folders(self), "units"]


class KeepsAll(FakeStorage):
    def remove(self, name: str) -> None:
        pass


class RemovesAnyContent(FakeStorage):
    def remove_content(self, name: str, content: bytes) -> bool:
        return self.files.pop(name, None) is not None


class Impatient(FakeStorage):
    def set_aside(self, name: str, damaged: bytes) -> str | None:
        self.files[name + DAMAGED] = self.files.pop(name, (damaged, datetime.now(UTC)))
        return self.address(name + DAMAGED)


class Deleting(FakeStorage):
    def set_aside(self, name: str, damaged: bytes) -> str | None:
        if self.read(name) == damaged:
            del self.files[name]
        return None


class Sweeping(FakeStorage):
    def sweep(self, name: str) -> None:
        self.remove_folder(name)


class Nowhere(FakeStorage):
    def address(self, name: str) -> str:
        return "memory"


@pytest.mark.parametrize(
    ("broken", "caught_by"),
    [
        (Inventive, "test_what_was_never_written_is_none"),
        (Forgetful, "test_every_way_of_writing_keeps_every_byte"),
        (InTheirOrder, "test_files_that_are_read_one_after_another_are_read_in_any_order"),
        (Overwriting, "test_creating_says_whether_there_was_none"),
        (Overwriting, "test_of_creators_at_once_one_wins"),
        (KeepsTheOld, "test_replacing_leaves_the_new_one"),
        (Linking, "test_a_copy_is_whole_and_stays_when_its_source_changes"),
        (CopiesNothing, "test_of_nothing_there_is_no_copy"),
        (CopiesOnce, "test_copying_again_does_no_harm"),
        (Eager, "test_a_draft_replaces_when_it_is_finished_and_not_before"),
        (Eager, "test_a_discarded_draft_was_never_there"),
        (CarelessOfSlashes, "test_entries_are_all_files_below_a_folder"),
        (FirstPageOnly, "test_more_entries_than_a_page_holds_are_all_told"),
        (NamesAtAnyDepth, "test_names_with_a_prefix_are_those_of_one_folder"),
        (FilesForFolders, "test_folders_are_the_topmost_ones_sorted"),
        (CreatesFolders, "test_an_empty_storage_has_no_folders"),
        (KeepsAll, "test_what_is_removed_is_gone_and_nothing_else"),
        (RemovesAnyContent, "test_a_file_is_removed_by_its_content_unless_it_holds_another"),
        (CarelessOfSlashes, "test_a_folder_is_removed_with_all_that_is_in_it_and_nothing_else"),
        (Deleting, "test_a_damaged_file_is_set_aside_under_another_name"),
        (Impatient, "test_what_another_has_mended_meanwhile_is_not_set_aside"),
        (Sweeping, "test_sweeping_takes_nothing_that_is_whole"),
        (Nowhere, "test_where_ends_in_the_name"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_the_contract_bites(broken, caught_by):
    contract: Callable[..., None] = getattr(TestStorage(), caught_by)
    content = (b"x",) if caught_by.endswith("every_byte") else ()
    contract(FakeStorage(), *content)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        contract(broken(), *content)


def test_every_promise_is_seen_to_bite():
    promises = {name for name in vars(TestStorage) if name.startswith("test_")}
    (bites,) = (mark for mark in test_the_contract_bites.pytestmark if mark.name == "parametrize")
    assert promises == {caught_by for _, caught_by in bites.args[1]}
