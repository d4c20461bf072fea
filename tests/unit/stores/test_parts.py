"""Tables in parts: folders named `name=value`, and folders `x.parquet` of files, as programs write them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pulse_adapters.stores.folder import FolderStore
from pulse_adapters.stores.formats.reading import Reading, Readings
from pulse_core.errors import DataError, MalformedData

DAYS = pd.date_range("2019-11-01", periods=90, freq="D")
VALUES = [round(100 + 0.25 * at, 2) for at in range(90)]
FRAME = pd.DataFrame({"date": DAYS, "sales": VALUES, "year": DAYS.year, "month": DAYS.month})
PAIR = pd.concat([FRAME.assign(ticker="a"), FRAME.assign(ticker="b", sales=[value + 1 for value in VALUES])])


def series(store: FolderStore) -> dict[str, dict[date, float]]:
    """Return the values of every variable by their day."""
    result = {}
    for name in store.names():
        rows = store.read(name)
        result[name] = dict(zip(rows.timestamps.astype("M8[D]").tolist(), rows.values.tolist(), strict=True))
    return result


def by_day(shift: float = 0) -> dict[date, float]:
    return {day.date(): value + shift for day, value in zip(DAYS, VALUES, strict=True)}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def reading(**said: Any) -> Readings:
    return Readings(Reading(**said))


def test_folders_of_years_and_months_are_one_series_of_the_name_of_the_folder(tmp_path):
    FRAME.to_parquet(tmp_path / "sales", partition_cols=["year", "month"])
    assert series(FolderStore(tmp_path / "sales")) == {"sales": by_day()}


def test_folders_of_names_are_variables(tmp_path):
    PAIR.to_parquet(tmp_path / "prices", partition_cols=["ticker", "year"])
    assert series(FolderStore(tmp_path / "prices")) == {"a": by_day(), "b": by_day(1)}


def test_a_folder_with_the_name_of_a_file_is_that_file(tmp_path):
    for at, start in enumerate(range(0, 90, 30)):
        path = tmp_path / "sales.parquet" / f"part-0000{at}-c9.snappy.parquet"
        path.parent.mkdir(exist_ok=True)
        FRAME[["date", "sales"]][start : start + 30].to_parquet(path)
    write(tmp_path / "sales.parquet", {"_SUCCESS": "", ".part-00000.crc": "x"})
    FRAME[["date", "sales"]].to_csv(tmp_path / "other.csv", index=False)
    store = FolderStore(tmp_path)
    assert series(store) == {"sales": by_day(), "other": by_day()}
    assert series(FolderStore(tmp_path / "sales.parquet")) == {"sales": by_day()}
    assert store.sizes(["sales"])["sales.parquet"] > 3_000


def test_parts_of_a_wide_table_are_variables_a_column(tmp_path):
    wide = pd.DataFrame({"a": VALUES, "b": [value + 1 for value in VALUES]}, index=DAYS.rename("Date"))
    (tmp_path / "prices.parquet").mkdir()
    for at in (0, 45):
        wide[at : at + 45].to_parquet(tmp_path / "prices.parquet" / f"part.{at}.parquet")
    assert series(FolderStore(tmp_path)) == {"a": by_day(), "b": by_day(1)}


def test_the_numbers_of_rows_that_start_anew_in_each_part_are_no_variable(tmp_path):
    (tmp_path / "sales.parquet").mkdir()
    for at in (0, 45):
        frame = FRAME[["date", "sales"]][at : at + 45].reset_index(drop=True)
        frame.index = pd.Index(np.arange(45), name="__null_dask_index__")
        frame.to_parquet(tmp_path / "sales.parquet" / f"part.{at}.parquet")
    assert series(FolderStore(tmp_path)) == {"sales": by_day()}


def test_parts_of_text_without_an_ending_of_their_own_are_read(tmp_path):
    (tmp_path / "sales.csv").mkdir()
    for at in (0, 45):
        FRAME[["date", "sales"]][at : at + 45].to_csv(tmp_path / "sales.csv" / f"{at}.part", index=False)
    assert series(FolderStore(tmp_path)) == {"sales": by_day()}


def test_dates_are_decided_by_all_parts_together(tmp_path):
    texts = FRAME.assign(date=DAYS.strftime("%d/%m/%Y"))
    for year, rows in texts.groupby("year"):
        path = tmp_path / "sales" / f"year={year}" / "x.csv"
        path.parent.mkdir(parents=True)
        rows[["date", "sales"]].to_csv(path, index=False)
    write(tmp_path / "sales", {"year=2021/x.csv": "date,sales\n01/02/2021,5\n"})
    assert series(FolderStore(tmp_path / "sales")) == {"sales": by_day() | {date(2021, 2, 1): 5.0}}


def test_the_only_time_may_be_that_of_the_folders(tmp_path):
    files = {
        f"date={day:%Y-%m-%d}/x.csv": f"ticker,price\na,{value}\nb,{value + 1}\n" for day, value in by_day().items()
    }
    assert series(FolderStore(write(tmp_path / "prices", files))) == {"a": by_day(), "b": by_day(1)}


def test_folders_of_snapshots_say_when_rows_became_known(tmp_path):
    rows = "date,gdp\n2019-10-01,5\n"
    files = {"as_of=2020-01-30/x.csv": rows, "as_of=2020-02-27/x.csv": "date,gdp\n2019-10-01,6\n"}
    read = FolderStore(write(tmp_path / "gdp", files)).read("gdp")
    assert read.known_at is not None
    known = read.known_at.astype("M8[D]").astype(str).tolist()
    assert list(zip(known, read.values.tolist(), strict=True)) == [("2020-01-30", 5.0), ("2020-02-27", 6.0)]


def test_folders_of_a_name_that_says_nothing_are_a_question_whose_answers_work(tmp_path):
    stores = {"store=1/x.csv": "date,sales\n2020-01-01,1\n", "store=2/x.csv": "date,sales\n2020-01-02,2\n"}
    folder = write(tmp_path / "sales", stores)
    with pytest.raises(MalformedData, match="divided by 'store'") as refusal:
        FolderStore(folder).read("sales")
    assert "--columns variable=store" in refusal.value.hint
    assert "--columns value=sales" in refusal.value.hint
    days = date(2020, 1, 1), date(2020, 1, 2)
    by_store = FolderStore(folder, reading(columns={"variable": "store"}))
    assert series(by_store) == {"1": {days[0]: 1.0}, "2": {days[1]: 2.0}}
    as_one = FolderStore(folder, reading(columns={"value": "sales"}))
    assert series(as_one) == {"sales": {days[0]: 1.0, days[1]: 2.0}}


def test_rows_are_told_with_their_part(tmp_path):
    files = {
        "year=2019/x.csv": "date,sales\n2019-01-01,1\n",
        "year=2020/x.csv": "date,sales\n2020-01-01,1\n2020-02-30,2\n",
    }
    folder = write(tmp_path / "sales", files)
    with pytest.raises(MalformedData, match=r"sales: row 3 of year=2020/x\.csv: timestamp '2020-02-30'"):
        FolderStore(folder).read("sales")
    (folder / "year=2020/x.csv").write_text("date,sales\n2019-01-01,1\n")
    with pytest.raises(
        MalformedData, match=r"row 2 of year=2020/x\.csv: repeats the \(timestamp\) of row 2 of year=2019/x\.csv"
    ):
        FolderStore(folder).read("sales")


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "other columns in a part": (
        {"year=2019/x.csv": "date,sales\n2019-01-01,1\n", "year=2020/x.csv": "date,y\n2020-01-01,1\n"},
        "year=2020/x.csv has the columns 'date', 'y'",
    ),
    "several formats": (
        {"year=2019/x.csv": "date,sales\n2019-01-01,1\n", "year=2020/x.jsonl": '{"date": "2020-01-01", "sales": 1}\n'},
        "several formats",
    ),
    "files beside folders": (
        {"year=2019/x.csv": "date,sales\n2019-01-01,1\n", "y.csv": "date,sales\n2019-01-01,1\n"},
        "beside folders of partitions",
    ),
    "a folder of another kind": (
        {"year=2019/x.csv": "date,sales\n2019-01-01,1\n", "year=2019/old/x.csv": "date,sales\n2019-01-01,1\n"},
        "not named name=value",
    ),
    "folders at different depths": (
        {"year=2019/x.csv": "date,sales\n2019-01-01,1\n", "year=2020/month=1/x.csv": "date,sales\n2020-01-01,1\n"},
        "folders of different names",
    ),
    "a file of another kind": (
        {"year=2019/x.csv": "date,sales\n2019-01-01,1\n", "year=2020/part-00000": "date,sales\n2020-01-01,1\n"},
        "no file of data",
    ),
    "a table whose log says which files count": (
        {"year=2019/x.csv": "date,sales\n2019-01-01,1\n", "_delta_log/0.json": "{}"},
        "Delta Lake",
    ),
    "times in several names of folders": (
        {"year=2019/month=1/x.csv": "sales\n1\n", "year=2019/month=2/x.csv": "sales\n2\n"},
        "no column of its parts holds times",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_in_parts_is_refused(tmp_path, case):
    files, message = REFUSED[case]
    with pytest.raises(DataError, match=message):
        FolderStore(write(tmp_path / "sales", files)).read("sales")


def test_a_part_that_changes_is_noticed(tmp_path):
    folder = write(tmp_path / "sales", {"year=2019/x.csv": "date,sales\n2019-01-01,1\n"})
    store = FolderStore(folder)
    version = store.version("sales")
    assert store.read("sales").values.tolist() == [1.0]
    write(folder, {"year=2020/x.csv": "date,sales\n2020-01-01,2\n"})
    assert store.read("sales").values.tolist() == [1.0, 2.0]
    assert store.version("sales") != version
    assert store.read("sales").version == store.version("sales")


def test_folders_of_other_names_stay_without_a_meaning(tmp_path):
    write(tmp_path, {"a.csv": "date,sales\n2019-01-01,1\n", "run=5/log.txt": "", "old/b.csv": "x"})
    assert list(FolderStore(tmp_path).names()) == ["a"]
