from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from pulse_adapters.stores.frames import FrameStore
from pulse_core.errors import MalformedData

DAYS = ["2020-01-01", "2020-01-02", "2020-01-03"]
INDEX = pd.DatetimeIndex(DAYS)


def read(frame):
    return FrameStore({"x": frame}).read("x")


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"timestamp": DAYS, "value": [1, 2, 3]}),
        pd.DataFrame({"timestamp": INDEX, "value": [1.0, 2.0, 3.0], "note": [object()] * 3}),
        pd.DataFrame({"value": [1, 2, 3]}, index=INDEX),
        pd.DataFrame({"value": ["1", "2", "3"]}, index=INDEX.tz_localize("UTC")),
        pd.Series([1, 2, 3], index=INDEX),
        pd.Series([1, 2, 3], index=pd.PeriodIndex(DAYS, freq="D")),
        pd.DataFrame({"close": [1, 2, 3]}, index=INDEX),
        pd.DataFrame({"close": [1, 2, 3]}, index=INDEX.rename("Date")),
        pd.DataFrame({"DATE": ["20200101", "20200102", "20200103"], "GDP": ["1", "2", "3"]}),
        pl.DataFrame({"date": [date(2020, 1, day) for day in (1, 2, 3)], "close": [1, 2, 3]}),
        pa.table({"timestamp": DAYS, "value": [1, 2, 3]}),
        pd.Series([1, 2, 3], index=INDEX.as_unit("ns").tz_localize("UTC").tz_convert("Asia/Tokyo"), name="close"),
        pd.Series([1, 2, 3], index=INDEX, dtype="Int16"),
        pd.Series([3, 1, 2], index=INDEX[[2, 0, 1]], dtype="float32"),
        pd.Series([1, 2, 3], index=INDEX, dtype="category"),
        pd.DataFrame({"timestamp": [date(2020, 1, day) for day in (1, 2, 3)], "value": [Decimal(1), "2", 3.0]}),
        pd.DataFrame({"timestamp": [datetime(2020, 1, 1), pd.Timestamp(DAYS[1]), DAYS[2]], "value": [1, 2, 3]}),  # noqa: DTZ001
        pd.DataFrame({"timestamp": pd.array(DAYS, "string[pyarrow]"), "value": pd.array([1, 2, 3], "int64[pyarrow]")}),
        pd.DataFrame({"timestamp": pd.Categorical(DAYS), "value": [1, 2, 3]}),
        pd.DataFrame({"timestamp": pd.Categorical(INDEX), "value": [1, 2, 3]}),
    ],
)  # fmt: skip
def test_the_ways_of_holding_a_series_are_read_alike(frame):
    observations = read(frame)
    assert observations.timestamps.astype("M8[D]").astype(str).tolist() == DAYS
    assert (observations.timestamps.astype("M8[D]") == observations.timestamps).all()
    assert observations.values.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "values", [[1, np.nan, 2], [1, None, 2], pd.array([1, None, 2], dtype="Int64"), ["1", "NA", "2"], [1, pd.NA, "2"]]
)
def test_absent_values_are_counted_and_dropped(values):
    observations = read(pd.DataFrame({"timestamp": DAYS, "value": values}))
    assert (observations.values.tolist(), observations.absent) == ([1.0, 2.0], 1)


def test_vintages_are_read():
    frame = pd.DataFrame({"timestamp": INDEX[[0, 0, 1]], "value": [1, 2, 3], "known_at": INDEX[[0, 1, 2]]})
    assert read(frame).known_at.tolist() == INDEX.to_pydatetime().tolist()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.Series([1, 2, np.inf], index=INDEX), "row 3: value is infinite"),
        (pd.Series([1, "abc", True], index=INDEX), "2 faults: row 2: value 'abc' is no number; row 3: value 'True'"),
        (pd.Series([True, False, True], index=INDEX), "column 'value' holds bool, not numbers"),
        (pd.Series([1j, 2, 3], index=INDEX), "column 'value' holds complex128"),
        (pd.Series([1, 2, 3], index=pd.DatetimeIndex([*DAYS[:2], None])), "row 3: timestamp is missing"),
        (pd.Series([1, 2, 3], index=INDEX[[0, 1, 0]]), "row 3: repeats the (timestamp) of row 1"),
        (pd.Series([1, 2, 3]), "no column has a name or texts of dates; its columns are 'value'"),
        (pd.DataFrame({"a": [1, 2, 3], "b": [1, 2, 3]}, index=INDEX), "holds 2 variables (a, b); give it by itself"),
        (pd.DataFrame(dict.fromkeys(["Open", "High", "Low", "Close"], 1), index=INDEX), "'Open', 'High', 'Low', "),
        (pd.DataFrame([[DAYS[0], 1, 2]], columns=["timestamp", "value", "value"]), "column 'value' is there twice"),
        (pd.DataFrame({"timestamp": [1, 2, 3], "value": [1, 2, 3]}), "column 'timestamp' holds int64, not times"),
        (pd.Series([], index=pd.DatetimeIndex([]), dtype="float64"), "no rows"),
        (pd.Series([np.nan] * 3, index=INDEX), "every value is absent"),
        ([1, 2, 3], "is a list, not a DataFrame or Series"),
    ],
)  # fmt: skip
def test_what_files_are_refused_for_frames_are_too(frame, message):
    with pytest.raises(MalformedData) as refused:
        read(frame)
    assert refused.value.context == "frame 'x'"
    assert refused.value.message.startswith(message)


def test_the_mapping_is_copied_and_the_frames_are_left_as_they_are():
    frame = pd.DataFrame({"value": [1, 2, 3]}, index=INDEX)
    frames = {"x": frame}
    store = FrameStore(frames)
    frames.clear()
    assert len(store.read("x")) == 3
    assert list(frame.columns) == ["value"]


def test_a_series_alone_is_the_variable_of_its_name():
    store = FrameStore(pd.Series([1, 2, 3], index=INDEX, name="sales"))
    assert list(store.names()) == ["sales"]
    assert store.read("sales").values.tolist() == [1.0, 2.0, 3.0]
    assert store.read("sales").timestamps.astype("M8[D]").astype(str).tolist() == DAYS


@pytest.mark.parametrize(
    "frames", [pd.Series([1, 2, 3], index=INDEX), pd.Series([1], index=INDEX[:1], name=3), [1, 2]], ids=type
)
def test_data_without_a_variables_name_are_refused_with_a_hint(frames):
    with pytest.raises(MalformedData, match="a Series whose name is its variable") as caught:
        FrameStore(frames)
    assert "rename" in caught.value.hint
