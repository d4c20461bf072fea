"""The reader of a run's tables: columns and rows, part by part and variable by variable."""

from __future__ import annotations

import numpy as np
import pytest

from pulse.testing.results import run_result
from pulse_adapters.published.result_reader import read_result
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
    for name, groups in zip(PARTS, (FIRST, SECOND), strict=True):
        with sink.part("nightly", name) as write:
            for columns in groups:
                write(columns)
    sink.publish(run_result(parts=PARTS))
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
    assert chosen.variables() == ("a", "b", "c", "d")
    read = {name: chosen.of(name) for name in chosen.variables()}
    assert {name: np.asarray(columns["mae"]).tolist()[-1] for name, columns in read.items()} == {
        "a": 3.0,
        "b": 5.0,
        "c": 4.0,
        "d": 6.0,
    }
    assert np.asarray(read["b"]["horizon"]).tolist() == [1, 2]
    assert "variable" not in read["b"]
    with pytest.raises(KeyError):
        chosen.of("z")


def test_a_run_without_the_table_says_how_to_get_it(sink):
    with pytest.raises(RunNotFound, match="run 'nightly' has no table 'hindcasts'") as caught:
        run_table(sink, read_result(sink, "nightly"), "hindcasts", ())
    assert "--hindcasts" in caught.value.hint


def test_a_part_without_a_column_is_refused(sink):
    with pytest.raises(MalformedData, match="without crps, bias") as caught:
        list(table(sink, "crps", "mae", "bias").row_groups(f"{PARTS[0]}.parquet"))
    assert caught.value.context == str(sink.root / f"nightly/{PARTS[0]}.parquet")


@pytest.mark.parametrize("damage", ["cut short", "changed"])
def test_a_damaged_part_is_refused_with_a_hint(sink, damage):
    path = sink.root / f"nightly/{PARTS[0]}.parquet"
    content = bytearray(path.read_bytes())
    if damage == "changed":
        content[4:60] = bytes(56)
    path.write_bytes(content[:-9] if damage == "cut short" else content)
    with pytest.raises(MalformedData, match="is no sound part of a run's table") as caught:
        list(table(sink, "mae").row_groups(f"{PARTS[0]}.parquet"))
    assert (caught.value.context, "--fresh" in caught.value.hint) == (str(path), True)
