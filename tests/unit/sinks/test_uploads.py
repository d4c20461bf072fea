"""Uploads of a unit go side by side: what fails is told, and nothing counts as stored before it is."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial

import attrs
import numpy as np
import pytest

from pulse.testing.results import variable_batches, variable_scores
from pulse_adapters.sinks.storage_sink import StorageSink
from pulse_adapters.storage.uploads import THREADS, Uploads, uploading
from pulse_core import Columns, Labels
from pulse_core.errors import SinkUnavailable
from pulse_core.ports import storing
from tests.fakes import FakeStorage

GROUP, KEY, OTHER = "1a" * 16, "01" * 32, "02" * 32
ROWS: Columns = {"variable": Labels(("a",), np.zeros(1, dtype=np.int32)), "mae": np.array([1.0])}


@attrs.frozen
class DistantStorage(FakeStorage):
    """Takes several requests at once; creating waits until it may go on, and may fail."""

    requests_at_once: int = 4
    may_go_on: threading.Event = attrs.field(factory=threading.Event)
    error: SinkUnavailable | None = None

    def create(self, name: str, content: bytes) -> bool:
        assert self.may_go_on.wait(10)
        if self.error is not None:
            raise self.error
        return FakeStorage.create(self, name, content)


def test_uploads_run_side_by_side_and_stand_at_the_end():
    meet, done = threading.Barrier(3, timeout=10), []

    def upload(number: int) -> None:
        meet.wait()
        done.append(number)

    with uploading(4) as uploads:
        for number in range(3):
            uploads.add(partial(upload, number))
    assert sorted(done) == [0, 1, 2]


@pytest.mark.parametrize("requests_at_once", [1, 4])
def test_the_error_of_the_first_upload_that_failed_is_raised(requests_at_once):
    def fail(number: int) -> None:
        raise SinkUnavailable(f"upload {number}")

    def upload_all() -> None:
        with uploading(requests_at_once) as uploads:
            for number in range(2 * THREADS):
                uploads.add(partial(fail, number))

    with pytest.raises(SinkUnavailable, match="upload 0"):
        upload_all()


def test_an_error_is_met_by_all_who_wait():
    def fail() -> None:
        raise SinkUnavailable("lost")

    errors = []
    with suppress(SinkUnavailable), uploading(4) as uploads:
        uploads.add(fail)
        for _ in range(2):
            with pytest.raises(SinkUnavailable) as caught:
                uploads.finish()
            errors.append(caught.value.message)
    assert errors == ["lost", "lost"]


def test_no_more_uploads_are_held_than_there_are_threads():
    go_on, started = threading.Event(), []

    def upload(number: int) -> None:
        started.append(number)
        go_on.wait(10)

    def add_all(uploads: Uploads) -> None:
        for number in range(THREADS + 1):
            uploads.add(partial(upload, number))

    with uploading(4) as uploads:
        adding = threading.Thread(target=add_all, args=(uploads,))
        adding.start()
        adding.join(0.2)
        assert adding.is_alive()
        go_on.set()
        adding.join(10)
    assert sorted(started) == list(range(THREADS + 1))


def test_a_pack_and_a_part_are_stored_beside_each_other():
    storage = DistantStorage()
    with StorageSink(storage).storing() as sink:
        sink.pack(GROUP, {KEY: variable_scores(1)})
        with sink.part("nightly", "scores/part-00000-of-00001") as part:
            part.write(ROWS)
        assert part.facts is not None
        assert not any(name.startswith("records/") for name in storage.files)
        storage.may_go_on.set()
    assert sum(name.startswith("records/") for name in storage.files) == 1
    assert sink.has_part("nightly", part.facts)


def test_what_is_under_way_can_be_recalled():
    storage = DistantStorage()
    with StorageSink(storage).storing() as sink:
        sink.pack(GROUP, {KEY: variable_batches(1)})
        threading.Timer(0.1, storage.may_go_on.set).start()
        with sink.recalling(GROUP, ()) as recall:
            assert recall(KEY) == variable_batches(1)


def test_what_is_packed_later_hides_what_is_still_under_way():
    storage = DistantStorage()
    with StorageSink(storage).storing() as sink:
        for seed in range(3):
            sink.pack(GROUP, {KEY: variable_scores(seed)})
        storage.may_go_on.set()
    with StorageSink(storage).recalling(GROUP, [KEY]) as recall:
        assert recall(KEY) == variable_scores(2)


def test_a_pack_that_cannot_be_stored_fails_the_unit_with_its_own_message():
    storage = DistantStorage(error=SinkUnavailable("no room", "bucket"))
    storage.may_go_on.set()

    def store() -> None:
        with storing(StorageSink(storage)) as sink:
            sink.pack(GROUP, {KEY: variable_scores(1)})
            with sink.part("nightly", "scores/part-00000-of-00001") as part:
                part.write(ROWS)

    with pytest.raises(SinkUnavailable, match="no room"):
        store()


def test_on_a_disk_all_is_stored_at_once():
    storage = FakeStorage()
    with storing(StorageSink(storage)) as sink:
        sink.pack(GROUP, {OTHER: variable_scores(1)})
        assert len(storage.files) == 1


def test_what_never_begins_is_dropped():
    go_on, done = threading.Event(), list[int]()

    def wait() -> None:
        go_on.wait(10)

    def fail() -> None:
        wait()
        raise SinkUnavailable("lost")

    def upload_all() -> None:
        with uploading(2) as uploads:
            for number in range(4):
                uploads.add(fail, partial(done.append, number))
            go_on.set()

    with pytest.raises(SinkUnavailable, match="lost"):
        upload_all()
    assert set(done) <= {2, 3}
    with suppress(KeyboardInterrupt), uploading(2) as uploads:
        go_on.clear()
        done.clear()
        for number in range(4):
            uploads.add(wait, partial(done.append, number))
        threading.Timer(0.1, go_on.set).start()
        raise KeyboardInterrupt
    assert done == [2, 3]
