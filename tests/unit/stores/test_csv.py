import gzip

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pulse_adapters.stores.formats import csv_text
from pulse_adapters.stores.formats.table import Source
from pulse_core.errors import MalformedData
from tests.unit.stores.reading import faults, read

CLEAN = "timestamp,value\n2020-01-01,1\n2020-01-02,2.5\n"
DAYS = np.array(["2020-01-01", "2020-01-02"], "M8[us]")


def days_and_values(observations):
    return observations.timestamps.tolist() == DAYS.tolist() and observations.values.tolist() == [1.0, 2.5]


@pytest.mark.parametrize(
    "content",
    [
        CLEAN,
        CLEAN.rstrip("\n"),
        CLEAN.replace("\n", "\r\n"),
        CLEAN.replace("\n", "\r"),
        CLEAN.replace("\n", "\n\n"),
        "\ufeff" + CLEAN,
        CLEAN.replace("value", '"value"').replace("2020-01-01", '"2020-01-01"'),
        "timestamp, value\n2020-01-01, 1\n2020-01-02, 2.5\n",
        "value,timestamp\n2.5,2020-01-02\n1,2020-01-01\n",
        "note,timestamp,value\n,2020-01-01,1\nfür,2020-01-02,2.5\n",
        'note,timestamp,value\n"a\nb",2020-01-01,1\n"say ""x"", y",2020-01-02,2.5\n',
        "timestamp,value\n2020-01-01T00:00Z,1\n2020-01-02T00:00Z,2.5\n",
        "timestamp,value\n2020-01-01T00:00Z,1\n2020-01-02T02:00+02:00,2.5\n",
        "timestamp,value\n2020-01-01,1\n2020-01-02T00:00,2.5\n",
        "variable,timestamp,value\ny,2020-01-01,1\ny,2020-01-02,2.5\n",
        "note,note,timestamp,value\n1,2,2020-01-01,1\n1,2,2020-01-02,2.5\n",
    ],
)
def test_the_ways_of_writing_csv_are_read_alike(content):
    assert days_and_values(read(content))
    assert days_and_values(read(gzip.compress(content.encode()), "x.csv.gz"))


def test_absent_values_are_counted_and_dropped():
    rows = "".join(f"2021-01-{day:02},{text}\n" for day, text in enumerate(["", ".", "NA", "NaN", "nan", '""'], 1))
    observations = read(CLEAN + rows)
    assert days_and_values(observations)
    assert observations.absent == 6


def test_vintages_are_read_with_their_time():
    observations = read("timestamp,value,known_at\n2020-01-01,2,2020-03-01T08:30-05:00\n2020-01-01,1,2020-02-01\n")
    assert observations.known_at is not None
    assert observations.known_at.astype(str).tolist() == ["2020-02-01T00:00:00.000000", "2020-03-01T13:30:00.000000"]
    assert observations.values.tolist() == [1.0, 2.0]


def test_a_variable_called_na_is_no_absent_one():
    long = "variable,timestamp,value\nNA,2020-01-01,1\nx,2020-01-01,2\n"
    assert read(long, by_variable=True).values.tolist() == [2.0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2020-01-03,abc", "row 4: value 'abc' is no number"),
        ("2020-01-03,inf", "row 4: value 'inf' is infinite"),
        ("2020-01-03,1e999", "row 4: value '1e999' is too large for a float64"),
        ("2020-01-03,nan(1)", "row 4: value 'nan(1)' is no number"),
        ("2020-01-03,TRUE", "row 4: value 'TRUE' is no number"),
        ('2020-01-03,"1,5"', "row 4: value '1,5' is no number"),
        ("2020-02-30,1", "row 4: timestamp '2020-02-30' is no date: day is out of range for month"),
        ("0000-01-01,1", "row 4: timestamp '0000-01-01' is no date: year 0 is out of range"),
        (",1", "row 4: timestamp is missing"),
        ("NA,1", "row 4: timestamp 'NA' is no ISO date"),
        ("2020-01-01,9", "row 4: repeats the (timestamp) of row 2"),
        ("2020-01-01T00:00,9", "row 4: repeats the (timestamp) of row 2"),
        ("2020-01-03", "row 4: 1 fields, the header has 2"),
        ("2020-01-03,1,2", "row 4: 3 fields, the header has 2"),
    ],
)
def test_a_faulty_row_is_named(row, message):
    assert faults(f"{CLEAN}{row}\n") == message
    assert faults(f"{CLEAN}{row}\n2020-01-05,1\n") == message


