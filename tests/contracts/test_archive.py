"""The archive of results, as entry points read it: runs, their files, and the ledger."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow.parquet
import pytest

from pulse.testing.results import publish, run_result, variable_batches
from pulse_adapters.sinks.storage_sink import StorageSink
from pulse_adapters.sinks.verification import Verification
from pulse_core.errors import RunNotFound, SettingsError
from pulse_core.tables import PartFacts
from pulse_entrypoints.wiring.results_archive import ResultsArchive
from tests.contracts.storages import STORAGES

KEY, OTHER_KEY = "ab" * 32, "cd" * 32
PARTS = ("scores/part-00001-of-00002", "scores/part-00000-of-00002")


@pytest.fixture(params=STORAGES)
def results(request: pytest.FixtureRequest) -> Iterator[ResultsArchive]:
    with STORAGES[request.param]() as storage:
        yield pickle.loads(pickle.dumps(StorageSink(storage)))


def write_part(results: ResultsArchive, run_id: str, name: str) -> PartFacts:
    with results.part(run_id, name) as writer:
        writer.write({"mae": np.array([1.0, 2.0])})
    assert writer.facts is not None
    return writer.facts


def test_an_archive_without_runs_has_none(results):
    assert list(results.run_ids()) == []
    results.record(KEY, variable_batches())
    assert list(results.run_ids()) == []


def test_runs_are_listed_sorted_published_or_not(results):
    for run_id in ("two", "one"):
        publish(results, run_result(run_id=run_id))
    results.attach("under-way", "run.log", b"")
    assert list(results.run_ids()) == ["one", "two", "under-way"]


def test_a_published_result_can_be_read(results):
    publish(results, run_result())
    assert json.loads(results.read("nightly", "result.json"))["run"]["id"] == "nightly"


def test_an_attached_file_can_be_read(results):
    results.attach("nightly", "run.log", b"line\n")
    assert results.read("nightly", "run.log") == b"line\n"


def test_marks_are_there_once_however_often_they_are_made_until_they_are_removed(results):
    assert results.marks("nightly") == frozenset()
    for mark in ("unit-00001-of-00002", "unit-00000-of-00002", "unit-00001-of-00002"):
        results.mark("nightly", mark)
    results.mark("other", "unit-00000-of-00001")
    assert results.marks("nightly") == {"unit-00000-of-00002", "unit-00001-of-00002"}
    results.remove_marks("nightly")
    assert results.marks("nightly") == frozenset()
    assert results.marks("other") == {"unit-00000-of-00001"}


@pytest.mark.parametrize("mark", ["", "../x", "a/b", ".x"])
def test_a_mark_that_is_no_name_is_refused(results, mark):
    with pytest.raises(SettingsError):
        results.mark("nightly", mark)


def test_the_parts_of_a_table_are_named_with_their_sizes_and_can_be_read(results):
    parts = [write_part(results, "nightly", name) for name in PARTS]
    assert results.parts("nightly", "scores") == {f"{part.name}.parquet": part.bytes for part in parts}
    assert results.parts("nightly", "hindcasts") == results.parts("another", "scores") == {}
    for name in results.parts("nightly", "scores"):
        content = results.read("nightly", name)
        assert pyarrow.parquet.read_table(pyarrow.BufferReader(content))["mae"].to_pylist() == [1.0, 2.0]


def test_only_tables_have_parts(results):
    with pytest.raises(ValueError, match="there are scores, batches, hindcasts"):
        results.parts("nightly", "units")


def test_a_run_that_is_not_there_is_named_with_those_that_are_near(results):
    publish(results, run_result(run_id="nightly"))
    with pytest.raises(RunNotFound, match="no run 'nigtly'") as caught:
        results.read("nigtly", "result.json")
    assert "nightly" in caught.value.hint


def test_a_run_that_was_never_published_says_so(results):
    results.attach("nightly", "run.log", b"")
    with pytest.raises(RunNotFound, match=r"has no result\.json\. It was not published"):
        results.read("nightly", "result.json")


@pytest.mark.parametrize("name", ["", "../x", "scores/../../x", "a/b", ".x", "scores/part-1.parquet/x"])
def test_a_name_that_no_file_of_a_run_has_is_refused(results, name):
    with pytest.raises(SettingsError, match="cannot be the name"):
        results.read("nightly", name)


@pytest.mark.parametrize("run_id", ["", "..", "units", "a/b", "ü"])
def test_a_run_id_that_is_none_is_refused(results, run_id):
    for attempt in (
        lambda: results.read(run_id, "result.json"),
        lambda: results.parts(run_id, "scores"),
        lambda: results.remove_run(run_id),
    ):
        with pytest.raises(SettingsError, match="cannot name a folder"):
            attempt()


def test_records_are_listed_with_size_and_time(results):
    for key in (KEY, OTHER_KEY):
        results.record(key, variable_batches())
    publish(results, run_result())
    found = sorted(results.records(), key=lambda facts: facts.name)
    assert [facts.name for facts in found] == [f"units/ab/{KEY}", f"units/cd/{OTHER_KEY}"]
    assert all(facts.size > 100 and not facts.damaged for facts in found)
    assert all(abs(facts.modified - datetime.now(UTC)) < timedelta(minutes=1) for facts in found)


def test_what_is_in_the_ledger_and_no_record_is_passed_over(results):
    for name in ("units/ab/notes.txt", "units/ab/cdef", f"units/{KEY}", f"units/ab/cd/{KEY}"):
        results.storage.create(name, b"x")
    assert list(results.records()) == []


def test_a_removed_record_is_gone_and_nothing_else(results):
    for key in (KEY, OTHER_KEY):
        results.record(key, variable_batches())
    results.remove_record(KEY)
    results.remove_record(KEY)
    assert (results.recall(KEY), results.recall(OTHER_KEY)) == (None, variable_batches())
    results.record(KEY, variable_batches(1))
    assert results.recall(KEY) == variable_batches(1)


def test_a_record_set_aside_is_told_and_removed_with_its_key(results):
    results.record(KEY, variable_batches())
    results.storage.replace(f"units/ab/{KEY}", b"damaged")
    assert results.recall(KEY) is None
    results.record(KEY, variable_batches())
    assert sorted((facts.name, facts.damaged) for facts in results.records()) == [
        (f"units/ab/{KEY}", False),
        (f"units/ab/{KEY}.damaged", True),
    ]
    results.remove_record(KEY)
    assert list(results.records()) == []


def test_a_removed_run_is_gone_with_all_its_files_and_nothing_else(results):
    results.record(KEY, variable_batches())
    parts = {}
    for run_id in ("nightly", "nightly-2"):
        parts[run_id] = write_part(results, run_id, PARTS[0])
        publish(results, run_result(run_id=run_id, parts=(parts[run_id],)))
        results.attach(run_id, "run.log", b"")
    results.remove_run("nightly")
    assert list(results.run_ids()) == ["nightly-2"]
    assert results.recall(KEY) == variable_batches()
    assert results.parts("nightly", "scores") == {}
    assert list(results.parts("nightly-2", "scores")) == [f"{parts['nightly-2'].name}.parquet"]
    with pytest.raises(RunNotFound, match="no run 'nightly'"):
        results.remove_run("nightly")


def findings(results: ResultsArchive, *, repair: bool) -> set[tuple[str, str]]:
    """The state of every file that is damaged or left over."""
    verification = Verification(results.storage, results, repair)
    checked = [*verification.records(), *verification.run("nightly")]
    return {(finding.address, finding.state) for one in checked for finding in one.findings}


def test_damages_are_found_and_repaired_wherever_results_are(results):
    storage = results.storage
    part = write_part(results, "nightly", PARTS[0])
    publish(results, run_result(parts=(part,)))
    results.record(KEY, variable_batches())
    results.pack("0a" * 16, {KEY: variable_batches()})
    assert findings(results, repair=False) == set()
    (pack,) = (entry.name for entry in storage.entries("records"))
    names = {"pack": pack, "record": f"units/ab/{KEY}", "part": f"nightly/{part.name}.parquet"}
    for name in names.values():
        content = storage.read(name)
        storage.replace(name, content[:50] + bytes([content[50] ^ 16]) + content[51:])
    unnamed = f"nightly/{PARTS[1]}-0a.parquet"
    storage.create(unnamed, b"named by no result")
    addresses = {kind: storage.address(name) for kind, name in names.items()}
    leftover = (storage.address(unnamed), "leftover")
    assert not results.has_part("nightly", part)
    assert findings(results, repair=False) == {*((address, "damaged") for address in addresses.values()), leftover}
    assert findings(results, repair=True) == {
        (addresses["pack"], "repaired"),
        (addresses["record"], "repaired"),
        (addresses["part"], "damaged"),
        (leftover[0], "repaired"),
    }
    assert findings(results, repair=True) == {
        (storage.address(f"{pack}.damaged"), "repaired"),
        (storage.address(f"units/ab/{KEY}.damaged"), "repaired"),
        (addresses["part"], "damaged"),
    }
    assert write_part(results, "nightly", PARTS[0]) == part
    assert findings(results, repair=False) == set()
