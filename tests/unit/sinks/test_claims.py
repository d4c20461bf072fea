"""Claims of run ids in a storage: publishing under them, what they refuse, and what is removed when."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import numpy as np
import pytest

from pulse.testing.results import per_origin_record, publish, run_result, spec
from pulse_adapters.published.result_reader import read_result
from pulse_adapters.sinks.claims import PartMissing
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.sinks.layout import claim_name
from pulse_adapters.sinks.leases import Claim, Lease, decoded
from pulse_adapters.sinks.storage_sink import Output, StorageSink
from pulse_adapters.storage.port import Storage
from pulse_core import PartFacts, RunClaim
from pulse_core.errors import RunIdTaken, RunInterrupted, RunNotFound, SinkUnavailable
from tests.chaos.writers import FIRST, Trained
from tests.fakes import FakeStorage

RUN, SPEC = "nightly", spec()
GROUP = "ab" * 16
TOMORROW = datetime.now(UTC) + timedelta(days=1)
DAY = 86_400.0


@pytest.fixture
def storage() -> FakeStorage:
    return FakeStorage()


@contextmanager
def claimed(storage: Storage, run_id: str = RUN) -> Iterator[RunClaim]:
    with StorageSink(storage).claim(run_id, SPEC, print) as claim:
        yield claim


def part(storage: Storage, name: str = "scores/part-00000-of-00001", rows: int = 2) -> PartFacts:
    with StorageSink(storage).part(RUN, name) as writer:
        writer.write({"mae": np.arange(float(rows))})
    assert writer.facts is not None
    return attrs.evolve(writer.facts, content="ab" * 16)


def taken_over(storage: Storage) -> None:
    """Let another process have the claim, as after a long suspension of this one."""
    name = claim_name(RUN)
    assert storage.exchange(name, storage.read(name), Claim.of(RUN, "train", SPEC.run_id).encoded())


def test_what_is_published_under_a_claim_stands_and_the_claim_is_gone(storage):
    with claimed(storage) as claim:
        addresses = claim.publish(run_result(parts=(part(storage),)))
    assert addresses == [f"memory:{RUN}/result.json"]
    assert read_result(StorageSink(storage), RUN).run_id == RUN
    assert claim_name(RUN) not in storage.files


def test_who_has_lost_the_claim_publishes_nothing_and_leaves_the_others_claim(storage):
    with claimed(storage) as claim:
        claim.publish(run_result(parts=(part(storage),)))
    before = dict(storage.files)
    with claimed(storage) as claim:
        new = part(storage, rows=3)
        taken_over(storage)
        with pytest.raises(RunInterrupted, match="claim of run id 'nightly' meanwhile; nothing was"):
            claim.publish(run_result(parts=(new,)))
    assert {name: storage.files[name] for name in before} == before
    assert claim_name(RUN) in storage.files


def test_who_loses_the_claim_after_the_switch_leaves_the_removal_to_the_next(storage, monkeypatch):
    old = part(storage)
    with claimed(storage) as claim:
        claim.publish(run_result(parts=(old,)))
    requirements = []

    def lost_after_the_switch(lease: Lease) -> None:
        requirements.append(lease)
        if len(requirements) > 1:
            raise RunInterrupted("lost")

    monkeypatch.setattr(Lease, "require", lost_after_the_switch)
    with claimed(storage) as claim:
        new = part(storage, rows=3)
        claim.publish(run_result(parts=(new,)))
    assert StorageSink(storage).has_part(RUN, old)
    monkeypatch.undo()
    with claimed(storage) as claim:
        assert claim.parts == (new,)
        claim.publish(run_result(parts=(new,)))
    assert not StorageSink(storage).has_part(RUN, old)


def test_a_result_published_by_one_who_was_taken_for_gone_is_replaced_whole(storage):
    with claimed(storage) as claim:
        storage.replace(f"{RUN}/result.json", b"of another, meanwhile")
        claim.publish(run_result(parts=(part(storage),)))
    assert read_result(StorageSink(storage), RUN).run_id == RUN


@pytest.mark.parametrize("damage", ["gone", "cut short"])
def test_a_result_whose_part_is_gone_is_not_published(storage, damage):
    with claimed(storage) as claim:
        facts = part(storage)
        (name,) = [name for name in storage.files if name.endswith(".parquet")]
        if damage == "gone":
            storage.remove(name)
        else:
            storage.replace(name, b"half")
        with pytest.raises(PartMissing, match="gone or cut short"):
            claim.publish(run_result(parts=(facts,)))
    assert storage.read(f"{RUN}/result.json") is None


@attrs.frozen
class Unwritable(FakeStorage):
    """Refuses to exchange results."""

    rescued: list[str] = attrs.field(factory=list)

    def exchange(self, name: str, before: bytes | None, after: bytes | None) -> bool:
        if name.endswith("result.json"):
            raise SinkUnavailable("refused")
        return FakeStorage.exchange(self, name, before, after)

    def rescue(self, name: str, content: bytes, error: SinkUnavailable) -> SinkUnavailable:
        self.rescued.append(name)
        return error


def test_a_result_that_cannot_be_stored_is_kept_elsewhere_and_written_to_the_other_outputs():
    storage, other = Unwritable(), FakeStorage()
    sink = StorageSink(storage, (Output(other, "out.json"),))
    with pytest.raises(SinkUnavailable, match="refused"), sink.claim(RUN, SPEC, print) as claim:
        claim.publish(run_result(parts=()))
    assert storage.rescued == [f"{RUN}/result.json"]
    assert other.read("out.json") is not None


def test_another_spec_is_refused_while_a_run_is_under_way_and_after_it(storage):
    sink, other = StorageSink(storage), spec(horizon=7)
    with claimed(storage) as claim:
        for check in (lambda: sink.check_run_id(RUN, other), lambda: sink.claim(RUN, other, print).__enter__()):
            with pytest.raises(RunIdTaken, match="under way in process"):
                check()
        sink.check_run_id(RUN, SPEC)
        claim.publish(run_result(parts=()))
    with pytest.raises(RunIdTaken, match="holds the result of another spec"):
        sink.check_run_id(RUN, other)


def test_a_look_at_a_run_id_claims_nothing(storage):
    StorageSink(storage).check_run_id(RUN, SPEC)
    assert storage.files == {}


def test_the_groups_that_a_run_uses_are_told_in_its_claim(storage):
    with claimed(storage) as claim:
        claim.use(GROUP)
        held = decoded(storage.read(claim_name(RUN)) or b"")
        assert held is not None
        assert held.groups == (GROUP,)


def test_a_run_under_way_is_not_removed(storage):
    sink = StorageSink(storage)
    with claimed(storage) as claim:
        claim.publish(run_result(parts=(part(storage),)))
        before = dict(storage.files)
        assert not sink.remove_run(RUN)
        assert not sink.remove_run(RUN, TOMORROW)
        assert storage.files == before
    assert sink.remove_run(RUN)
    assert storage.files == {}


def test_a_run_that_was_written_since_it_was_listed_is_not_removed(storage):
    sink = StorageSink(storage)
    with claimed(storage) as claim:
        claim.publish(run_result(parts=()))
    listed = datetime.now(UTC)
    with claimed(storage) as claim:
        claim.publish(run_result(parts=()))
    assert not sink.remove_run(RUN, listed)
    assert list(sink.run_ids()) == [RUN]
    assert claim_name(RUN) not in storage.files


def test_an_abandoned_run_is_removed_with_the_claim_of_one_who_is_long_gone(storage):
    far = attrs.evolve(Claim.of(RUN, "train", "a"), process=attrs.evolve(Claim.of(RUN, "train").process, boot="far"))
    storage.create(claim_name(RUN), far.encoded())
    part(storage)
    assert StorageSink(storage).remove_run(RUN, TOMORROW)
    assert storage.files == {}


def test_removing_what_is_not_there_says_so_and_leaves_no_claim(storage):
    with pytest.raises(RunNotFound):
        StorageSink(storage).remove_run(RUN)
    assert storage.files == {}


@attrs.frozen
class PublishedMeanwhile(FakeStorage):
    """Has a result published between the look at it and its removal."""

    def exchange(self, name: str, before: bytes | None, after: bytes | None) -> bool:
        if name.endswith("result.json") and after is None:
            self.replace(name, b"published meanwhile")
        return FakeStorage.exchange(self, name, before, after)


def test_a_result_that_is_another_one_by_now_is_not_removed():
    storage = PublishedMeanwhile()
    with claimed(storage) as claim:
        claim.publish(run_result(parts=(part(storage),)))
    assert not StorageSink(storage).remove_run(RUN)
    assert storage.read(f"{RUN}/result.json") == b"published meanwhile"
    assert [name for name in storage.files if name.endswith(".parquet")]


def test_old_records_go_and_those_written_meanwhile_stay(tmp_path):
    sink = FolderSink(tmp_path)
    for number, key in enumerate(("aa" * 32, "bb" * 32)):
        sink.record(key, per_origin_record(number))
    old = list(sink.records())
    sink.remove_record("aa" * 32)
    before = datetime.now(UTC)
    time.sleep(0.02)
    sink.record("aa" * 32, per_origin_record(2))
    assert [facts.name[-4:] for facts in sink.remove_records(old, before)] == ["bbbb"]
    assert sink.recall("aa" * 32) == per_origin_record(2)


def aged(folder: Path) -> None:
    """Make all files a hundred days older."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - 100 * DAY,) * 2)


