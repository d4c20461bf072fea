"""The reader of `result.json`: whole, its head, and its spec."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import attrs
import msgspec
import numpy as np
import pytest

from pulse.testing.results import FACTS, FORECASTERS, HORIZONS, run_result, spec, summary
from pulse_adapters.published import result_writer
from pulse_adapters.published.result_reader import is_of_spec, is_result, read_head, read_result
from pulse_adapters.published.result_writer import result_json
from pulse_adapters.sinks.folder import FolderSink
from pulse_core.errors import MalformedData, RunIdTaken


@pytest.fixture(params=[True, False], ids=["indented", "close"])
def content(request, monkeypatch) -> bytes:
    """A published document in either layout."""
    if not request.param:
        monkeypatch.setattr(result_writer, "COMPLETE_UP_TO", 0)
    return result_json(run_result())


def test_a_document_is_of_the_spec_it_was_published_for(content):
    assert is_of_spec(content, "nightly", spec())


@pytest.mark.parametrize("change", [{"horizon": 1}, {"trust_half_life": 50.0}, {"variables": ("a", "b", "c")}], ids=str)
def test_a_document_is_of_no_other_spec(content, change):
    assert not is_of_spec(content, "nightly", spec(**change))


def test_a_document_that_begins_as_ours_is_not_read_on(content):
    assert is_of_spec(content[: content.index(b'"software"') + 20] + b"and not read", "nightly", spec())


def test_one_that_ends_within_the_spec_is_no_result(content):
    for length in range(content.index(b'"software"')):
        assert not is_of_spec(content[:length], "nightly", spec())


@pytest.mark.parametrize("layout", [{"indent": 1}, {"sort_keys": True}, {"separators": (" ,", ": ")}], ids=str)
def test_the_layout_does_not_matter(content, layout):
    assert is_of_spec(json.dumps(json.loads(content), **layout).encode(), "nightly", spec())
    assert not is_of_spec(json.dumps(json.loads(content), **layout).encode(), "nightly", spec(horizon=1))


def test_a_document_that_was_copied_from_another_run_tells_its_spec(content):
    assert is_of_spec(content, "another", spec())


def test_names_that_need_escaping_are_compared_as_they_are_written():
    odd = spec(variables=('a"b\\/', "ü", "a,b"))
    content = result_json(attrs.evolve(run_result(), spec=odd))
    assert is_of_spec(content, "nightly", odd)
    assert not is_of_spec(content, "nightly", spec(variables=('a"b\\/', "ü", "a,c")))


@pytest.mark.parametrize("content", [b"", b"{", b"{\n", b"[]", b'{"run": {"spec": 3}}', b"\xff\xfe"])
def test_what_is_no_document_is_of_no_spec(content):
    assert not is_of_spec(content, "nightly", spec())
    assert not is_result(content)


def archive_of(folder, **changes: Any) -> FolderSink:
    sink = FolderSink(folder)
    sink.publish(run_result(**changes))
    return sink


def plain(content: bytes) -> Any:
    """A document as plain values, its times as moments."""
    document = json.loads(content)
    for name in ("started_at", "finished_at"):
        document["run"][name] = document["run"][name] and datetime.fromisoformat(document["run"][name])
    return document


@pytest.mark.parametrize("complete", [True, False])
def test_reader_and_writer_agree_on_every_field(tmp_path, monkeypatch, complete):
    if not complete:
        monkeypatch.setattr(result_writer, "COMPLETE_UP_TO", 0)
    learned = np.full((len(FORECASTERS) + 1, HORIZONS), 0.25)
    with_ensemble = summary(
        "a", (*FORECASTERS, "ensemble"), weights=learned, regret=learned[0], bound=np.array([0.5, np.nan])
    )
    archive = archive_of(tmp_path, variables=(with_ensemble, summary("b")), finished_at=None)
    run = read_result(archive, "nightly")
    assert plain(msgspec.json.encode(run.document)) == plain(run.content)
    assert run.content == archive.read("nightly", "result.json")


def test_a_published_run_has_its_spec_and_the_parts_of_its_tables(tmp_path):
    archive = archive_of(tmp_path)
    for name in ("scores/part-2", "scores/part-1"):
        with archive.part("nightly", name) as write:
            write({"mae": np.ones(1)})
    run = read_result(archive, "nightly")
    assert (run.run_id, run.spec, run.software) == ("nightly", spec(), {"pulse": "0.1", "numpy": "2.4"})
    assert (run.scores, run.hindcasts) == (("scores/part-1.parquet", "scores/part-2.parquet"), ())
    assert run.fingerprints == {"a": FACTS.fingerprint, "b": FACTS.fingerprint}
    assert run.batches == run_result().batches


def test_the_head_of_a_run_is_what_a_list_shows(tmp_path):
    head = read_head(archive_of(tmp_path), "nightly")
    assert (head.run.spec.start, head.run.spec.end) == (spec().start, spec().end)
    assert (head.run.units.planned, head.run.units.failed) == (3, 1)
    assert head.digest == run_result().digest


BROKEN = {
    "empty": (b"", "is no result of a run"),
    "no JSON": (b"\xff\xfe", "is no result of a run"),
    "another document": (b'{"schema_version": 2}', "is no result of a run"),
    "a field of another type": (b'"horizon":"2"', "is no result of a run"),
    "an older version": (b'{"schema_version": 1}', "its schema version is 1; this version of Pulse reads 2"),
    "a newer version": (b'"schema_version":3', "its schema version is 3; this version of Pulse reads 2"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_any_other_document_is_refused_with_message_context_and_hint(tmp_path, content, message):
    archive = archive_of(tmp_path)
    path = tmp_path / "nightly/result.json"
    if content.startswith(b'"'):
        name = content.partition(b":")[0]
        content = re.sub(name + rb": [^,]+", content, path.read_bytes())
    path.write_bytes(content)
    with pytest.raises(MalformedData) as caught:
        read_result(archive, "nightly")
    assert caught.value.message.startswith(message) or "spec" in caught.value.message
    assert caught.value.context == str(path)
    assert "run the same training again" in caught.value.hint


def test_the_hints_work(tmp_path):
    archive = archive_of(tmp_path)
    path = tmp_path / "nightly/result.json"
    path.write_bytes(b"{")
    with pytest.raises(RunIdTaken, match="holds a file that is no result of a run"):
        archive.publish(run_result())
    path.rename(tmp_path / "away.json")
    archive.publish(run_result())
    assert read_result(archive, "nightly").spec == spec()


def test_an_older_version_of_the_same_run_is_published_anew(tmp_path):
    archive = archive_of(tmp_path)
    path = tmp_path / "nightly/result.json"
    path.write_bytes(path.read_bytes().replace(b'"schema_version": 2', b'"schema_version": 1'))
    archive.publish(run_result())
    assert read_result(archive, "nightly").spec == spec()
