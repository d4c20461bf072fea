import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_adapters.stores.formats import json_lines
from pulse_adapters.stores.formats.table import Source
from pulse_core.errors import MalformedData
from tests.unit.stores.reading import faults, read

CLEAN = '{"timestamp": "2020-01-01", "value": 1}\n{"timestamp": "2020-01-02", "value": 2.5}\n'


@pytest.mark.parametrize(
    "content",
    [
        CLEAN,
        CLEAN.rstrip("\n"),
        CLEAN.replace("\n", "\r\n"),
        CLEAN.replace("\n", "\n\n"),
        "\ufeff" + CLEAN,
        CLEAN.replace("1}", '"1"}'),
        CLEAN.replace('"value"', '"note": {"value": [1, "known_at"]}, "v\\u0061lue"'),
    ],
)
def test_the_ways_of_writing_json_lines_are_read_alike(content):
    observations = read(content, "x.jsonl")
    assert observations.timestamps.astype("M8[D]").astype(str).tolist() == ["2020-01-01", "2020-01-02"]
    assert observations.values.tolist() == [1.0, 2.5]
    assert observations.known_at is None


@pytest.mark.parametrize("cell", ["null", '"NA"', '"."', '""', "NaN"])
def test_absent_values_are_counted_and_dropped(cell):
    observations = read(CLEAN + '{"timestamp": "2020-01-03", "value": ' + cell + "}", "x.jsonl")
    assert (len(observations), observations.absent) == (2, 1)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"timestamp": "2020-01-03", "value": "abc"}', "row 3: value 'abc' is no number"),
        ('{"timestamp": "2020-01-03", "value": true}', "row 3: value True is no number"),
        ('{"timestamp": "2020-01-03", "value": [1]}', "row 3: value [1.0] is no number"),
        ('{"timestamp": "2020-01-03", "value": Infinity}', "row 3: value inf is infinite"),
        ('{"timestamp": "2020-01-03", "value": 1e999}', "row 3: value inf is infinite"),
        ('{"timestamp": "2020-01-03"}', "row 3: value is missing (an absent one is null)"),
        ('{"value": 1}', "row 3: timestamp is missing"),
        ('{"timestamp": 20200103, "value": 1}', "row 3: timestamp 20200103.0 is no ISO date"),
        ('{"timestamp": "2020-01-32", "value": 1}', "row 3: timestamp '2020-01-32' is no date: day is out of range"),
        ('{"timestamp": "2020-01-01", "value": 1}', "row 3: repeats the (timestamp) of row 1"),
        ('{"timestamp": "2020-01-03", "value": 1, "value": 2}', "row 3: value is there twice"),
        ('{"timestamp": "2020-01-03", "value": 1', "row 3: is no JSON: Expecting"),
        ("[1, 2]", "row 3: is no JSON object"),
        ("[" * 100_000, "row 3: is no JSON: maximum recursion depth"),
    ],
)  # fmt: skip
def test_a_faulty_row_is_named(row, message):
    assert faults(CLEAN + row + "\n", "x.jsonl").startswith(message)
    assert faults(CLEAN + row + "\n\n" + '{"timestamp": "2021-01-01", "value": 1}', "x.jsonl").startswith(message)


def test_a_row_without_known_at_among_others_that_have_it_is_named():
    content = CLEAN + '{"timestamp": "2020-01-03", "value": 1, "known_at": "2020-01-04"}'
    assert faults(content, "x.jsonl") == "2 faults: row 1: known_at is missing; row 2: known_at is missing"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"<html>", "is HTML or XML, not JSON Lines"),
        (b'{"timestamp": "2020-01-01", "note": "\xff"}', "row 1: byte 0xff is not UTF-8"),
        (b'{"shade": "red", "value": 1}', "no column has a name or texts of dates; its columns are 'shade', 'value'"),
        (b"timestamp,value\n2020-01-01,1\n", "2 faults: row 1: is no JSON: Expecting value"),
        (b'[{"timestamp": "2020-01-01", "value": 1}]', "row 1: is no JSON object"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_json_lines_of_ours_is_refused_as_what_it_is(content, message):
    assert faults(content, "x.jsonl").startswith(message)


CELLS = st.one_of(
    st.floats().map(json.dumps),
    st.integers().map(str),
    st.sampled_from(['"2020-01-01"', '"2020-02-30"',
                     '"NA"', "null", "-0", "1e999", "true", '"x"', "[]", "1}", '"\\u0031"']),
)  # fmt: skip
MEMBERS = st.one_of(
    st.dates().map(lambda day: f'"timestamp":"{day}"'),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: f'"value":{value!r}'),
    st.tuples(st.sampled_from(["timestamp", "value", "known_at", "variable", "v\\u0061lue", "note"]), CELLS).map(
        lambda member: f'"{member[0]}":{member[1]}'
    ),
)
ROWS = st.one_of(
    st.tuples(st.dates(), st.one_of(st.floats(allow_infinity=False).map(json.dumps), CELLS)).map(
        lambda row: f'{{"timestamp":"{row[0]}","value":{row[1]}}}'
    ),
    st.lists(MEMBERS, min_size=1, max_size=4).map(lambda members: "{" + ",".join(members) + "}"),
)


@given(st.lists(ROWS, max_size=5), st.sampled_from(["\n", "\n", "\r\n", "\n\n", " ", "\r"]), st.booleans())
def test_what_the_quick_reader_accepts_the_careful_one_reads_to_the_same_bits(rows, end, by_variable):
    content, source = end.join(rows).encode(), Source("x.jsonl", by_variable)
    quick = _outcome(content, source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "_quick", lambda *_: None)
        assert quick == _outcome(content, source)


def _outcome(content, source):
    try:
        table = json_lines.read_json_lines(content, source)
    except MalformedData as error:
        return str(error)
    known_at = None if table.known_at is None else table.known_at.tobytes()
    groups = None if table.groups is None else {name: at.tolist() for name, at in table.groups.items()}
    values = np.where(np.isnan(table.values), np.nan, table.values)
    return table.timestamps.tobytes(), values.tobytes(), known_at, table.numbers.tolist(), groups, list(table.faults)


def test_the_quick_reader_takes_clean_files(monkeypatch):
    def careful(*_):
        raise AssertionError("the careful reader was asked")

    monkeypatch.setattr(json_lines, "_careful", careful)
    assert read(CLEAN + '{"timestamp": "2020-01-03", "value": null}', "x.jsonl").absent == 1