def test_rows_are_numbered_as_the_lines_of_the_file():
    content = 'timestamp,value,note\n\n2020-01-01,1,"a\nb"\n\n2020-01-02,x,"c\nd"\n2020-01-03,y,\n'
    assert faults(content) == "2 faults: row 6: value 'x' is no number; row 8: value 'y' is no number"


def test_very_many_faults_after_a_blank_line_keep_their_line_numbers():
    assert "faults: row 3: timestamp is missing" in faults("timestamp,value\n\n" + ",1\n" * 20_000)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_are_numbered_under_every_line_end(end):
    assert faults(end.join(["timestamp,value", "2020-01-01,1", "2020-01-01,2", ""])) == (
        "row 3: repeats the (timestamp) of row 2"
    )


def test_a_row_known_before_its_timestamp_is_named():
    content = "timestamp,value,known_at\n2020-01-01,1,2020-01-02\n2020-01-02,2,2020-01-01\n2020-01-03,3,\n"
    assert faults(content) == (
        "2 faults: row 3: known_at 2020-01-01 is before timestamp 2020-01-02; row 4: known_at is missing"
    )


def test_a_repeated_vintage_is_named_and_another_vintage_is_none():
    content = "timestamp,value,known_at\n2020-01-01,1,2020-01-05\n2020-01-01,2,2020-01-06\n2020-01-01,3,2020-01-05\n"
    assert faults(content) == "row 4: repeats the (timestamp, known_at) of row 2"


def test_all_faults_come_in_one_report_the_first_twenty_spelled_out():
    rows = [f"2020-01-{day:02},x" for day in range(1, 31)]
    message = faults("\n".join(["timestamp,value", *rows]))
    assert message.startswith("30 faults: row 2: value 'x' is no number; row 3:")
    assert message.count("is no number") == 20
    assert message.endswith("and 10 more")


def test_a_file_of_nothing_but_faults_is_not_read_to_its_end():
    message = faults("timestamp,value\n" + "x,y\n" * 50_000)
    assert message.startswith("10001 faults: row 2: timestamp 'x' is no ISO date; row 2: value 'y' is no number")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("timestamp,close", "row 2: 4 fields, the header has 2"),
        ("Date;Value", "row 2: 1 fields, the header has 2"),
        ("timestamp,value,value", "column 'value' is there twice"),
        ("timestamp,value,known_at,known_at", "column 'known_at' is there twice"),
    ],
)
def test_rows_of_other_widths_and_columns_there_twice_are_named(header, message):
    assert faults(f"{header}\n2020-01-01,1,2,3\n") == message


def test_a_long_file_without_the_column_variable_is_of_one_variable():
    assert read(CLEAN, by_variable=True) == read(CLEAN)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n\n", "is empty"),
        (b"timestamp,value\n", "no rows"),
        (b"timestamp,value", "no rows"),
        (b"timestamp,value\n2020-01-01,NA\n", "every value is absent"),
        (b"<!DOCTYPE html><html>", "is HTML or XML, not CSV"),
        (b"\n <?xml version='1.0'?>", "is HTML or XML, not CSV"),
        (b"PAR1\x00\x00", "is Parquet, not CSV"),
        (gzip.compress(CLEAN.encode()), "is gzip (its name must then end in .gz), not CSV"),
        (CLEAN.encode("utf-16"), "is UTF-16, not CSV"),
        (b"PK\x03\x04....", "is a ZIP archive or a spreadsheet, not CSV"),
        (b"timestamp,value,note\n2020-01-01,1,ok\n2020-01-02,2,caf\xe9\n", "row 3: byte 0xe9 is not UTF-8"),
        (
            b"timestamp,value\n2020-01-01,1\n\0\0\0",
            "row 3: a byte 0x00, which no text has: is it binary, or UTF-16 without a mark?",
        ),
    ],
)
def test_a_file_that_is_no_csv_of_ours_is_refused_as_what_it_is(content, message):
    assert faults(content) == message


