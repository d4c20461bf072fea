"""What every Place promises to the sink that stands on it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from pulse_adapters.storage.port import DAMAGED, Entry, Place, Read
from tests.contracts.places import PLACES
from tests.fakes import FakeDraft, FakePlace

NAME, OTHER = "units/ab/abcd", "units/cd/cdef"
LARGE = bytes(range(256)) * 40_000
A_MINUTE = timedelta(minutes=1)


@contextmanager
def travelled(name: str) -> Iterator[Place]:
    """Open a place and hand on what is left of it after a journey through pickle."""
    with PLACES[name]() as opened:
        yield pickle.loads(pickle.dumps(opened))


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with travelled(request.param) as opened:
        yield opened


def draft(place: Place, name: str, *pieces: bytes) -> None:
    begun = place.draft(name)
    try:
        for piece in pieces:
            begun.file.write(piece)
        begun.finish()
    finally:
        begun.discard()


def names(place: Place, folder: str) -> list[str]:
    return sorted(entry.name for entry in place.entries(folder))


class TestPlace:
    def test_what_was_never_written_is_none(self, place):
        assert place.read(NAME) is None

    @pytest.mark.parametrize("content", [b"", b"x", LARGE], ids=["empty", "small", "large"])
    def test_every_way_of_writing_keeps_every_byte(self, place, content):
        place.create("a/created", content)
        place.replace("a/replaced", content)
        draft(place, "a/drafted", content[:5], content[5:])
        assert [place.read(f"a/{how}") == content for how in ("created", "replaced", "drafted")] == [True] * 3

    def test_files_that_are_read_one_after_another_are_read_in_any_order(self, place):
        for number in range(40):
            place.create(f"many/{number}", b"%d" % number)
        wanted = [f"many/{number}" for number in range(41)]
        with place.reading([*wanted, *wanted]) as read:
            found = {name: read(name) for name in [*wanted[20:], *reversed(wanted), NAME]}
        assert found == {f"many/{number}": b"%d" % number for number in range(40)} | {"many/40": None, NAME: None}

    def test_creating_says_whether_there_was_none(self, place):
        assert place.create(NAME, b"one")
        assert not place.create(NAME, b"two")
        assert place.read(NAME) == b"one"

    def test_of_creators_at_once_one_wins(self, place):
        with ThreadPoolExecutor(8) as threads:
            won = list(threads.map(lambda number: place.create(NAME, b"%d" % number), range(8)))
        assert won.count(True) == 1
        assert place.read(NAME) == b"%d" % won.index(True)

    def test_replacing_leaves_the_new_one(self, place):
        place.replace(NAME, b"a long one")
        place.replace(NAME, b"short")
        assert place.read(NAME) == b"short"

    def test_a_copy_is_whole_and_stays_when_its_source_changes(self, place):
        place.replace(NAME, LARGE)
        assert place.copy(NAME, OTHER)
        place.replace(NAME, b"another")
        assert place.read(OTHER) == LARGE
        place.remove(NAME)
        assert place.read(OTHER) == LARGE
        assert names(place, "units") == [OTHER]

    def test_of_nothing_there_is_no_copy(self, place):
        assert not place.copy(NAME, OTHER)
        assert place.read(OTHER) is None
        assert names(place, "units") == []

    def test_copying_again_does_no_harm(self, place):
        place.create(NAME, b"x")
        assert [place.copy(NAME, OTHER), place.copy(NAME, OTHER), place.read(OTHER)] == [True, True, b"x"]

    def test_a_draft_replaces_when_it_is_finished_and_not_before(self, place):
        place.replace(NAME, b"old")
        begun = place.draft(NAME)
        begun.file.write(b"new")
        assert place.read(NAME) == b"old"
        begun.finish()
        begun.discard()
        assert place.read(NAME) == b"new"

    def test_a_discarded_draft_was_never_there(self, place):
        begun = place.draft(NAME)
        begun.file.write(b"new")
        begun.discard()
        assert place.read(NAME) is None
        assert names(place, "units") == []

    def test_entries_are_all_files_below_a_folder(self, place):
        for name in (NAME, OTHER, "units", "units2/x", "nightly/result.json"):
            if name != "units":
                place.create(name, b"123")
        found = list(place.entries("units"))
        assert sorted((entry.name, entry.size) for entry in found) == [(NAME, 3), (OTHER, 3)]
        assert names(place, "units/ab") == [NAME]
        assert names(place, "nothing") == []
        assert names(place, "") == sorted([NAME, OTHER, "units2/x", "nightly/result.json"])
        assert all(abs(entry.modified - datetime.now(UTC)) < A_MINUTE for entry in found)

    def test_what_begins_so_is_told_in_one_folder(self, place):
        for name in ("run/part-1-a", "run/part-1-b", "run/part-2", "run/part-1-c/below", "part-1-a", "run2/part-1-a"):
            place.replace(name, b"x")
        assert sorted(place.beginning("run/part-1-")) == ["run/part-1-a", "run/part-1-b"]
        assert sorted(place.beginning("run/part-1-a")) == ["run/part-1-a"]
        assert list(place.beginning("part-")) == ["part-1-a"]
        assert list(place.beginning("nothing/part")) == []

    def test_more_entries_than_a_page_holds_are_all_told(self, place):
        made = {f"many/{number:04}" for number in range(1_100)}
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda name: place.create(name, b"x"), made))
        assert set(names(place, "many")) == made
        place.remove_folder("many")
        assert names(place, "many") == []

    def test_folders_are_the_topmost_ones_sorted(self, place):
        for name in ("two/a", "one/b/c", "file"):
            place.create(name, b"x")
        assert list(place.folders()) == ["one", "two"]

    def test_an_empty_place_has_no_folders(self, place):
        assert list(place.folders()) == []

    def test_what_is_removed_is_gone_and_nothing_else(self, place):
        place.create(NAME, b"x")
        place.create(OTHER, b"x")
        place.remove(NAME)
        place.remove(NAME)
        assert (place.read(NAME), place.read(OTHER)) == (None, b"x")

    def test_a_folder_is_removed_with_all_that_is_in_it_and_nothing_else(self, place):
        for name in ("run/a", "run/b/c", "run2/a"):
            place.create(name, b"x")
        place.remove_folder("run")
        place.remove_folder("run")
        assert [place.read(name) for name in ("run/a", "run/b/c", "run2/a")] == [None, None, b"x"]

    def test_a_damaged_file_is_set_aside_under_another_name(self, place):
        place.create(NAME, b"damaged")
        aside = place.set_aside(NAME, b"damaged")
        assert (place.read(NAME), place.read(NAME + DAMAGED)) == (None, b"damaged")
        assert aside == place.address(NAME + DAMAGED)

    def test_what_another_has_mended_meanwhile_is_not_set_aside(self, place):
        place.create(NAME, b"mended")
        assert place.set_aside(NAME, b"damaged") is None
        assert place.set_aside(OTHER, b"damaged") is None
        assert place.read(NAME) == b"mended"

    def test_sweeping_takes_nothing_that_is_whole(self, place):
        place.create(NAME, b"x")
        place.replace("run/result.json", b"x")
        for swept in ("units", "run", "run/result.json", "nothing"):
            place.sweep(swept)
        assert names(place, "units") + names(place, "run") == [NAME, "run/result.json"]

    def test_where_ends_in_the_name(self, place):
        assert place.address(NAME).endswith(NAME)


class Overwriting(FakePlace):
    def create(self, name: str, content: bytes) -> bool:
        self.replace(name, content)
        return True


class Forgetful(FakePlace):
    def replace(self, name: str, content: bytes) -> None:
        pass


class InTheirOrder(FakePlace):
    @contextmanager
    def reading(self, names: Sequence[str]) -> Iterator[Read]:
        following = iter(names)
        yield lambda name: self.read(next(following, name))


class Linking(FakePlace):
    def read(self, name: str) -> bytes | None:
        content = FakePlace.read(self, name)
        linked = (content or b"").removeprefix(b"link to ")
        return FakePlace.read(self, linked.decode()) if content and linked != content else content

    def copy(self, source: str, name: str) -> bool:
        self.replace(name, f"link to {source}".encode())
        return source in self.files


class CopiesNothing(FakePlace):
    def copy(self, source: str, name: str) -> bool:
        self.replace(name, self.read(source) or b"")
        return source in self.files


class CopiesOnce(FakePlace):
    def copy(self, source: str, name: str) -> bool:
        return name not in self.files and FakePlace.copy(self, source, name)


class KeepsTheOld(FakePlace):
    def replace(self, name: str, content: bytes) -> None:
        self.create(name, content)


class Inventive(FakePlace):
    def read(self, name: str) -> bytes | None:
        return FakePlace.read(self, name) or b""


@attrs.frozen
class EagerDraft(FakeDraft):
    def discard(self) -> None:
        self.finish()


class Eager(FakePlace):
    def draft(self, name: str) -> FakeDraft:
        self.replace(name, b"")
        return EagerDraft(self, name)


class CarelessOfSlashes(FakePlace):
    def entries(self, folder: str) -> Iterator[Entry]:
        return (
            Entry(name, len(held[0]), held[1]) for name, held in list(self.files.items()) if name.startswith(folder)
        )


class FirstPageOnly(FakePlace):
    def entries(self, folder: str) -> Iterator[Entry]:
        yield from list(FakePlace.entries(self, folder))[:1_000]


class BeginsAnywhere(FakePlace):
    def beginning(self, start: str) -> Iterator[str]:
        yield from (name for name in self.files if name.startswith(start))


class FilesForFolders(FakePlace):
    def folders(self) -> Iterator[str]:
        return iter(sorted({name.split("/")[0] for name in self.files}))


class CreatesFolders(FakePlace):
    def folders(self) -> Iterator[str]:
        yield from [*FakePlace.folders(self), "units"]


class KeepsAll(FakePlace):
    def remove(self, name: str) -> None:
        pass


class Impatient(FakePlace):
    def set_aside(self, name: str, damaged: bytes) -> str | None:
        self.files[name + DAMAGED] = self.files.pop(name, (damaged, datetime.now(UTC)))
        return self.address(name + DAMAGED)


class Deleting(FakePlace):
    def set_aside(self, name: str, damaged: bytes) -> str | None:
        if self.read(name) == damaged:
            del self.files[name]
        return None


class Sweeping(FakePlace):
    def sweep(self, name: str) -> None:
        self.remove_folder(name)


class Nowhere(FakePlace):
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
        (BeginsAnywhere, "test_what_begins_so_is_told_in_one_folder"),
        (FilesForFolders, "test_folders_are_the_topmost_ones_sorted"),
        (CreatesFolders, "test_an_empty_place_has_no_folders"),
        (KeepsAll, "test_what_is_removed_is_gone_and_nothing_else"),
        (CarelessOfSlashes, "test_a_folder_is_removed_with_all_that_is_in_it_and_nothing_else"),
        (Deleting, "test_a_damaged_file_is_set_aside_under_another_name"),
        (Impatient, "test_what_another_has_mended_meanwhile_is_not_set_aside"),
        (Sweeping, "test_sweeping_takes_nothing_that_is_whole"),
        (Nowhere, "test_where_ends_in_the_name"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_the_contract_bites(broken, caught_by):
    contract: Callable[..., None] = getattr(TestPlace(), caught_by)
    content = (b"x",) if caught_by.endswith("every_byte") else ()
    contract(FakePlace(), *content)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        contract(broken(), *content)


def test_every_promise_is_seen_to_bite():
    promises = {name for name in vars(TestPlace) if name.startswith("test_")}
    (bites,) = (mark for mark in test_the_contract_bites.pytestmark if mark.name == "parametrize")
    assert promises == {caught_by for _, caught_by in bites.args[1]}
