"""A blank value with a later known_at retracts, in every format; any other blank value is absent."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pulse_adapters.stores.formats.parquet_bytes import parquet_bytes
from pulse_adapters.stores.frames import FrameStore
from pulse_core import MalformedData, Observations
from pulse_core.data.observations import retractions
from pulse_core.data.quality import quality
from tests.unit.stores.reading import faults, read

ROWS = [
    ("2020-01-01", None, "2020-01-02"),  # not yet released: absent
    ("2020-01-01", 1.0, "2020-02-01"),
    ("2020-01-02", 2.0, "2020-02-01"),
    ("2020-01-01", None, "2020-03-01"),  # retracted
    ("2020-01-01", None, "2020-04-01"),  # and again
    ("2020-01-02", 3.0, "2020-04-01"),
    ("2020-01-01", 4.0, "2020-05-01"),  # and back
    ("2020-01-03", None, "2020-05-01"),  # absent
]
COLUMNS = ("timestamp", "value", "known_at")


def csv_file(rows=ROWS) -> bytes:
    lines = [f"{stamp},{'' if value is None else value},{known}" for stamp, value, known in rows]
    return "\n".join([",".join(COLUMNS), *lines, ""]).encode()


def json_lines(rows=ROWS) -> bytes:
    return "".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in rows).encode()


def parquet(rows=ROWS) -> bytes:
    stamps, values, known = zip(*rows, strict=True)
    written = io.BytesIO()
    columns = [
        pa.array(np.array(stamps, "M8[us]")),
        pa.array(values, pa.float64()),
        pa.array(np.array(known, "M8[us]")),
    ]
    pq.write_table(pa.table(columns, names=list(COLUMNS)), written)
    return written.getvalue()


FORMATS = {"x.csv": csv_file, "x.jsonl": json_lines, "x.parquet": parquet}


def expected(observations: Observations) -> None:
    assert observations.absent == 2
    assert observations.timestamps.astype("M8[D]").astype(str).tolist() == [
        "2020-01-01", "2020-01-02", "2020-01-01", "2020-01-01", "2020-01-02", "2020-01-01",
    ]  # fmt: skip
    np.testing.assert_array_equal(observations.values, [1, 2, np.nan, np.nan, 3, 4])


@pytest.mark.parametrize("name", FORMATS)
def test_a_blank_value_known_later_is_kept_as_a_retraction(name):
    expected(read(FORMATS[name](), name))


@pytest.mark.parametrize("name", FORMATS)
def test_the_order_of_the_rows_does_not_matter(name):
    expected(read(FORMATS[name](ROWS[::-1]), name))


def test_frames_retract_as_files_do():
    frame = pd.DataFrame(ROWS, columns=COLUMNS)
    expected(FrameStore({"x": frame}).read("x"))
    expected(FrameStore({"x": frame.astype({"timestamp": "datetime64[us]", "known_at": "datetime64[us]"})}).read("x"))


def test_a_retraction_survives_conversion_to_parquet_as_null():
    first = read(csv_file())
    content = parquet_bytes(first)
    assert pq.read_table(io.BytesIO(content)).column("value").null_count == 2
    again = read(content, "x.parquet")
    assert (again.fingerprint(), len(again)) == (first.fingerprint(), 6)


def test_the_fingerprint_tells_a_retraction_from_its_lack():
    without = read(csv_file([row for row in ROWS if row[2] != "2020-04-01" or row[1]]))
    assert read(csv_file()).fingerprint() != without.fingerprint()


@pytest.mark.parametrize("name", FORMATS)
def test_a_value_and_a_blank_known_at_one_moment_are_refused(name):
    rows = [*ROWS, ("2020-01-02", None, "2020-04-01")]
    assert "repeats the (timestamp, known_at)" in faults(FORMATS[name](rows), name)


@pytest.mark.parametrize("name", FORMATS)
def test_two_blanks_known_at_one_moment_are_one(name):
    assert len(read(FORMATS[name]([*ROWS, ROWS[3], ROWS[7]]), name)) == 6


def test_without_known_at_a_blank_value_is_absent():
    observations = read("timestamp,value\n2020-01-01,1\n2020-01-01,\n2020-01-02,\n")
    assert (observations.values.tolist(), observations.absent) == ([1.0], 2)


def test_a_blank_row_before_any_value_is_no_retraction():
    stamps = np.array(["2020-01-01", "2020-01-01", "2020-01-02"], "M8[us]")
    known = stamps + np.array([1, 2, 0], "m8[D]")
    assert retractions(stamps, np.array([np.nan, 1.0, np.nan]), known).tolist() == [False, False, False]
    with pytest.raises(MalformedData, match="not finite"):
        Observations("x", stamps, [np.nan, 1.0, 2.0], known)
    with pytest.raises(MalformedData, match="not finite"):
        Observations("x", stamps[1:], [1.0, np.nan])


def test_the_check_of_the_data_counts_retractions_as_a_note():
    (finding,) = (finding for finding in quality(read(csv_file()), np.datetime64("2030-01-01", "us")).findings
                  if finding.kind == "retraction")  # fmt: skip
    assert (finding.count, finding.note) == (1, True)  # the second finds nothing to retract
