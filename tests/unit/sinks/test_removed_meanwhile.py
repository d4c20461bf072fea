"""Writers in folders that others empty and remove at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import count

from pulse_adapters.storage.folder import FolderStorage

SECONDS = 1.5


def test_a_folder_that_is_removed_while_it_is_written_to_is_made_again(tmp_path):
    storage, stopped, errors = FolderStorage(tmp_path), threading.Event(), list[Exception]()

    def write(writer: int) -> None:
        for number in count():
            if stopped.is_set():
                return
            storage.create(f"records/{number % 2}/{writer}-{number}", b"x")
            storage.exchange(f"run/claim-{writer}", None, b"a")
            storage.exchange(f"run/claim-{writer}", b"a", None)
            draft = storage.draft(f"run/scores/{writer}")
            draft.finish()
            draft.discard()

    def remove(_: int) -> None:
        while not stopped.is_set():
            storage.remove_all([entry.name for entry in storage.entries("") if "claim" not in entry.name])
            storage.sweep("run")

    def guarded(action: Callable[[int], None], number: int) -> None:
        try:
            action(number)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test fails with it
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(write, number)) for number in range(3)]
    threads += [threading.Thread(target=guarded, args=(remove, number)) for number in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    stopped.set()
    for thread in threads:
        thread.join()
    assert errors == []
