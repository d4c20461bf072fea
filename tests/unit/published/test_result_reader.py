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

from pulse.testing.results import FACTS, FORECASTERS, HORIZONS, publish, run_result, spec, summary
from pulse_adapters.published import result_writer
from pulse_adapters.published.result_reader import (
    DamagedPart,
    PublishedRun,
    is_of_spec,
    is_result,
    parts_of,
    read_head,
    read_result,
    with_results,
)
from pulse_adapters.published.result_writer import result_json
from pulse_adapters.published.table_reader import run_table
from pulse_adapters.sinks.folder import FolderSink
from pulse_core.errors import MalformedData, RunIdTaken
from pulse_core.tables import Labels, PartFacts


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


@pytest.mark.parametrize("layout", [{"indent": 1}, {"sort_keys": True}, {"separators": (" ,", ": ")}], ids=str)
def test_the_layout_of_an_older_version_does_not_matter(content, layout):
    older = json.dumps(json.loads(content) | {"schema_version": 3}, **layout).encode()
    assert is_of_spec(older, "nightly", spec())
    assert is_result(older)
    assert not is_of_spec(older, "nightly", spec(horizon=1))


def test_a_document_in_another_layout_is_none_its_seal_is_broken(content):
    assert not is_result(json.dumps(json.loads(content)).encode())


def test_a_document_that_was_copied_from_another_run_is_not_this_runs(content):
    assert not is_of_spec(content, "another", spec())
    assert is_result(content)