@pytest.mark.parametrize(
    ("content", "row"),
    [
        ('timestamp,value\n2020-01-01,1\n2020-01-02,"2\n2020-01-03,3\n', 3),
        ('timestamp,value\n2020-01-01,"1"5\n', 2),
        ('timestamp,value,note\n2020-01-01,1,"' + "n\n" * 200_000, 2),
    ],
)
def test_broken_quoting_and_endless_fields_are_refused(content, row):
    assert f"row {row}: is no CSV (" in faults(content)


def test_an_unclosed_quote_in_the_header_is_refused():
    assert "is no CSV (unexpected end of data)" in faults('"timestamp,value\n2020-01-01,1\n')


CELLS = st.sampled_from(
    ["2020-01-01", "2020-01-01T10:00", "2020-01-01 10:00:00.25", "2020-01-01T10:00Z", "2020-01-01T10:00+0130",
     "2020-01-01T10:00-02", "0001-01-01T00:00+02:00", "9999-12-31", "2021-06-30T24:00", "2022-02-29", "2022",
     "", " ", ".", "NA", "nan", "-nan", "nan(1)", "inf", "1", "-0", "+2.5", "1e5", "1e400", "1e-400", "0x1", "1_0",
     '"1"', '"a,b"', '"1"2', '"', '""', '"x\ny"', " 1", "é", "x", "x", "y", "\x00", "\t3"]
)  # fmt: skip
ROW_ENDS = st.sampled_from(["\n", "\n", "\n", "\n", "\r\n", "\r", "\n\n"])


@st.composite
def csv_contents(draw):
    """Text that is nearly CSV of ours: the likely cells in the likely places, and some of any kind."""
    header = draw(
        st.sampled_from(
            ["timestamp,value", "timestamp,value,known_at", "variable,timestamp,value", "value,timestamp,note"]
        )
    )
    times = st.one_of(st.dates().map(str), st.datetimes().map(str), CELLS)
    numbers = st.one_of(st.floats(allow_nan=False).map(repr), CELLS)
    kinds = {"timestamp": times, "known_at": times, "value": numbers}
    row = st.tuples(*(kinds.get(name, CELLS) for name in header.split(","))).map(",".join)
    rows = draw(st.lists(row | CELLS, max_size=6))
    end = draw(ROW_ENDS)
    return header + "".join(end + text for text in rows) + draw(st.sampled_from(["", end]))


@given(csv_contents())
@example("timestamp,value\n2020-01-01,1\r\n\n2020-01-02,2")
@example('timestamp,value\n2020-01-01,1",",2')
def test_what_the_quick_reader_accepts_the_careful_one_reads_to_the_same_bits(content):
    by_variable = content.startswith("variable")
    source = Source("x.csv", by_variable)
    quick, careful = _outcome(csv_text.read_csv, content, source), _careful_outcome(content, source)
    assert quick == careful


def _outcome(reader, content, source):
    try:
        table = reader(content.encode(), source)
    except MalformedData as error:
        return str(error)
    known_at = None if table.known_at is None else table.known_at.tobytes()
    groups = None if table.groups is None else {name: at.tolist() for name, at in table.groups.items()}
    values = np.where(np.isnan(table.values), np.nan, table.values)
    faults = [str(fault) for fault in table.faults]
    return table.timestamps.tobytes(), values.tobytes(), known_at, table.numbers.tolist(), groups, faults


def _careful_outcome(content, source):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "_quick", lambda *_: None)
        return _outcome(csv_text.read_csv, content, source)


def test_the_quick_reader_takes_clean_files(monkeypatch):
    def careful(*_):
        raise AssertionError("the careful reader was asked")

    monkeypatch.setattr(csv_text, "_careful", careful)
    for content in (
        CLEAN,
        CLEAN.replace("\n", "\r\n"),
        CLEAN.replace("2020-01-01", '"2020-01-01"'),
        CLEAN + "2021-01-01,NA\n",
    ):
        assert read(content).values.tolist() == [1.0, 2.5]
