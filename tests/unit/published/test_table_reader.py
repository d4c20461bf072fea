"""The reader of a run's tables: columns and rows, part by part and variable by variable."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet
import pytest

from pulse.testing.results import publish, run_result
from pulse_adapters.published.document import Part
from pulse_adapters.published.result_reader import DamagedPart, read_result
from pulse_adapters.published.table_reader import Rows, RunTable, joined, run_table
from pulse_adapters.sinks.folder import FolderSink
from pulse_core.errors import MalformedData, RunNotFound
from pulse_core.tables import Columns, Labels

PARTS = ("scores/part-00000-of-00002", "scores/part-00001-of-00002")
DAYS = np.array(["2024-01-01", "2024-01-02T03:04:05.000006", "NaT"], dtype="datetime64[us]")


def group(names: tuple[str, ...], codes: list[int], horizons: list[int], errors: list[float]) -> Columns:
    return {
        "variable": Labels(names, np.array(codes, dtype=np.int32)),
        "horizon": np.array(horizons, dtype=np.int16),
        "known_at": DAYS[: len(codes)],
        "mae": np.array(errors),
    }


FIRST = (group(("a", "b"), [0, 1, 0], [1, 1, 2], [1.0, np.nan, 3.0]), group(("c", "b"), [0, 1], [1, 2], [4.0, 5.0]))
SECOND = (group(("d",), [0], [2], [6.0]),)


@pytest.fixture
def sink(tmp_path) -> FolderSink:
    sink = FolderSink(tmp_path)
    parts = []
    for name, groups in zip(PARTS, (FIRST, SECOND), strict=True):
        with sink.part("nightly", name) as writer:
            for columns in groups:
                writer.write(columns)
        parts.append(writer.facts)
    publish(sink, run_result(parts=parts))
    return sink


def table(sink: FolderSink, *columns: str) -> RunTable:
    return run_table(sink, read_result(sink, "nightly"), "scores", columns)


def values(rows: Rows) -> list[tuple[str, float]]:
    return [(rows.names("variable")[code], error) for code, error in zip(rows["variable"], rows["mae"], strict=True)]


def test_row_groups_come_as_they_were_written(sink):
    part = table(sink, "mae").parts[0]
    first, second = table(sink, "mae").row_groups(part)
    assert first.names("variable") == ("a", "b")
    assert first["variable"].tolist() == [0, 1, 0]
    np.testing.assert_array_equal(first["mae"], [1.0, np.nan, 3.0])
    assert values(second) == [("c", 4.0), ("b", 5.0)]


def test_rows_are_selected_by_variable_and_horizon(sink):
    chosen = table(sink, "mae", "horizon")
    part = chosen.parts[0]
    assert [values(rows) for rows in chosen.row_groups(part, {"a", "c"})] == [[("a", 1.0), ("a", 3.0)], [("c", 4.0)]]
    assert [values(rows) for rows in chosen.row_groups(part, {"a", "b"}, horizon=2)] == [[("a", 3.0)], [("b", 5.0)]]
    assert list(chosen.row_groups(part, {"z"})) == []


def test_only_the_columns_of_the_table_are_read(sink):
    (rows, _) = table(sink, "mae").row_groups(table(sink).parts[0])
    assert list(rows.columns) == ["variable", "mae"]


def test_joined_rows_have_one_numbering_of_labels(sink):
    chosen = table(sink, "mae", "known_at")
    rows = joined(list(chosen.row_groups(chosen.parts[0])))
    assert rows.names("variable") == ("a", "b", "c")
    assert rows["variable"].tolist() == [0, 1, 0, 2, 1]
    assert (rows.code("variable", "c"), rows.code("variable", "z")) == (2, -1)
    assert rows["known_at"].dtype == "datetime64[us]"
    assert np.isnat(rows["known_at"]).tolist() == [False, False, True, False, False]


def test_a_column_without_labels_has_no_names(sink):
    (rows, _) = table(sink, "mae").row_groups(table(sink).parts[0])
    with pytest.raises(TypeError, match="'mae' holds no labels"):
        rows.names("mae")


def test_variables_are_read_one_after_another_across_parts(sink):
    chosen = table(sink, "mae", "horizon")
    assert [(part.first, part.last, part.rows) for part in chosen.parts] == [("a", "c", 5), ("d", "d", 1)]
    read = {name: columns for name in "abcd" if (columns := chosen.of(name)) is not None}
    assert {name: np.asarray(columns["mae"]).tolist()[-1] for name, columns in read.items()} == {
        "a": 3.0,
        "b": 5.0,
        "c": 4.0,
        "d": 6.0,
    }
    assert np.asarray(read["b"]["horizon"]).tolist() == [1, 2]
    assert "variable" not in read["b"]
    assert chosen.of("z") is None
    assert chosen.of("aa") is None


def test_a_run_without_the_table_says_how_to_get_it(sink):
    with pytest.raises(RunNotFound, match="run 'nightly' has no table 'hindcasts'") as caught:
        run_table(sink, read_result(sink, "nightly"), "hindcasts", ())
    assert "--hindcasts" in caught.value.hint


def path_of(sink: FolderSink, part: Part) -> Path:
    return sink.root / "nightly" / part.name


def test_a_part_without_a_column_is_refused(sink):
    wider = table(sink, "crps", "mae", "bias")
    with pytest.raises(MalformedData, match="without crps, bias") as caught:
        list(wider.row_groups(wider.parts[0]))
    assert caught.value.context == str(path_of(sink, wider.parts[0]))


def cut_short(content: bytes) -> bytes:
    return content[:-9]


def with_a_bit_flipped(content: bytes) -> bytes:
    return content[:40] + bytes([content[40] ^ 4]) + content[41:]


@pytest.mark.parametrize(
    ("damage", "message", "is_seen_by_listing"),
    [
        (cut_short, "has [0-9,]+ bytes, and had [0-9,]+ when it was written", True),
        (with_a_bit_flipped, "has changed since it was written: its SHA-256 is another", False),
        (lambda content: None, "is missing: the run's result names it", True),
    ],
    ids=["cut short", "a bit", "missing"],
)
def test_a_damaged_part_is_refused_with_a_hint(sink, damage, message, is_seen_by_listing):
    chosen = table(sink, "mae")
    path = path_of(sink, chosen.parts[0])
    damaged = damage(path.read_bytes())
    path.unlink() if damaged is None else path.write_bytes(damaged)
    with pytest.raises(DamagedPart, match=message) as caught:
        list(chosen.row_groups(chosen.parts[0]))
    assert caught.value.context == str(path)
    assert "Run the same training again" in caught.value.hint
    if is_seen_by_listing:
        with pytest.raises(DamagedPart, match=message):
            chosen.check_parts()
    else:
        chosen.check_parts()


def test_bytes_that_are_no_table_are_refused_although_they_are_those_that_were_published(sink):
    chosen = table(sink, "mae")
    content = b"PAR1 not"
    path_of(sink, chosen.parts[0]).write_bytes(content)
    named = msgspec.structs.replace(chosen.parts[0], bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(DamagedPart, match="is no sound part of a run's table"):
        list(chosen.row_groups(named))


def test_the_pages_of_a_part_have_checksums(sink):
    """Of a part whose pages changed, and whose SHA-256 nobody compared, Parquet's own readers can tell."""
    content = path_of(sink, table(sink, "mae").parts[1]).read_bytes()
    flipped = [content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in range(4, len(content) // 2)]
    told = 0
    for changed in flipped:
        try:
            file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(changed), page_checksum_verification=True)
            told += file.read()["mae"].to_pylist() == [6.0]
        except (OSError, KeyError, pyarrow.ArrowException):
            told += 1
    assert told > 0.9 * len(flipped)


def test_the_same_rows_give_the_same_bytes(sink, tmp_path_factory):
    other = FolderSink(tmp_path_factory.mktemp("other"))
    with other.part("nightly", PARTS[1]) as writer:
        for columns in SECOND:
            writer.write(columns)
    assert writer.facts is not None
    assert f"{writer.facts.name}.parquet" == table(sink).parts[1].name
