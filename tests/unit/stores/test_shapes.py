"""Files as people have them: read as what they are where there is one reading, else refused with what decides it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pulse_adapters.stores.folder import FolderStore
from pulse_adapters.stores.formats.reading import Reading, Readings
from pulse_core.errors import DataError, MalformedData

MONTHS = [date(1990 + month // 12, month % 12 + 1, 1) for month in range(30)]
DAYS = [date(1990, 1, 25) + timedelta(days=day) for day in range(30)]
VALUES = [round(100 + 7.25 * step - 0.5 * step * step, 2) for step in range(30)]


def lines(header: str, rows: Iterable[Sequence[Any]], delimiter: str = ",") -> str:
    return "\n".join([header, *(delimiter.join(map(str, row)) for row in rows), ""])


def stored(folder: Path, files: Mapping[str, str | bytes], **said: Any) -> FolderStore:
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return FolderStore(folder, Readings(Reading(**said)))


def series(store: FolderStore) -> dict[str, dict[str, float]]:
    """Return the values of every variable by their day."""
    result = {}
    for name in store.names():
        rows = store.read(name)
        stamps = rows.timestamps.astype("M8[D]").astype(str).tolist()
        result[name] = dict(zip(stamps, rows.values.tolist(), strict=True))
    return result


def by_day(days: Iterable[date], values: Iterable[float] = VALUES) -> dict[str, float]:
    return {str(day): value for day, value in zip(days, values, strict=True)}


MONTHLY, DAILY = by_day(MONTHS), by_day(DAYS)
PLAIN = list(zip(MONTHS, VALUES, strict=True))
NEWER = [(date(day.year + 20, day.month, 1), value) for day, value in PLAIN]

ONE_READING: Mapping[str, tuple[str, str]] = {
    "FRED": ("GDP", lines("DATE,GDP", PLAIN)),
    "FRED today": ("UNRATE", lines("observation_date,UNRATE", PLAIN)),
    "Prophet": ("sales", lines("ds,y", PLAIN)),
    "capital letters": ("sales", lines("Timestamp,Value", PLAIN)),
    "a column without a use": ("sales", lines("Date,Sales,Comment", [(*row, "fine") for row in PLAIN])),
    "the index of a frame": ("sales", lines(",sales", PLAIN)),
    "the numbers of rows": ("sales", lines(",date,sales", [(at, *row) for at, row in enumerate(PLAIN)])),
    "months": ("sales", lines("month,sales", [(f"{day:%Y-%m}", value) for day, value in PLAIN])),
    "months in digits": ("sales", lines("month,sales", [(f"{day:%Y%m}", value) for day, value in PLAIN])),
    "months by name": ("sales", lines("month,sales", [(f"{day:%b %Y}", value) for day, value in PLAIN])),
    "months with a slash": ("sales", lines("month,sales", [(f"{day:%m/%Y}", value) for day, value in PLAIN])),
    "months of statistics": ("sales", lines("TIME_PERIOD,OBS_VALUE", [(f"{d:%Y}M{d:%m}", v) for d, v in PLAIN])),
    "digits": ("sales", lines("date,sales", [(f"{day:%Y%m%d}", value) for day, value in PLAIN])),
    "slashes": ("sales", lines("date,sales", [(f"{day:%Y/%m/%d}", value) for day, value in PLAIN])),
    "points": ("sales", lines("date,sales", [(f"{day:%d.%m.%Y}", value) for day, value in PLAIN])),
    "semicolons": (
        "umsatz",
        "\ufeff" + lines("Datum;Umsatz", [(f"{d:%d.%m.%Y}", str(v).replace(".", ",")) for d, v in PLAIN], ";"),
    ),
    "tabs": ("sales", lines("date\tsales", PLAIN, "\t")),
    "bars": ("sales", lines("date|sales", PLAIN, "|")),
    "thousands": ("sales", lines("date,sales", [(day, f'"{value:,.2f}"') for day, value in PLAIN])),
    "decimal commas in quotes": (
        "sales",
        lines("date,sales", [(d, '"' + f"{v:.2f}".replace(".", ",") + '"') for d, v in PLAIN]),
    ),
    "own columns, other cells": (
        "sales",
        lines("timestamp,value", [(f"{d:%Y/%m/%d}", f'"{v:,.2f}"') for d, v in PLAIN]),
    ),
}


@pytest.mark.parametrize("shape", ONE_READING)
def test_a_file_of_one_reading_is_read_as_what_it_is(tmp_path, shape):
    name, content = ONE_READING[shape]
    assert series(stored(tmp_path, {f"{name}.csv": content})) == {name: MONTHLY}


@pytest.mark.parametrize("shape", ONE_READING)
def test_the_same_file_alone_is_the_same_variable(tmp_path, shape):
    name, content = ONE_READING[shape]
    path = tmp_path / f"{name}.CSV"
    path.write_text(content)
    store = FolderStore(path)
    assert list(store.names()) == [name]
    assert store.read(name).values.tolist() == VALUES


@pytest.mark.parametrize(
    ("stamps", "days"),
    [
        ([f"{year}Q{quarter}" for year in (1990, 1991, 1992) for quarter in (1, 2, 3, 4)], None),
        ([f"Q{quarter} {year}" for year in (1990, 1991, 1992) for quarter in (1, 2, 3, 4)], None),
        ([f"{year}-Q{quarter}" for year in (1990, 1991, 1992) for quarter in (1, 2, 3, 4)], None),
        ([str(year) for year in range(1990, 2002)], [date(year, 1, 1) for year in range(1990, 2002)]),
        ([f"{day:%d/%m/%Y}" for day in DAYS[:12]], DAYS[:12]),
        ([f"{day:%m/%d/%Y}" for day in DAYS[:12]], DAYS[:12]),
        ([f"{day:%d-%b-%Y}" for day in DAYS[:12]], DAYS[:12]),
        ([f"{day:%d %B %Y}" for day in DAYS[:12]], DAYS[:12]),
        ([f'"{day:%b %d, %Y}"' for day in DAYS[:12]], DAYS[:12]),
        ([f"{day:%d/%m/%Y} 00:00" for day in DAYS[:12]], DAYS[:12]),
        ([f"{day:%m/%d/%Y} 12:00:00 AM" for day in DAYS[:12]], DAYS[:12]),
    ],
)
def test_stamps_of_every_form_are_the_days_that_they_name(tmp_path, stamps, days):
    quarters = [date(1990 + at // 4, at % 4 * 3 + 1, 1) for at in range(12)]
    content = lines("date,gdp", zip(stamps, VALUES[:12], strict=True))
    assert series(stored(tmp_path, {"gdp.csv": content})) == {"gdp": by_day(days or quarters, VALUES[:12])}


LONG = [(name, day, value + shift) for shift, name in enumerate(("a", "b")) for day, value in PLAIN]
SEVERAL: Mapping[str, str] = {
    "wide": lines("Date,a,b", [(day, value, value + 1) for day, value in PLAIN]),
    "Nixtla": lines("unique_id,ds,y", LONG),
    "names in a column": lines("date,series,value", [(day, name, value) for name, day, value in LONG]),
    "names of our own": lines("timestamp,value,variable", [(day, value, name) for name, day, value in LONG]),
    "tickers": lines("Date,Ticker,Price", [(day, name, value) for name, day, value in LONG]),
}


@pytest.mark.parametrize("shape", SEVERAL)
def test_a_file_of_several_variables_has_them_under_their_own_names(tmp_path, shape):
    expected = {"a": MONTHLY, "b": {day: value + 1 for day, value in MONTHLY.items()}}
    other = {"other.csv": lines("timestamp,value", PLAIN)}
    store = stored(tmp_path, {"prices.csv": SEVERAL[shape], **other})
    assert series(store) == {**expected, "other": MONTHLY}
    assert series(FolderStore(tmp_path / "prices.csv")) == expected


def test_a_variable_of_two_files_is_refused_with_their_names(tmp_path):
    store = stored(tmp_path, {"prices.csv": SEVERAL["wide"], "a.csv": lines("timestamp,value", PLAIN)})
    with pytest.raises(DataError, match=r"'a' is in two files: a\.csv, prices\.csv"):
        list(store.names())


def test_the_name_of_a_file_of_several_variables_is_no_variable(tmp_path):
    store = stored(tmp_path, {"prices.csv": SEVERAL["wide"]})
    with pytest.raises(MalformedData, match="holds several variables \\('a', 'b'\\)"):
        store.read("prices")


def test_a_column_of_a_wide_table_without_a_value_is_told_and_no_variable(tmp_path):
    store = stored(tmp_path, {"prices.csv": lines("Date,a,b,c", [(day, value, value, "") for day, value in PLAIN])})
    assert list(store.names()) == ["a", "b"]
    assert "nothing in 'c'" in store.read("a").understood


VINTAGES = "observation_date,GDP_20200130,GDP_20200227,GDP_20200326\n2019-07-01,100,100,101\n2019-10-01,102,103,103\n"
REVISIONS = [
    ("2019-07-01", "2020-01-30", 100.0),
    ("2019-07-01", "2020-03-26", 101.0),
    ("2019-10-01", "2020-01-30", 102.0),
    ("2019-10-01", "2020-02-27", 103.0),
]


@pytest.mark.parametrize(
    "content",
    [
        VINTAGES,
        lines("date,realtime_start,realtime_end,value", [(at, known, "9999-12-31", v) for at, known, v in REVISIONS]),
        lines("date,vintage_date,GDP", REVISIONS),
    ],
)
def test_tables_of_vintages_say_when_each_value_became_known(tmp_path, content):
    rows = stored(tmp_path, {"GDP.csv": content}).read("GDP")
    assert rows.known_at is not None
    stamps = [column.astype("M8[D]").astype(str).tolist() for column in (rows.timestamps, rows.known_at)]
    assert sorted(zip(*stamps, rows.values.tolist(), strict=True)) == REVISIONS


def test_a_blank_after_a_value_of_an_older_vintage_takes_it_back(tmp_path):
    rows = stored(tmp_path, {"x.csv": "date,X_2020-01-30,X_2020-02-27\n2019-10-01,5,\n2019-07-01,4,4\n"}).read("x")
    assert len(rows) == 3
    assert np.isnan(rows.values).tolist() == [False, False, True]


YAHOO = lines("Date,Open,High,Low,Close,Adj Close,Volume", [(day, v, v + 1, v - 1, v, v / 2, 1000) for day, v in PLAIN])
UNDECIDED: Mapping[str, tuple[str, dict[str, Any], dict[str, float]]] = {
    "which price": (YAHOO, {"columns": {"value": "Adj Close"}}, by_day(MONTHS, [value / 2 for value in VALUES])),
    "day or month first": (
        lines("date,x", [(f"{day:%d/%m/%Y}", value) for day, value in PLAIN]),
        {"date_format": "%d/%m/%Y"},
        MONTHLY,
    ),
    "the century": (lines("date,x", [(f"{d:%d.%m.%y}", v) for d, v in PLAIN]), {"date_format": "%d.%m.%y"}, MONTHLY),
    "which date": (
        lines("day,month,x", [(day, day, value) for day, value in PLAIN]),
        {"columns": {"timestamp": "month"}},
        MONTHLY,
    ),
    "no date by name": (
        lines("when,then,x", [(day, day, value) for day, value in PLAIN]),
        {"columns": {"timestamp": "when"}},
        MONTHLY,
    ),
    "decimals or thousands": (
        lines("date;x", [(day, f"1,{abs(int(value)):03}") for day, value in PLAIN], ";"),
        {"decimal": ","},
        by_day(MONTHS, [float(f"1.{abs(int(value)):03}") for value in VALUES]),
    ),
    "points of thousands": (
        lines("date;x", [(day, f"1.{abs(int(value)):03}") for day, value in PLAIN], ";"),
        {"thousands": "."},
        by_day(MONTHS, [1000 + abs(int(value)) for value in VALUES]),
    ),
}


@pytest.mark.parametrize("case", UNDECIDED)
def test_what_has_two_readings_is_refused_with_the_option_that_decides_it(tmp_path, case):
    content, said, expected = UNDECIDED[case]
    with pytest.raises(MalformedData) as refusal:
        stored(tmp_path, {"x.csv": content}).read("x")
    option, value = next(iter(said.items()))
    text = next(f"{role}={name}" for role, name in value.items()) if isinstance(value, dict) else value
    assert f"--{option.replace('_', '-')} " in refusal.value.hint
    assert text in refusal.value.hint
    assert series(stored(tmp_path, {"x.csv": content}, **said)) == {"x": expected}


def test_dates_of_another_form_among_others_are_counted_and_shown(tmp_path):
    mixed = [
        (day if at < 12 else f"{day:%d/%m/%Y}", value) for at, (day, value) in enumerate(zip(DAYS, VALUES, strict=True))
    ]
    with pytest.raises(MalformedData, match="18 rows look like 06/02/1990") as refusal:
        stored(tmp_path, {"x.csv": lines("timestamp,value", mixed)}).read("x")
    assert "--date-format %d/%m/%Y" in refusal.value.hint
    assert series(stored(tmp_path, {"x.csv": lines("timestamp,value", mixed)}, date_format="%d/%m/%Y")) == {"x": DAILY}


def test_a_faulty_cell_of_a_file_with_our_columns_is_told_as_ever(tmp_path):
    content = lines("timestamp,value", [*PLAIN, ("2020-02-30", 1), ("2020-03-01", "many")])
    with pytest.raises(
        MalformedData, match=r"2 faults: row 32: timestamp '2020-02-30' is no date: .*row 33: value 'many'"
    ):
        stored(tmp_path, {"x.csv": content}).read("x")


def test_a_faulty_cell_of_any_other_file_is_told_with_its_row(tmp_path):
    content = lines("DATE,GDP", [*PLAIN, ("2020-02-30", 1), ("2020-03-01", "many")])
    with pytest.raises(MalformedData, match=r"row 32: timestamp '2020-02-30' .*row 33: value 'many' is no number"):
        stored(tmp_path, {"x.csv": content}).read("x")


def test_a_row_of_another_width_is_told(tmp_path):
    with pytest.raises(MalformedData, match="row 32: 3 fields, the header has 2"):
        stored(tmp_path, {"x.csv": lines("DATE,GDP", [*PLAIN, ("2020-01-01", 1, 2)])}).read("x")


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path):
    store = stored(tmp_path, {"x.csv": lines("DATE,GDP", PLAIN)}, columns={"value": "GNP"})
    with pytest.raises(
        MalformedData, match=r"no column 'GNP', which --columns names as value; there are 'DATE', 'GDP'"
    ):
        store.read("x")


def test_the_reading_of_a_file_is_part_of_its_version(tmp_path):
    files = {"x.csv": lines("date,x", [(f"{day:%d/%m/%Y}", value) for day, value in PLAIN])}
    versions = [
        stored(tmp_path, files, **said).version("x")
        for said in ({}, {"date_format": "%d/%m/%Y"}, {"date_format": "%m/%d/%Y"}, {"time_zone": "Europe/Berlin"})
    ]
    assert len(set(versions)) == 4


def test_patterns_of_names_choose_the_reading(tmp_path):
    files = {
        "eu_x.csv": lines("date,x", [(f"{day:%d/%m/%Y}", value) for day, value in PLAIN]),
        "us_x.csv": lines("date,x", [(f"{day:%m/%d/%Y}", value) for day, value in PLAIN]),
    }
    stored(tmp_path, files)
    patterns = (("eu_*.csv", Reading(date_format="%d/%m/%Y")), ("us_*", Reading(date_format="%m/%d/%Y")))
    assert series(FolderStore(tmp_path, Readings(patterns=patterns))) == {"eu_x": MONTHLY, "us_x": MONTHLY}


def hours(zone: str, start: str, count: int) -> tuple[list[str], list[datetime]]:
    """Return the clock times of a zone hour after hour, and the same moments in UTC."""
    stamps = pd.date_range(start, periods=count, freq="h", tz="UTC")
    clocks = stamps.tz_convert(zone).tz_localize(None).strftime("%Y-%m-%d %H:%M").tolist()
    return clocks, stamps.tz_localize(None).to_pydatetime().tolist()


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_an_hour_that_the_clocks_show_twice_is_told_apart_by_the_order_of_the_rows(tmp_path, zone, backwards):
    clocks, moments = hours(zone, "2024-10-20", 24 * 20)
    values = [float(at) for at in range(len(clocks))]
    rows = list(zip(clocks, values, strict=True))
    store = stored(tmp_path, {"load.csv": lines("timestamp,value", rows[::-1] if backwards else rows)}, time_zone=zone)
    read = store.read("load")
    assert dict(zip(read.timestamps.tolist(), read.values.tolist(), strict=True)) == dict(
        zip(moments, values, strict=True)
    )


def test_an_hour_that_is_there_twice_asks_for_the_zone(tmp_path):
    clocks, _ = hours("Europe/Berlin", "2024-10-20", 24 * 20)
    content = lines("timestamp,value", [(clock, at) for at, clock in enumerate(clocks)])
    with pytest.raises(MalformedData, match=r"summer time.*--time-zone"):
        stored(tmp_path, {"load.csv": content}).read("load")


def test_an_hour_of_which_one_of_two_is_there_is_refused(tmp_path):
    clocks, _ = hours("Europe/Berlin", "2024-10-20", 24 * 20)
    once = list(dict.fromkeys(clocks))
    content = lines("timestamp,value", [(clock, at) for at, clock in enumerate(once)])
    with pytest.raises(
        MalformedData, match=r"2024-10-27 02:00 was twice in Europe/Berlin, and is there once"
    ) as refusal:
        stored(tmp_path, {"load.csv": content}, time_zone="Europe/Berlin").read("load")
    assert "offset" in refusal.value.hint


def test_an_hour_that_never_was_is_refused(tmp_path):
    content = lines("timestamp,value", [(f"2024-03-31 0{hour}:00", hour) for hour in range(6)])
    with pytest.raises(MalformedData, match=r"2024-03-31 02:00 is an hour that summer time leaves out"):
        stored(tmp_path, {"load.csv": content}, time_zone="Europe/Berlin").read("load")


def test_days_stay_days_in_any_zone(tmp_path):
    assert series(stored(tmp_path, {"x.csv": lines("DATE,x", PLAIN)}, time_zone="Asia/Tokyo")) == {"x": MONTHLY}


@pytest.mark.parametrize("index", ["date", None])
@pytest.mark.parametrize("kind", ["moments", "periods", "quarters", "texts"])
def test_an_index_of_parquet_is_the_time(tmp_path, index, kind):
    stamps: pd.Index[Any] = pd.DatetimeIndex(MONTHS)
    days = MONTHS
    if kind == "periods":
        stamps = pd.period_range("1990-01", periods=30, freq="M")
    elif kind == "quarters":
        stamps = pd.period_range("1990Q1", periods=30, freq="Q")
        days = [date(1990 + at // 4, at % 4 * 3 + 1, 1) for at in range(30)]
    elif kind == "texts":
        stamps = pd.Index([str(day) for day in MONTHS])
    frame = pd.DataFrame({"sales": VALUES}, index=stamps.rename(index))
    frame.to_parquet(tmp_path / "sales.parquet")
    assert series(FolderStore(tmp_path)) == {"sales": by_day(days)}


def test_a_wide_frame_in_parquet_has_a_variable_a_column(tmp_path):
    frame = pd.DataFrame(
        {"a": VALUES, "b": [value + 1 for value in VALUES]}, index=pd.DatetimeIndex(MONTHS, name="Date")
    )
    frame.to_parquet(tmp_path / "prices.parquet")
    assert series(FolderStore(tmp_path)) == {"a": MONTHLY, "b": {day: value + 1 for day, value in MONTHLY.items()}}


def test_json_lines_with_other_keys_are_read(tmp_path):
    rows = [json.dumps({"ds": str(day), "y": value, "unique_id": "a"}) for day, value in PLAIN]
    assert series(stored(tmp_path, {"x.jsonl": "\n".join(rows)})) == {"a": MONTHLY}


def test_what_was_understood_is_told(tmp_path):
    store = stored(tmp_path, {"umsatz.csv": ONE_READING["semicolons"][1]})
    understood = store.read("umsatz").understood
    assert understood == "timestamp from 'Datum', value from 'Umsatz', dates as %d.%m.%Y, numbers with ',' for decimals"
    assert stored(tmp_path, {"plain.csv": lines("timestamp,value", PLAIN)}).read("plain").understood == ""


def test_a_file_without_a_date_or_a_number_is_refused_with_its_columns(tmp_path):
    store = stored(tmp_path, {"x.csv": lines("name,colour", [("a", "red"), ("b", "blue")])})
    with pytest.raises(MalformedData, match="'name', 'colour'") as refusal:
        store.read("x")
    assert re.search(r"--columns timestamp=", refusal.value.hint)


def test_names_that_no_one_says_are_names_do_not_mix_series(tmp_path):
    rows = [(day, country, value) for (day, value), country in itertools.product(PLAIN, ("DE", "FR"))]
    with pytest.raises(MalformedData, match="timestamps repeat, and 'country' may name") as refusal:
        stored(tmp_path, {"gdp.csv": lines("date,country,gdp", rows)}).read("gdp")
    assert "--columns variable=country" in str(refusal.value)
    assert set(
        series(stored(tmp_path, {"gdp.csv": lines("date,country,gdp", rows)}, columns={"variable": "country"}))
    ) == {
        "DE",
        "FR",
    }


BESIDE = {
    "parts of the date": lines("date,year,month,sales", [(day, day.year, day.month, value) for day, value in PLAIN]),
    "the index of rows that were filtered": lines(",date,sales", [(3 * at, *row) for at, row in enumerate(PLAIN)]),
    "the same, as pandas writes it again": lines(
        "Unnamed: 0,date,sales", [(7 - at, *row) for at, row in enumerate(PLAIN)]
    ),
}


@pytest.mark.parametrize("shape", BESIDE)
@pytest.mark.parametrize("said", [{}, {"columns": {"timestamp": "date"}}])
def test_numbers_that_stand_beside_a_date_are_no_variables(tmp_path, shape, said):
    assert series(stored(tmp_path, {"sales.csv": BESIDE[shape]}, **said)) == {"sales": MONTHLY}


def test_a_year_alone_is_the_time(tmp_path):
    years = [date(year, 1, 1) for year in range(1990, 2020)]
    content = lines("year,sales", [(day.year, value) for day, value in zip(years, VALUES, strict=True)])
    assert series(stored(tmp_path, {"sales.csv": content})) == {"sales": by_day(years)}


def test_the_only_numbers_are_the_value_whatever_their_name(tmp_path):
    assert series(stored(tmp_path, {"x.csv": lines("date,month", PLAIN)})) == {"x": MONTHLY}


@pytest.mark.parametrize("cell", ["$1,5", "5 %", "(5)", "5%", "5.2 EUR"])
def test_numbers_with_signs_beside_them_are_told_as_what_they_are(tmp_path, cell):
    content = lines("date;x", [(day, cell) for day in MONTHS], ";")
    with pytest.raises(MalformedData, match=r"column 'x' holds .* and the like, which are no numbers") as refusal:
        stored(tmp_path, {"x.csv": content}).read("x")
    assert "without signs of units" in refusal.value.hint


def test_lines_before_the_header_are_told(tmp_path):
    with pytest.raises(MalformedData, match="one column only, or lines before its header"):
        stored(tmp_path, {"x.csv": "My report\n\n" + lines("date,x", PLAIN)}).read("x")


def test_a_text_in_another_encoding_is_told_how_to_save_it(tmp_path):
    with pytest.raises(MalformedData, match="is not UTF-8") as refusal:
        stored(tmp_path, {"x.csv": lines("Datum,Größe", PLAIN).encode("latin-1")}).read("x")
    assert refusal.value.hint == "Save it as UTF-8"


@pytest.mark.parametrize("header", ["Date,Price,Open,High,Low", "Date,Open,High,Low,Close"])
def test_prices_of_a_day_ask_which_one(tmp_path, header):
    with pytest.raises(MalformedData, match="any may be the value"):
        stored(tmp_path, {"x.csv": lines(header, [(day, *[value] * 4) for day, value in PLAIN])}).read("x")


def one_after_the_other(column: str) -> str:
    """Return a table whose column says DE in the first half of the days, and FR in the second."""
    rows = [(day, "DE" if at < 15 else "FR", value) for at, (day, value) in enumerate(PLAIN)]
    return lines(f"date,{column},gdp", rows)


def test_names_that_follow_one_another_do_not_mix_series(tmp_path):
    content = {"x.csv": one_after_the_other("country")}
    with pytest.raises(MalformedData, match="'country' may name the variables") as refusal:
        stored(tmp_path, content).read("x")
    assert "--columns variable=country, or that it is a remark: --columns value=gdp" in refusal.value.hint
    assert set(series(stored(tmp_path, content, columns={"variable": "country"}))) == {"DE", "FR"}
    assert series(stored(tmp_path, content, columns={"value": "gdp"})) == {"x": MONTHLY}


@pytest.mark.parametrize("column", ["Comment", "OBS_STATUS", "Unit"])
def test_columns_that_say_something_about_rows_name_no_variables(tmp_path, column):
    assert series(stored(tmp_path, {"x.csv": one_after_the_other(column)})) == {"x": MONTHLY}


def test_numbers_that_are_names_are_asked_for(tmp_path):
    rows = [(day, shop, value + shop) for day, value in PLAIN for shop in (1, 2)]
    content = {"x.csv": lines("date,shop,sales", rows)}
    with pytest.raises(MalformedData, match="timestamps repeat, and 'shop' may name the variables") as refusal:
        stored(tmp_path, content).read("x")
    assert "--columns variable=shop" in refusal.value.hint
    assert set(series(stored(tmp_path, content, columns={"variable": "shop"}))) == {"1", "2"}


@pytest.mark.parametrize("unit", [1, 1000])
def test_seconds_since_1970_ask_for_their_format(tmp_path, unit):
    seconds = [(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * unit, v) for day, v in NEWER]
    content = {"x.csv": lines("time,x", seconds)}
    with pytest.raises(MalformedData, match="look like seconds since 1970") as refusal:
        stored(tmp_path, content).read("x")
    assert "--date-format unix" in refusal.value.hint
    assert series(stored(tmp_path, content, date_format="unix")) == {"x": by_day([day for day, _ in NEWER])}