def test_any_change_makes_it_no_result_at_all(content):
    for changed in (content.replace(b"2022", b"2021", 1), content[:-1], content[: len(content) // 2], content + b" "):
        assert not is_result(changed)
        assert not is_of_spec(changed, "nightly", spec())
        assert parts_of(changed) == ()


def test_names_that_need_escaping_are_compared_as_they_are_written():
    odd = spec(variables=('a"b\\/', "ü", "a,b"))
    content = result_json(attrs.evolve(run_result(), spec=odd))
    assert is_of_spec(content, "nightly", odd)
    assert not is_of_spec(content, "nightly", spec(variables=('a"b\\/', "ü", "a,c")))


@pytest.mark.parametrize("content", [b"", b"{", b"{\n", b"[]", b'{"run": {"spec": 3}}', b"\xff\xfe"])
def test_what_is_no_document_is_of_no_spec(content):
    assert not is_of_spec(content, "nightly", spec())
    assert not is_result(content)


ABSENT: dict[str, Any] = {"ensemble": None, "forecasters": {}}
"""What a summary leaves out, as a reader sees it."""


def archive_of(folder, **changes: Any) -> FolderSink:
    sink = FolderSink(folder)
    publish(sink, run_result(**changes))
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
    for name, variable in json.loads(run.content)["variables"].items():
        assert json.loads(msgspec.json.encode(run.variables[name])) == ({} if complete else ABSENT) | variable
    assert run.content == archive.read("nightly", "result.json")


def with_part(sink: FolderSink, value: float = 1.0) -> PartFacts:
    """A part of the table scores, of one row."""
    with sink.part("nightly", "scores/part-1") as writer:
        writer.write({"variable": Labels(("a",), np.zeros(1, dtype=np.int32)), "mae": np.array([value])})
    assert writer.facts is not None
    return writer.facts


def test_a_published_run_has_its_spec_and_the_parts_of_its_tables(tmp_path):
    sink = FolderSink(tmp_path)
    part = with_part(sink)
    publish(sink, run_result(parts=(part,)))
    run = read_result(sink, "nightly")
    assert (run.run_id, run.spec, run.software) == ("nightly", spec(), {"pulse": "0.1", "numpy": "2.4"})
    ((listed,), none) = run.parts("scores"), run.parts("hindcasts")
    assert (listed.name, listed.rows, listed.first, none) == (f"{part.name}.parquet", 1, "a", ())
    assert parts_of(run.content) == (part,)
    assert run.fingerprints == {"a": FACTS.fingerprint, "b": FACTS.fingerprint}
    assert run.batches == run_result().batches


def test_a_reader_whose_run_is_published_anew_reads_it_again_once(tmp_path):
    sink = FolderSink(tmp_path)
    publish(sink, run_result(parts=(with_part(sink),)))
    read: list[float] = []

    def action(run: PublishedRun) -> float:
        if not read:
            publish(sink, run_result(parts=(with_part(sink, 2.0),)))  # removes the part of before
        read.append(0.0)
        columns = run_table(sink, run, "scores", ("mae",)).of("a")
        assert columns is not None
        return float(np.asarray(columns["mae"])[0])

    assert (with_results(sink, ("nightly",), action), len(read)) == (2.0, 2)


def test_a_part_that_is_gone_for_good_is_an_error(tmp_path):
    sink = FolderSink(tmp_path)
    part = with_part(sink)
    publish(sink, run_result(parts=(part,)))
    path = tmp_path / f"nightly/{part.name}.parquet"
    path.unlink()
    with pytest.raises(DamagedPart, match="is missing") as caught:
        with_results(sink, ("nightly",), lambda run: run_table(sink, run, "scores", ("mae",)).of("a"))
    assert caught.value.context == str(path)
    assert "Run the same training again" in caught.value.hint


def test_the_head_of_a_run_is_what_a_list_shows(tmp_path):
    head = read_head(archive_of(tmp_path), "nightly")
    assert (head.run.spec.start, head.run.spec.end) == (spec().start, spec().end)
    assert (head.run.units.planned, head.run.units.failed) == (3, 1)
    assert head.digest == run_result().digest


BROKEN = {
    "empty": (lambda content: b"", "is no result of a run"),
    "no JSON": (lambda content: b"\xff\xfe", "is no result of a run"),
    "cut off": (lambda content: content[:-200], "is no result of a run"),
    "another document": (lambda content: b'{"schema_version": 4}', "is no result of a run"),
    "a field of another type": (lambda content: re.sub(rb'"planned": \d+', b'"planned": "2"', content), "is no result"),
    "a number changed": (
        lambda content: re.sub(rb'"planned": \d+', b'"planned": 9', content),
        "it has changed since it was written: its seal, the SHA-256 of its lines, does not fit",
    ),
    "in another layout": (lambda content: json.dumps(json.loads(content)).encode(), "it has changed since"),
    "another run's": (
        lambda content: result_json(run_result(run_id="another")),
        "it is the result of another run, 'another'",
    ),
    "an older version": (
        lambda content: b'{"schema_version": 1}',
        "its schema version is 1; this version of Pulse reads 4",
    ),
    "a newer version": (
        lambda content: content.replace(b'"schema_version": 4', b'"schema_version": 5'),
        "its schema version is 5; this version of Pulse reads 4",
    ),
}


@pytest.mark.parametrize("read", [read_result, read_head])
@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN)
def test_any_other_document_is_refused_with_message_context_and_hint(tmp_path, change, message, read):
    archive = archive_of(tmp_path)
    path = tmp_path / "nightly/result.json"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(MalformedData) as caught:
        read(archive, "nightly")
    assert caught.value.message.startswith(message)
    assert caught.value.context == str(path)
    assert "run the same training again" in caught.value.hint


def test_the_hints_work(tmp_path):
    archive = archive_of(tmp_path)
    path = tmp_path / "nightly/result.json"
    path.write_bytes(b"{")
    with pytest.raises(RunIdTaken, match="holds a file that is no result of a run"):
        publish(archive, run_result())
    path.rename(tmp_path / "away.json")
    publish(archive, run_result())
    assert read_result(archive, "nightly").spec == spec()


def test_an_older_version_of_the_same_run_is_published_anew(tmp_path):
    archive = archive_of(tmp_path)
    path = tmp_path / "nightly/result.json"
    path.write_bytes(path.read_bytes().replace(b'"schema_version": 4', b'"schema_version": 3'))
    publish(archive, run_result())
    assert read_result(archive, "nightly").spec == spec()
