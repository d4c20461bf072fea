"""Small inputs that once hung, mixed variables, or were read without a word."""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pulse_adapters.stores import folder as folder_store
from pulse_adapters.stores.folder import FolderStore
from pulse_adapters.stores.formats import csv_text, memory
from pulse_adapters.stores.formats.plain_csv import read_plain
from pulse_adapters.stores.formats.table import Source
from pulse_adapters.stores.frames import FrameStore
from pulse_core import DataError, MalformedData, StoreUnavailable, VariableNotFound
from pulse_core.data.quality import quality
from tests.unit.stores.reading import faults, read

CLEAN = "timestamp,value\n2020-01-01,1\n2020-01-02,2.5\n"
COMPOSED, DECOMPOSED = "caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")


def parquet(**columns) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


# what is no file


@pytest.mark.timeout(10)
@pytest.mark.parametrize("place", ["x.csv", "data/x.csv"])
def test_a_pipe_is_refused_at_once(tmp_path, place):
    (tmp_path / "data").mkdir()
    os.mkfifo(tmp_path / place)
    store = FolderStore(tmp_path / place.rpartition("/")[0]) if "/" in place else FolderStore(tmp_path / place)
    with pytest.raises(StoreUnavailable, match=r"x\.csv: is a pipe, not a file"):
        store.read("x")


@pytest.mark.timeout(10)
def test_a_pipe_that_takes_a_file_s_place_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "x.csv")
    with pytest.raises(StoreUnavailable, match="is a pipe"):
        folder_store._content(tmp_path / "x.csv")


def test_a_socket_and_a_device_are_refused(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "x.csv"))
        with pytest.raises(StoreUnavailable, match="is a socket"):
            FolderStore(tmp_path / "x.csv").read("x")
    (tmp_path / "y.csv").symlink_to("/dev/zero")
    with pytest.raises(StoreUnavailable, match="is a device"):
        FolderStore(tmp_path / "y.csv").read("y")
    with pytest.raises(StoreUnavailable, match="is a device"):
        FolderStore(tmp_path).read("y")
    assert list(FolderStore(tmp_path).names()) == []


@pytest.mark.parametrize(
    "name", ["~$x.csv", ".~lock.x.csv#", ".#x.csv", "#x.csv#", "x.csv~", ".x.csv.swp", "x.csv.tmp"]
)
def test_what_editors_keep_beside_a_file_is_ignored(tmp_path, name):
    (tmp_path / "x.csv").write_text(CLEAN)
    (tmp_path / name).write_text("no data")
    assert list(FolderStore(tmp_path).names()) == ["x"]


@pytest.mark.parametrize("name", ["a\0b", "\udcff", "a\nb"])
def test_odd_bytes_in_names_are_refused(tmp_path, name):
    (tmp_path / "x.csv").write_text(CLEAN)
    with pytest.raises(VariableNotFound):
        FolderStore(tmp_path).read(name)
    with pytest.raises(StoreUnavailable):
        FolderStore(tmp_path / name).read("x")


def test_a_file_whose_name_is_no_text_is_ignored(tmp_path):
    (tmp_path / "x.csv").write_text(CLEAN)
    with open(os.fsencode(tmp_path) + b"/\xff.csv", "w") as file:  # noqa: PTH123  # a path is text
        file.write(CLEAN)
    assert list(FolderStore(tmp_path).names()) == ["x"]


# names in either normal form


