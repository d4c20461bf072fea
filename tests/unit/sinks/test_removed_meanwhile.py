"""Writers in folders that others empty and remove at the same time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from pulse_adapters.storage.folder import FolderStorage

SECONDS = 1.5


def test_a_folder_that_is_removed_while_it_is_written_to_is_made_again(tmp_path):
    storage, stopped = FolderStorage(tmp_path), threading.Event()
    with ThreadPoolExecutor(5) as threads:
        tasks = [threads.submit(write, storage, writer, stopped) for writer in range(3)]
        tasks += [threads.submit(remove, storage, stopped) for _ in range(2)]
        time.sleep(SECONDS)
        stopped.set()
        for task in tasks:
            task.result()


def write(storage: FolderStorage, writer: int, stopped: threading.Event) -> None:
    """Write by every way that makes folders."""
    for number in count():
        if stopped.is_set():
            return
        storage.create(f"records/{number % 2}/{writer}-{number}", b"x")
        storage.exchange(f"run/claim-{writer}", None, b"a")
        storage.exchange(f"run/claim-{writer}", b"a", None)
        draft = storage.draft(f"run/scores/{writer}")
        draft.finish()
        draft.discard()


def remove(storage: FolderStorage, stopped: threading.Event) -> None:
    """Remove all but claims, with the folders that this empties."""
    while not stopped.is_set():
        storage.remove_all([entry.name for entry in storage.entries("") if "claim" not in entry.name])
        storage.sweep("run")
