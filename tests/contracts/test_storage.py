"""Every Storage keeps the contract, and the contract catches every broken one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime

import attrs
import pytest

from pulse.testing import StorageContract
from pulse_adapters.storage.port import DAMAGED, Entry, Read
from tests.contracts.storages import STORAGES
from tests.fakes import FakeDraft, FakeStorage


class TestStorages(StorageContract):
    @pytest.fixture(autouse=True, params=STORAGES)
    def choose(self, request):
        self.opener = STORAGES[request.param]

    def open(self):
        return self.opener()


class FakeStorages(StorageContract):
    def open(self):
        return nullcontext(FakeStorage())


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


class ExchangesAnything(FakeStorage):
    def exchange(self, name: str, before: bytes | None, after: bytes | None) -> bool:
        if after is None:
            self.remove(name)
        else:
            self.replace(name, after)
        return True


class RemovesAFolder(FakeStorage):
    def remove_all(self, names: Iterable[str]) -> None:
        for name in names:
            self.remove_folder(name.rpartition("/")[0])


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


@attrs.frozen
class StubbornDraft(FakeDraft):
    def finish(self, name: str | None = None) -> None:
        del name
        FakeDraft.finish(self)


class Stubborn(FakeStorage):
    def draft(self, name: str) -> FakeDraft:
        return StubbornDraft(self, name)


class Trusting(FakeStorage):
    def fits(self, name: str, size: int, sha256: str) -> bool:
        del sha256
        return len(self.read(name) or b"") == size


class Suspicious(FakeStorage):
    def abandoned(self, folder: str) -> Iterator[str]:
        return (entry.name for entry in self.entries(folder))


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
    def sweep(self, *names: str) -> None:
        for name in names:
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
        (ExchangesAnything, "test_an_exchange_needs_what_it_expects_and_else_changes_nothing"),
        (ExchangesAnything, "test_of_those_who_exchange_the_same_content_at_once_one_wins"),
        (Eager, "test_a_draft_replaces_when_it_is_finished_and_not_before"),
        (Eager, "test_a_discarded_draft_was_never_there"),
        (Stubborn, "test_a_draft_can_be_given_another_name_once_it_is_written"),
        (Trusting, "test_a_file_fits_its_own_size_and_checksum_alone"),
        (Suspicious, "test_whatever_was_written_is_not_abandoned"),
        (CarelessOfSlashes, "test_entries_are_all_files_below_a_folder"),
        (FirstPageOnly, "test_more_entries_than_a_page_holds_are_all_listed"),
        (NamesAtAnyDepth, "test_names_with_a_prefix_are_those_of_one_folder"),
        (FilesForFolders, "test_folders_are_the_topmost_ones_sorted"),
        (CreatesFolders, "test_an_empty_storage_has_no_folders"),
        (KeepsAll, "test_what_is_removed_is_gone_and_nothing_else"),
        (RemovesAFolder, "test_all_files_that_are_named_are_removed_and_nothing_else"),
        (CarelessOfSlashes, "test_a_folder_is_removed_with_all_that_is_in_it_and_nothing_else"),
        (Deleting, "test_a_damaged_file_is_set_aside_under_another_name"),
        (Impatient, "test_what_another_has_repaired_meanwhile_is_not_set_aside"),
        (Sweeping, "test_sweeping_takes_nothing_that_is_whole"),
        (Nowhere, "test_an_address_ends_in_the_name"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_the_contract_bites(broken, caught_by):
    contract: Callable[..., None] = getattr(FakeStorages(), caught_by)
    content = (b"x",) if caught_by.endswith("every_byte") else ()
    contract(FakeStorage(), *content)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        contract(broken(), *content)


def test_every_promise_is_seen_to_bite():
    promises = {name for name in vars(StorageContract) if name.startswith("test_")}
    (bites,) = (mark for mark in test_the_contract_bites.pytestmark if mark.name == "parametrize")
    assert promises == {caught_by for _, caught_by in bites.args[1]}