def test_packed_records_that_a_run_uses_stay_and_go_when_it_has_ended(tmp_path):
    FIRST(FolderSink(tmp_path).storage)
    sink, before = FolderSink(tmp_path), datetime.now(UTC) - timedelta(days=90)
    aged(tmp_path)
    packs = list(sink.records())
    group = packs[0].name.split("/")[1]
    with claimed(sink.storage, "another") as claim:
        claim.use(group)
        assert sink.remove_records(packs, before) == []
    assert {facts.name for facts in sink.remove_records(packs, before)} == {facts.name for facts in packs}
    assert list(sink.records()) == []


def test_a_run_whose_records_were_removed_computes_them_anew_with_the_same_digest(tmp_path):
    storage = FolderSink(tmp_path).storage
    first = Trained().result(storage)
    FolderSink(tmp_path).remove_records(list(FolderSink(tmp_path).records()), TOMORROW)
    again = Trained().result(storage)
    assert (again.digest, again.units.computed) == (first.digest, 3)


def test_a_probe_leaves_nothing_and_one_that_was_killed_nothing_after_the_next_run(tmp_path, monkeypatch):
    sink = FolderSink(tmp_path / "results", [tmp_path / "out.json"])
    assert [error for _, error in sink.probe()] == [None, None]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert not (tmp_path / "results" / "records").exists()
    with monkeypatch.context() as killed:
        killed.setattr(type(sink.storage), "remove_all", lambda *_: None)
        list(sink.probe())
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2
    publish(sink, run_result(parts=()))
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["out.json", "result.json"]
