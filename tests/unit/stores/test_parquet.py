import io
from contextlib import suppress
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pulse_adapters.stores.formats.parquet import COLUMN_LIMIT, FOOTER_LIMIT
from pulse_core.errors import MalformedData
from tests.unit.stores.reading import faults, read

DAYS = ["2020-01-01", "2020-01-02", "2020-01-03"]


def parquet(timestamp=None, value=None, **columns) -> bytes:
    timestamp = pa.array(np.array(DAYS, "M8[us]")) if timestamp is None else timestamp
    value = pa.array([1.0, 2.0, 3.0]) if value is None else value
    return written(pa.table({"timestamp": timestamp, "value": value, **columns}))


def written(table: pa.Table, **options) -> bytes:
    content = io.BytesIO()
    pq.write_table(table, content, **options)
    return content.getvalue()


@pytest.mark.parametrize(
    "kind",
    [pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "America/New_York")]
    + [pa.date32(), pa.date64()],
    ids=str,
)  # fmt: skip
def test_times_of_any_unit_and_zone_are_read_as_utc(kind):
    stamps = pa.array(np.array(DAYS, "M8[ms]")).cast(pa.timestamp("ms", getattr(kind, "tz", None))).cast(kind)
    read_back = read(parquet(stamps), "x.parquet").timestamps
    assert read_back.astype("M8[D]").astype(str).tolist() == DAYS
    assert (read_back.astype("M8[D]") == read_back).all()


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
    ids=str,
)
def test_texts_are_read_as_in_csv(kind):
    stamps = pa.array(["2020-01-01T02:00+02:00", "2020-01-02T00Z", "2020-01-03T00Z"], pa.string()).cast(kind)
    values = pa.array(["1", "NA", None], pa.string()).cast(kind)
    observations = read(parquet(stamps, values), "x.parquet")
    assert (observations.timestamps.astype(str).tolist(), observations.values.tolist(), observations.absent) == (
        ["2020-01-01T00:00:00.000000"], [1.0], 2,
    )  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
     pa.float16(), pa.float32(), pa.float64(), pa.decimal128(5, 2), pa.decimal256(50, 2)],
    ids=str,
)  # fmt: skip
def test_numbers_of_any_type_are_read_and_nulls_are_absent(kind):
    cells = [Decimal(1), None, Decimal(2)] if pa.types.is_decimal(kind) else [1.0, None, 2.0]
    values = pa.array(cells, None if pa.types.is_decimal(kind) else pa.float64()).cast(kind)
    observations = read(parquet(value=values), "x.parquet")
    assert (observations.values.tolist(), observations.absent) == ([1.0, 2.0], 1)


def test_decimals_are_rounded_to_the_nearest_float():
    digits = ["0.1234567890123456789012345678", "9007199254740993.0", "2.675"]
    values = pa.array([Decimal(text) for text in digits], pa.decimal256(60, 30))
    assert read(parquet(value=values), "x.parquet").values.tolist() == [float(text) for text in digits]


def test_large_integers_are_rounded_to_the_nearest_float():
    values = pa.array([2**53 + 1, 2**63 - 1, None], pa.int64())
    assert read(parquet(value=values), "x.parquet").values.tolist() == [float(2**53 + 1), float(2**63 - 1)]


def test_a_float_nan_is_absent():
    assert read(parquet(value=pa.array([1.0, float("nan"), 2.0])), "x.parquet").absent == 1


def test_row_groups_and_extra_columns_make_no_difference():
    table = pa.table(
        {"note": [{"value": 1}] * 3, "known_at": np.array(DAYS, "M8[D]"), "value": [3.0, 2.0, 1.0], "timestamp": DAYS}
    )
    observations = read(written(table, row_group_size=1), "x.parquet")
    assert observations.values.tolist() == [3.0, 2.0, 1.0]
    assert observations.known_at is not None


