"""What is published stands there whole: links, storages that confirm what they do not keep, parts that are checked."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import numpy as np
import pytest

from pulse.testing.results import publish, run_result
from pulse_adapters.published.result_reader import read_result
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.sinks.storage_sink import StorageSink
from pulse_core.errors import SinkUnavailable
from pulse_core.tables import Columns, Labels, PartFacts
from tests.fakes import FakeStorage


def test_a_result_that_is_a_link_is_replaced_and_not_written_through(tmp_path) -> None:
    outside = tmp_path / "outside.json"
    sink = FolderSink(tmp_path / "results")
    publish(sink, run_result())
    path = sink.root / "nightly/result.json"
    outside.write_bytes(path.read_bytes())
    before = outside.read_bytes()
    path.unlink()
    path.symlink_to(outside)
    publish(sink, run_result(software={"pulse": "0.2"}))
    assert (path.is_symlink(), outside.read_bytes()) == (False, before)
    assert read_result(sink, "nightly").software == {"pulse": "0.2"}


class Forgetful(FakeStorage):
    """Confirms results, and keeps none."""

    def exchange(self, name: str, before: bytes | None, after: bytes | None) -> bool:
        return name.endswith("result.json") or super().exchange(name, before, after)


def test_a_result_that_was_confirmed_and_is_not_there_is_an_error() -> None:
    sink = StorageSink(Forgetful())
    with pytest.raises(SinkUnavailable, match="was sent and confirmed, and is not there") as caught:
        publish(sink, run_result())
    assert caught.value.context == "memory:nightly/result.json"


ROWS: Columns = {
    "variable": Labels(("b", "a"), np.array([0, 1, 0], dtype=np.int32)),
    "mae": np.array([1.0, np.nan, 3.0]),
}


def written(sink: FolderSink) -> PartFacts:
    with sink.part("nightly", "scores/part-00000-of-00001") as writer:
        writer.write(ROWS)
        writer.write({"variable": Labels(("d", "c"), np.array([1], dtype=np.int32)), "mae": np.array([4.0])})
    assert writer.facts is not None
    return writer.facts


def test_a_part_is_named_by_its_bytes_and_says_what_is_in_it(tmp_path) -> None:

    sink = FolderSink(tmp_path)
    facts = written(sink)
    content = (tmp_path / f"nightly/{facts.name}.parquet").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    name = f"scores/part-00000-of-00001-{sha256[:32]}"
    assert facts == PartFacts(name, "", 4, len(content), sha256, "a", "c")
    assert facts.table == "scores"


@pytest.mark.parametrize("position", [0, 4, 100, -1])
def test_a_part_of_which_a_bit_has_changed_is_not_there(tmp_path, position) -> None:
    sink = FolderSink(tmp_path)
    facts = written(sink)
    assert sink.has_part("nightly", facts)
    path = tmp_path / f"nightly/{facts.name}.parquet"
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    assert not sink.has_part("nightly", facts)
    path.write_bytes(content[:-1])
    assert not sink.has_part("nightly", facts)
    assert written(sink) == facts  # and is written anew under the same name
    assert sink.has_part("nightly", facts)


def test_a_writer_that_fails_leaves_no_part(tmp_path) -> None:
    sink = FolderSink(tmp_path)
    with suppress(ZeroDivisionError), sink.part("nightly", "scores/part-00000-of-00001") as writer:
        writer.write(ROWS)
        raise ZeroDivisionError
    assert writer.facts is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
