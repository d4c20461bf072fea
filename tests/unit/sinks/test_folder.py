"""FolderSink beyond the contract: its layout, its names, its errors, its housekeeping."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from pulse.testing.results import publish, run_result, spec, variable_batches
from pulse_adapters.published.document import SCHEMA_VERSION
from pulse_adapters.published.result_writer import result_json
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.sinks.records import decode_record
from pulse_adapters.storage import files
from pulse_core.errors import RunIdTaken, SettingsError, SinkUnavailable
from pulse_core.results import Record
from pulse_core.tables import Columns, Labels

KEY = "ab" * 32
PART = "scores/part-00000-of-00001"
STRAY = ".result.json.0123456789abcdef.tmp"


@pytest.fixture
def sink(tmp_path: Path) -> FolderSink:
    return FolderSink(tmp_path / "results")


def write_part(sink: FolderSink, run_id: str = "nightly", name: str = PART, *groups: Columns) -> str:
    """Write a part; return its full name."""
    with sink.part(run_id, name) as part:
        for columns in groups or [{"mae": np.array([1.0, np.nan])}]:
            part.write(columns)
    assert part.facts is not None
    return part.facts.name


def contents(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_record_stands_under_the_first_two_digits_of_its_key(sink):
    sink.record(KEY, variable_batches())
    assert contents(sink.root) == {f"units/ab/{KEY}"}


@pytest.mark.parametrize("key", ["", "abc", "../../etc/passwd", "AB" * 32, "xy" * 32, "ab/cd", "ab" * 65, KEY + "\n"])
def test_a_key_that_is_none_is_refused(sink, key):
    with pytest.raises(ValueError, match="is no key"):
        sink.recall(key)
    with pytest.raises(ValueError, match="is no key"):
        sink.record(key, variable_batches())


def test_a_damaged_record_is_set_aside_and_can_be_recorded_again(sink, caplog):
    sink.record(KEY, variable_batches(1))
    path = sink.root / "units/ab" / KEY
    path.write_bytes(path.read_bytes()[:-1])
    assert sink.recall(KEY) is None
    assert "checksum" in caplog.text
    assert contents(sink.root) == {f"units/ab/{KEY}.damaged"}
    sink.record(KEY, variable_batches(1))
    assert sink.recall(KEY) == variable_batches(1)


def test_a_record_of_another_layout_is_replaced_quietly(sink, caplog):
    caplog.set_level("INFO")
    sink.record(KEY, variable_batches(1))
    path = sink.root / "units/ab" / KEY
    path.write_bytes(path.read_bytes().replace(b"pulse-record 2", b"pulse-record 1"))
    assert sink.recall(KEY) is None
    assert contents(sink.root) == set()
    assert [(entry.levelname, "damaged" in entry.getMessage()) for entry in caplog.records] == [("INFO", False)]
    sink.record(KEY, variable_batches(2))
    assert sink.recall(KEY) == variable_batches(2)


def test_a_record_of_another_layout_that_another_worker_has_just_replaced_stays(sink, monkeypatch):
    sink.record(KEY, variable_batches())
    path = sink.root / "units/ab" / KEY
    current = path.read_bytes()
    path.write_bytes(current.replace(b"pulse-record 2", b"pulse-record 1"))

    def replace_meanwhile(key: str, content: bytes) -> Record:
        files.replace(path, current)
        return decode_record(key, content)

    monkeypatch.setattr("pulse_adapters.sinks.single_records.decode_record", replace_meanwhile)
    assert sink.recall(KEY) is None
    assert path.read_bytes() == current


def test_a_record_that_another_worker_has_just_renewed_is_not_set_aside(sink, monkeypatch):
    sink.record(KEY, variable_batches())
    path = sink.root / "units/ab" / KEY
    sound = path.read_bytes()
    path.write_bytes(b"damaged")

    def renew_meanwhile(key: str, content: bytes) -> Record:
        files.replace(path, sound)
        return decode_record(key, content)

    monkeypatch.setattr("pulse_adapters.sinks.single_records.decode_record", renew_meanwhile)
    assert sink.recall(KEY) is None
    assert path.read_bytes() == sound


def test_a_temporary_file_is_no_record(sink):
    sink.record(KEY, variable_batches())
    (sink.root / "units/ab" / f".{'ab' * 31}cd.0123456789abcdef.tmp").write_bytes(b"half")
    assert sink.recall("ab" * 31 + "cd") is None


def test_the_result_is_put_in_the_runs_folder_and_at_the_outputs(tmp_path):
    sink = FolderSink(tmp_path / "results", (tmp_path / "a/b/r.json", tmp_path / "s.json"))
    places = publish(sink, run_result())
    assert places == [str(tmp_path / name) for name in ("results/nightly/result.json", "a/b/r.json", "s.json")]
    assert [Path(place).read_bytes() for place in places] == [result_json(run_result())] * 3
    assert contents(tmp_path) == {"results/nightly/result.json", "a/b/r.json", "s.json"}


def test_publishing_again_replaces_the_result(sink):
    publish(sink, run_result())
    (place,) = publish(sink, run_result(software={"pulse": "0.2"}))
    assert json.loads(Path(place).read_bytes())["run"]["software"] == {"pulse": "0.2"}


def test_an_output_that_is_a_link_stays_one(tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    publish(FolderSink(tmp_path / "results", (tmp_path / "link.json",)), run_result())
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_bytes())["schema_version"] == SCHEMA_VERSION


def test_an_output_that_is_a_device_is_refused_and_left_alone(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(SinkUnavailable, match="not a file"):
        publish(FolderSink(tmp_path / "results", (pipe,)), run_result())
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    "run_id", ["", ".", "..", ".hidden", "units", "records", "a/b", "a\\b", "ü", "a b", "x" * 129, "a\n"]
)
def test_a_run_id_that_cannot_name_a_folder_is_refused(sink, run_id):
    for attempt in (
        lambda: write_part(sink, run_id),
        lambda: publish(sink, run_result(run_id=run_id)),
        lambda: sink.check_run_id(run_id, spec()),
        lambda: sink.attach(run_id, "run.log", b""),
    ):
        with pytest.raises(SettingsError, match="cannot name a folder"):
            attempt()
    assert not sink.root.exists()


def test_a_run_id_that_is_taken_is_refused_before_anything_is_changed(tmp_path):
    sink = FolderSink(tmp_path / "results", (tmp_path / "r.json",))
    (place, _) = publish(sink, run_result())
    before = Path(place).read_bytes()
    (tmp_path / "r.json").unlink()
    with pytest.raises(RunIdTaken, match="nightly"):
        publish(sink, run_result(spec=spec(horizon=1)))
    assert Path(place).read_bytes() == before
    assert not (tmp_path / "r.json").exists()


def test_a_run_id_can_be_claimed_early(sink):
    sink.check_run_id("nightly", spec())
    assert not sink.root.exists()
    publish(sink, run_result())
    sink.check_run_id("nightly", spec())
    with pytest.raises(RunIdTaken, match="another spec"):
        sink.check_run_id("nightly", spec(trust_half_life=100.0))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"run": {"spec": 3}}', b"\xff\xfe"])
def test_a_result_that_is_not_ours_is_never_replaced(sink, content):
    path = sink.root / "nightly/result.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(RunIdTaken):
        publish(sink, run_result())
    assert path.read_bytes() == content


def test_a_file_can_be_attached_and_replaced(sink):
    sink.attach("nightly", "run.log", b"one")
    place = sink.attach("nightly", "run.log", b"two")
    assert Path(place).read_bytes() == b"two"
    assert contents(sink.root) == {"nightly/run.log"}


@pytest.mark.parametrize("name", ["", "result.json", "../x", ".x", "a/b", "x" * 129])
def test_an_attachment_needs_a_name_of_its_own(sink, name):
    with pytest.raises(SettingsError, match="cannot be the name"):
        sink.attach("nightly", name, b"")


def test_paths_do_not_depend_on_where_a_worker_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sink = FolderSink(Path("results"), (Path("r.json"),))
    monkeypatch.chdir("/")
    assert [sink.root, *(output.address for output in sink.outputs)] == [
        tmp_path / "results",
        str(tmp_path / "r.json"),
    ]


def test_publishing_removes_what_killed_writers_left_and_nothing_else(tmp_path):
    sink = FolderSink(tmp_path / "results", (tmp_path / "r.json",))
    sink.record(KEY, variable_batches())
    left = [sink.root / "units/ab" / f".{KEY}.{'0f' * 8}.tmp", sink.root / "nightly" / STRAY]
    left.append(tmp_path / f".r.json.{'0f' * 8}.tmp")
    left.append(sink.root / "nightly/scores" / f".part-00001-of-00001.parquet.{'0f' * 8}.tmp")
    kept = [tmp_path / f".other.json.{'0f' * 8}.tmp", sink.root / "units/ab" / ".x.tmp", sink.root / "nightly/a.tmp"]
    for path in (*left, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    publish(sink, run_result())
    assert [path.exists() for path in left] == [False] * 4
    assert [path.exists() for path in kept] == [True] * 3
    assert sink.recall(KEY) == variable_batches()


def test_a_temporary_file_whose_writer_lives_is_left_alone(tmp_path):
    with (tmp_path / STRAY).open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        files.sweep(tmp_path)
        assert (tmp_path / STRAY).exists()
    files.sweep(tmp_path)
    assert not (tmp_path / STRAY).exists()


def test_a_writer_that_is_swept_before_it_holds_its_lock_begins_again(tmp_path, monkeypatch):
    lock = fcntl.flock
    swept: list[Path] = []

    def sweep_first(descriptor: int, how: int) -> None:
        if not swept:
            swept.extend(tmp_path.glob(".*.tmp"))
            swept[0].unlink()
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", sweep_first)
    assert files.create(tmp_path / "file", b"whole")
    assert len(swept) == 1
    assert contents(tmp_path) == {"file"}


@pytest.mark.parametrize("failing", ["fsync", "hardlink_to"])
def test_a_write_that_fails_leaves_nothing(sink, monkeypatch, failing):
    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os if failing == "fsync" else Path, failing, fail)
    with pytest.raises(SinkUnavailable, match="disk is full") as caught:
        sink.record(KEY, variable_batches())
    assert contents(sink.root) == set()
    assert KEY in caught.value.context
    assert isinstance(caught.value.__cause__, OSError)


def test_a_part_is_a_parquet_file_under_the_run_with_a_row_group_a_go(sink):
    with sink.part("nightly", PART) as part:
        for first in (0.0, 2.0):
            part.write(
                {
                    "forecaster": Labels(("naive", "ses"), np.array([1, 0], dtype=np.int32)),
                    "known_at": np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[us]"),
                    "mae": np.array([first, np.nan]),
                }
            )
    assert part.facts is not None
    assert contents(sink.root) == {f"nightly/{part.facts.name}.parquet"}
    file = pyarrow.parquet.ParquetFile(sink.root / f"nightly/{part.facts.name}.parquet")
    assert [str(field.type) for field in file.schema_arrow] == [
        "dictionary<values=string, indices=int32, ordered=0>",
        "timestamp[us, tz=UTC]",
        "double",
    ]
    assert file.num_row_groups == 2
    assert {file.metadata.row_group(0).column(place).compression for place in range(3)} == {"ZSTD"}
    assert file.read()["mae"].to_pylist() == [0.0, None, 2.0, None]


@pytest.mark.parametrize(
    "name",
    [
        *("", "scores", "scores/", "part-1", "/part-1", "other/part-1", "scores/part-", "scores/other"),
        *("scores/part-1/x", "scores/../part-1", "../scores/part-1", "scores/part-1.parquet", "scores/part-1\n"),
        "scores/part-" + "1" * 101,
    ],
)
def test_a_part_needs_the_name_of_a_part(sink, name):
    with pytest.raises(ValueError, match="no name of a part"):
        write_part(sink, name=name)
    assert not sink.root.exists()


def test_publishing_removes_parts_and_leaves_other_files_beside_them(sink):
    write_part(sink)
    folder = sink.root / "nightly/scores"
    for name in ("notes.txt", "my-own.parquet", "part-1.csv"):
        (folder / name).touch()
    publish(sink, run_result())
    assert sorted(path.name for path in folder.iterdir()) == ["my-own.parquet", "notes.txt", "part-1.csv"]


@pytest.mark.parametrize(
    "columns",
    [
        {"other": np.ones(2)},
        {"mae": np.ones(2), "more": np.ones(2)},
        {"mae": np.ones(2, dtype=np.float32)},
    ],
    ids=["another name", "one more", "another type"],
)
def test_rows_that_do_not_fit_are_refused_and_nothing_is_left(sink, columns):
    with pytest.raises(ValueError, match="schema"):
        write_part(sink, "nightly", PART, {"mae": np.ones(2)}, columns)
    assert contents(sink.root) == set()


@pytest.mark.parametrize("code", [-1, 1])
def test_a_code_that_has_no_name_is_refused(sink, code):
    with pytest.raises(ValueError, match="out of bounds"), sink.part("nightly", PART) as part:
        part.write({"forecaster": Labels(("naive",), np.array([0, code], dtype=np.int32))})
    assert contents(sink.root) == set()


def test_columns_of_unequal_length_are_refused(sink):
    with pytest.raises(ValueError, match="length"), sink.part("nightly", PART) as part:
        part.write({"mae": np.ones(2), "me": np.ones(3)})
    assert contents(sink.root) == set()


class FullDisk(io.FileIO):
    def write(self, content: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_part_that_the_disk_has_no_room_for_leaves_nothing(sink, monkeypatch):
    monkeypatch.setattr(os, "fdopen", FullDisk)
    with pytest.raises(SinkUnavailable, match="disk is full") as caught:
        write_part(sink)
    assert PART in caught.value.context
    assert contents(sink.root) == set()


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_part_that_cannot_be_finished_leaves_nothing(sink, monkeypatch, failing):
    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os if failing == "fsync" else Path, failing, fail)
    with pytest.raises(SinkUnavailable, match="disk is full"):
        write_part(sink)
    assert contents(sink.root) == set()


def test_a_part_that_is_written_can_be_read_by_anyone(sink):
    name = write_part(sink)
    umask = os.umask(0)
    os.umask(umask)
    assert (sink.root / f"nightly/{name}.parquet").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.fixture
def without_hard_links(monkeypatch):
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)


@pytest.mark.usefixtures("without_hard_links")
def test_without_hard_links_the_first_stays_too(sink):
    sink.record(KEY, variable_batches(1))
    (sink.root / "units/ab" / KEY).rename(sink.root / "kept")
    assert files.create(sink.root / "other", b"one")
    (sink.root / "kept").rename(sink.root / "units/ab" / KEY)
    sink.record(KEY, variable_batches(2))
    assert sink.recall(KEY) == variable_batches(1)
    assert contents(sink.root) == {f"units/ab/{KEY}", "other"}


@pytest.mark.usefixtures("without_hard_links")
def test_without_hard_links_a_name_taken_meanwhile_is_respected(tmp_path, monkeypatch):
    path = tmp_path / "file"
    lock = fcntl.flock

    def taken_meanwhile(descriptor: int, how: int) -> None:
        lock(descriptor, how)
        path.write_bytes(b"first")

    monkeypatch.setattr(fcntl, "flock", taken_meanwhile)
    assert not files.create(path, b"second")
    assert path.read_bytes() == b"first"


@pytest.mark.parametrize("action", ["record", "recall", "part", "publish", "claim", "attach"])
def test_a_place_that_is_no_folder_is_named_with_the_mend(tmp_path, action):
    (tmp_path / "file").write_text("here stands a file")
    sink = FolderSink(tmp_path / "file/results")
    act = {
        "record": lambda: sink.record(KEY, variable_batches()),
        "recall": lambda: sink.recall(KEY),
        "part": lambda: write_part(sink),
        "publish": lambda: publish(sink, run_result()),
        "claim": lambda: sink.check_run_id("nightly", spec()),
        "attach": lambda: sink.attach("nightly", "run.log", b""),
    }
    with pytest.raises(SinkUnavailable, match="A file stands where a folder should be") as caught:
        act[action]()
    assert str(tmp_path / "file") in caught.value.context