def test_variables_of_a_long_file_are_kept_apart_across_row_groups():
    table = pa.table({"variable": ["y", "x", "y", "x"], "timestamp": [*DAYS, "2020-01-04"], "value": [1, 2, 3, 4]})
    assert read(written(table, row_group_size=1), "x.parquet", by_variable=True).values.tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"value": pa.array([1.0, np.inf, np.nan])}, "row 2: value is infinite"),
        ({"value": pa.array(["1", "x", "1e999"])}, "2 faults: row 2: value 'x' is no number; row 3: value '1e999'"),
        ({"value": pa.array([True, False, True])}, "column 'value' holds bool, not numbers"),
        ({"value": pa.array([[1.0], [], []])}, "column 'value' holds list<element: double>, not numbers"),
        ({"timestamp": pa.array([20200101, 1, 2])}, "column 'timestamp' holds int64, not times"),
        ({"timestamp": pa.array(["2020-01-01", None, "2020-01-03"])}, "row 2: timestamp is missing"),
        ({"timestamp": pa.array(["2020-01-01", "x", "2020-01-03"])}, "row 2: timestamp 'x' is no ISO date"),
        ({"timestamp": pa.array([0, None, 1], pa.timestamp("us"))}, "row 2: timestamp is missing"),
        ({"timestamp": pa.array([0, 10**15, 1], pa.timestamp("ms"))}, "row 2: timestamp is outside the years"),
        ({"timestamp": pa.array([0, 2**31 - 1, 1], pa.date32())}, "row 2: timestamp is outside the years"),
        ({"timestamp": pa.array([0, 1001, 2000], pa.timestamp("ns"))}, "row 2: timestamp is finer than a microsecond"),
        ({"timestamp": pa.array([DAYS[1], DAYS[0], DAYS[1]])}, "row 3: repeats the (timestamp) of row 1"),
        ({"known_at": pa.array(["2020-01-01"] * 3)}, "2 faults: row 2: known_at 2020-01-01 is before"),
        ({"value": pa.array([None] * 3, pa.float64())}, "every value is absent"),
        ({"value": pa.nulls(3)}, "every value is absent"),
        ({"timestamp": pa.nulls(3)}, "3 faults: row 1: timestamp is missing"),
    ],
)  # fmt: skip
def test_faulty_columns_and_rows_are_named(columns, message):
    assert faults(parquet(**columns), "x.parquet").startswith(message)


def test_columns_that_say_nothing_are_named():
    content = written(pa.table({"shade": ["red", "blue", "red"], "value": [1, 2, 3]}))
    message = "no column has a name or texts of dates; its columns are 'shade', 'value'"
    assert faults(content, "x.parquet") == message


def test_columns_there_twice_are_named():
    table = pa.Table.from_arrays(
        [pa.array(DAYS), pa.array([1, 2, 3]), pa.array([4, 5, 6])], ["timestamp", "value", "value"]
    )
    assert faults(written(table), "x.parquet") == "column 'value' is there twice"


def test_a_file_without_rows_says_so():
    assert faults(parquet(pa.array([], pa.date32()), pa.array([], pa.float64())), "x.parquet") == "no rows"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"timestamp,value\n2020-01-01,1\n", "is not Parquet"),
        (b"PAR1", "is Parquet cut short: its footer is missing"),
        (b"PAR1" + b"\0" * 20 + b"PAR1", "is no sound Parquet: "),
        (b"PAR1" + b"\xff" * 20 + b"PAR1", "has a footer of 4294967295 bytes"),
        (parquet()[:-10], "is Parquet cut short: its footer is missing"),
    ],
)
def test_a_file_that_is_no_parquet_is_refused_as_what_it_is(content, message):
    assert faults(content, "x.parquet").startswith(message)


def test_damaged_pages_are_refused():
    content = bytearray(parquet())
    content[4:60] = b"\xff" * 56
    assert faults(bytes(content), "x.parquet").startswith("is no sound Parquet: ")


def test_whatever_byte_is_damaged_the_file_is_read_or_refused():
    known_at = pa.array(["2020-01-05", "2020-01-06", "2020-01-07"])
    sound = parquet(value=pa.array(["1", "2", "3"]), known_at=known_at)
    for at in range(len(sound)):
        with suppress(MalformedData):
            read(sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :], "x.parquet")


def test_very_many_columns_are_refused_from_the_metadata_alone():
    table = pa.table(
        {"timestamp": DAYS, "value": [1.0, 2.0, 3.0]} | {f"c{number}": [0, 0, 0] for number in range(20_000)}
    )
    assert faults(written(table), "x.parquet") == f"has 20002 columns; at most {COLUMN_LIMIT}"


def test_a_footer_beyond_the_limit_is_not_even_parsed():
    content = b"PAR1" + b"\0" * (FOOTER_LIMIT + 1) + (FOOTER_LIMIT + 1).to_bytes(4, "little") + b"PAR1"
    assert faults(content, "x.parquet").startswith(f"has a footer of {FOOTER_LIMIT + 1} bytes")


def test_few_bytes_that_stand_for_very_many_rows_are_refused_before_reading():
    table = pa.table({"timestamp": np.zeros(200_000, "M8[us]"), "value": np.zeros(200_000)})
    content = written(table)
    assert len(content) < 10_000
    message = "unpacks to 4800000 bytes (200000 rows); at most 100000 bytes can be read"
    assert faults(content, "x.parquet", limit=100_000) == message