@pytest.mark.parametrize("stored", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize("asked", [COMPOSED, DECOMPOSED])
def test_a_name_finds_its_file_and_its_rows_in_any_form(tmp_path, stored, asked):
    (tmp_path / f"{stored}.csv").write_text(CLEAN)
    (tmp_path / "long.jsonl").write_text(json.dumps({"variable": stored, "timestamp": "2020-01-01", "value": 1}))
    (tmp_path / "long.csv").write_text(f"variable,timestamp,value\n{stored},2020-01-01,1\n")
    assert FolderStore(tmp_path).read(asked).variable == asked
    assert COMPOSED in list(FolderStore(tmp_path).names())
    for name in ("long.csv", "long.jsonl"):
        assert FolderStore(tmp_path / name).read(asked).values.tolist() == [1.0]
        assert list(FolderStore(tmp_path / name).names()) == [COMPOSED]
    assert FrameStore({stored: pd.Series([1.0], pd.to_datetime(["2020-01-01"]))}).read(asked).values.tolist() == [1.0]


def test_two_names_that_differ_in_form_alone_are_refused(tmp_path):
    for name in (COMPOSED, DECOMPOSED):
        (tmp_path / f"{name}.csv").write_text(CLEAN)
    with pytest.raises(DataError, match="normal form"):
        FolderStore(tmp_path).read(COMPOSED)
    rows = f"variable,timestamp,value\n{COMPOSED},2020-01-01,1\n{DECOMPOSED},2020-01-02,2\n"
    (tmp_path / "long.csv").write_text(rows)
    (tmp_path / "careful.csv").write_text(rows.replace("2020-01-02", "2020-01-02T00:00"))
    for name in ("long.csv", "careful.csv"):
        with pytest.raises(MalformedData, match="normal form"):
            FolderStore(tmp_path / name).read(COMPOSED)
    with pytest.raises(MalformedData, match="normal form"):
        FrameStore({COMPOSED: pd.Series([1.0]), DECOMPOSED: pd.Series([1.0])})


def test_a_fault_is_told_of_its_variable_whatever_the_form_of_its_name(tmp_path):
    (tmp_path / "long.csv").write_text(f"variable,timestamp,value\n{DECOMPOSED},2020-01-01,x\n")
    with pytest.raises(MalformedData, match="row 2: value 'x' is no number"):
        FolderStore(tmp_path / "long.csv").read(COMPOSED)


# a long file in the place of a file of one variable

TWO = {
    "x.csv": b"variable,timestamp,value\na,2020-01-01,1\nb,2020-01-02,2\n",
    "careful.csv": b'variable,timestamp,value\na,2020-01-01,1\n"b",2020-01-02T00:00,2\n',
    "half.csv": b"variable,timestamp,value\na,2020-01-01,1\n,2020-01-02,2\n",
    "x.jsonl": b'{"variable":"a","timestamp":"2020-01-01","value":1}\n'
    b'{"variable":"b","timestamp":"2020-01-02","value":2}',
    "some.jsonl": b'{"variable":"a","timestamp":"2020-01-01","value":1}\n{"timestamp":"2020-01-02","value":2}',
    "x.parquet": parquet(
        variable=["a", "b"], timestamp=np.array(["2020-01-01", "2020-01-02"], "M8[us]"), value=[1.0, 2.0]
    ),
    "codes.parquet": parquet(
        variable=[1, 2], timestamp=np.array(["2020-01-01", "2020-01-02"], "M8[us]"), value=[1.0, 2.0]
    ),
}


@pytest.mark.parametrize("name", TWO)
def test_a_long_file_in_a_folder_is_never_read_as_one_variable(tmp_path, name):
    ending = name.partition(".")[2]
    for content, ending_of in ((TWO[name], ending), (gzip.compress(TWO[name]), f"{ending}.gz")):
        path = tmp_path / f"prices.{ending_of}"
        path.write_bytes(content)
        store = FolderStore(tmp_path)
        with pytest.raises(MalformedData, match=r"several variables|variable is missing|holds int64, not names"):
            store.read("prices")
        if name not in {"half.csv", "some.jsonl", "codes.parquet"}:
            assert list(store.names()) == ["a", "b"]
            assert [store.read(variable).values.tolist() for variable in ("a", "b")] == [[1.0], [2.0]]
        path.unlink()


def test_a_frame_of_two_variables_is_refused():
    frame = pd.DataFrame({"variable": ["a", "b"], "timestamp": ["2020-01-01", "2020-01-02"], "value": [1.0, 2.0]})
    with pytest.raises(MalformedData, match="holds several variables") as refused:
        FrameStore({"x": frame}).read("x")
    assert "a file a variable" in refused.value.hint


@pytest.mark.parametrize("name", TWO)
def test_a_column_variable_that_says_one_thing_is_no_long_file(name):
    if not name.startswith(("half", "some")):
        content = TWO[name].replace(b'b"', b'a"').replace(b"\nb,", b"\na,")
        if name.endswith(".parquet"):
            content = parquet(
                variable=["a", "a"], timestamp=np.array(["2020-01-01", "2020-01-02"], "M8[us]"), value=[1.0, 2.0]
            )
        assert read(content, name).values.tolist() == [1.0, 2.0]


# offsets

MIXED = {
    "a day, then an offset": ["2020-01-01", "2020-01-02T02:00+02:00"],
    "an offset, then a day": ["2020-01-01T00:00Z", "2020-01-02"],
    "a time without, then one with": ["2020-01-01T00:00", "2020-01-02T00:00Z"],
    "at the end": [f"2020-01-{number:02d}T00:00+01:00" for number in range(1, 25)] + ["2020-01-25T00:00"],
}


def contents(stamps: list[str]) -> dict[str, bytes]:
    return {
        "x.csv": "\n".join(["timestamp,value", *(f"{stamp},1" for stamp in stamps), ""]).encode(),
        "x.jsonl": "\n".join(json.dumps({"timestamp": stamp, "value": 1}) for stamp in stamps).encode(),
        "x.parquet": parquet(timestamp=stamps, value=[1.0] * len(stamps)),
    }


@pytest.mark.parametrize("case", MIXED)
@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.parquet"])
def test_times_with_and_without_an_offset_in_one_file_are_refused(case, name):
    message = faults(contents(MIXED[case])[name], name)
    assert "offset from UTC" in message
    assert "give every time its offset (Z is UTC), or none" in message


def test_a_frame_of_naive_and_aware_times_is_refused():
    frame = pd.DataFrame(
        {"timestamp": [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02", tz="UTC")], "value": [1.0, 2.0]}
    )
    with pytest.raises(MalformedData, match="offset from UTC"):
        FrameStore({"x": frame}).read("x")


def test_days_of_release_go_with_times_that_have_an_offset():
    rows = "timestamp,value,known_at\n2020-01-01T00:00+01:00,1,2020-02-01\n2020-01-02T00:00+01:00,1,2020-02-01T08:00Z\n"
    assert len(read(rows)) == 2


def test_a_naive_time_of_release_does_not():
    rows = "timestamp,value,known_at\n2020-01-01T00:00+01:00,1,2020-02-01T00:00\n"
    assert "known_at has no offset from UTC and timestamp in row 2 has one" in faults(rows)


# a file that was cut


@pytest.mark.parametrize(
    "content",
    [
        CLEAN[:-1], CLEAN[:-2], CLEAN.replace("\n", "\r\n")[:-2],
        "value,timestamp\n1,2020-01-01", "timestamp,value,known_at\n2020-01-01,1,2020-01-02",
        CLEAN.replace("2020-01-01", '"2020-01-01"')[:-1],
    ],
)  # fmt: skip
def test_a_last_line_without_an_end_is_a_caution(content):
    observations = read(content)
    assert observations.caution.startswith("the last line has no end: was the file cut?")
    assert read(gzip.compress(content.encode()), "x.csv.gz").caution == observations.caution
    kinds = {finding.kind: finding for finding in quality(observations, np.datetime64("2030-01-01", "us")).findings}
    assert not kinds["cut"].note


@pytest.mark.parametrize(
    "content",
    [CLEAN, CLEAN.replace("\n", "\r\n"), CLEAN + "\n", CLEAN[:-4] + '"2.5"', "timestamp,value,note\n2020-01-01,1,x"],
)
def test_a_line_with_an_end_or_a_last_cell_that_is_not_ours_is_none(content):
    assert read(content).caution == ""


def test_the_variables_of_a_long_file_that_may_be_cut_bear_the_caution():
    assert read("variable,timestamp,value\nx,2020-01-01,1\ny,2020-01-01,2", by_variable=True).caution


# shapes that unpack


def test_a_long_quoted_note_is_csv():
    note = '"' + "a line\n" * 30_000 + '"'
    observations = read(f"timestamp,value,note\n2020-01-01,1,{note}\n2020-01-02,2,x\n")
    assert observations.values.tolist() == [1.0, 2.0]


def test_a_column_of_nulls_has_no_observation():
    stamps = np.array(["2020-01-01", "2020-01-02"], "M8[us]")
    assert faults(parquet(timestamp=stamps, value=pa.nulls(2)), "x.parquet") == "every value is absent"
    assert faults(parquet(timestamp=pa.nulls(2), value=[1.0, 2.0]), "x.parquet").startswith(
        "2 faults: row 1: timestamp is missing"
    )
    known = parquet(timestamp=stamps, value=[1.0, 2.0], known_at=pa.nulls(2))
    assert faults(known, "x.parquet").startswith("2 faults: row 1: known_at is missing")


def test_a_limit_of_memory_is_named(monkeypatch):
    monkeypatch.setattr("pulse_adapters.stores.formats.table.file_limit", lambda: 100 * 2**20)
    bomb = gzip.compress(b"0" * (110 * 2**20), compresslevel=1)
    message = faults(bomb, "x.csv.gz")
    assert "at most 104857600 bytes can be read, a quarter of the memory available here" in message


def test_a_bomb_is_counted_before_it_is_kept(monkeypatch):
    import tracemalloc

    monkeypatch.setattr("pulse_adapters.stores.formats.table.file_limit", lambda: 200 * 2**20)
    bomb = gzip.compress(b"0" * (250 * 2**20), compresslevel=1)
    tracemalloc.start()
    assert "unpacks to more than" in faults(bomb, "x.csv.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 * 2**20  # 64 MiB are kept, and twice that while they grow


def test_what_packs_well_and_fits_is_read_whole(monkeypatch):
    monkeypatch.setattr("pulse_adapters.stores.formats.gzipped.ALWAYS", 1000)
    rows = "timestamp,value,note\n" + "".join(
        f"{day},1,{'x' * 4000}\n" for day in np.arange("2020-01-01", "2020-04-01", dtype="M8[D]")
    )
    packed = gzip.compress(rows.encode())
    assert 100 * len(packed) < len(rows)
    assert len(read(packed, "x.csv.gz")) == 91


def test_rows_that_few_bytes_stand_for_are_refused_before_they_are_read(monkeypatch):
    count = 5_000_000
    table = pa.table({"timestamp": np.zeros(count, "M8[us]"), "value": np.zeros(count)})
    written = io.BytesIO()
    pq.write_table(table, written, row_group_size=count)
    monkeypatch.setattr(pq.ParquetFile, "read", None)
    assert "rows that differ need more" in faults(written.getvalue(), "x.parquet")


@pytest.mark.parametrize(
    ("files", "available"),
    [
        ({"proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    1000 kB\n"}, 1000 * 1024),
        (
            {
                "proc/meminfo": "MemAvailable: 100000 kB\n", "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/memory.max": "5000\n", "sys/fs/cgroup/a/memory.current": "3000\n",
                "sys/fs/cgroup/a/memory.stat": "anon 1\ninactive_file 500\n",
                "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/b/memory.current": "10\n",
            },
            2500,
        ),
        (
            {
                "proc/meminfo": "MemAvailable: 100000 kB\n", "proc/self/cgroup": "3:cpu,memory:/docker/x\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9000\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000\n",
            },
            8000,
        ),
        ({}, 2**33),
    ],
)  # fmt: skip
def test_the_memory_that_is_left_is_that_of_the_machine_and_its_groups(tmp_path, files, available):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory.available(tmp_path) == available


def test_a_file_larger_than_memory_is_refused_unread(tmp_path, monkeypatch):
    with (tmp_path / "x.csv").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(StoreUnavailable, match="more than there is memory"):
        FolderStore(tmp_path).read("x")


# the reader of small plain files

PLAIN = "timestamp,value\n2020-01-01,1\n2020-02-29,-2.5e-3\n0001-01-01,\n9999-12-31,+.5\n"


def test_small_plain_files_are_read_by_the_plain_reader_as_by_the_others():
    plain = read_plain(PLAIN.encode())
    careful = csv_text._careful(PLAIN.encode(), ("timestamp", "value"), Source("x"))
    assert plain is not None
    for name in ("timestamps", "values", "numbers"):
        assert getattr(plain, name).tobytes() == getattr(careful, name).tobytes(), name


@pytest.mark.parametrize(
    "row",
    [
        "2020-02-30,1", "2020-13-01,1", "0000-01-01,1", "2020-01-01", "2020-01-01,1,2", "2020-01-01,1_0",
        "2020-01-01,nan", "2020-01-01,inf", "2020-01-01,1e999", "2020-01-01, 1", "", "2020-01-01;1", "2020-01-0x,1",
        "2020-01-01T,1", ",1",
        "2020-01-01,\u0661", '"2020-01-01",1', "2020-01-01,1\r", "2020-01-00,1", "2020-00-01,1",
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_other_readers(row):
    assert read_plain(f"timestamp,value\n2020-03-01,1\n{row}\n2020-03-02,2\n".encode()) is None
