"""Data of other zones, retractions and doubtful files through the commands: what is told, and no look-ahead."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.unit.entrypoints.commands import Pulse, walk

MONTHS = [(2008 + month // 12, month % 12 + 1) for month in range(150)]


def stamps(zone: str, hour: int = 0) -> list[str]:
    local = [datetime(year, month, 1, hour, tzinfo=ZoneInfo(zone)) for year, month in MONTHS]
    return [stamp.astimezone(UTC).isoformat().replace("+00:00", "Z") for stamp in local]


def led(seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """A monthly series, and one that is almost its next change: to know it a month early is to know the future."""
    random = np.random.default_rng(seed)
    changes = random.normal(size=len(MONTHS))
    return 100 + np.cumsum(changes), np.cumsum(changes + 0.3 * random.normal(size=len(MONTHS)))


def write(folder: Path, name: str, times: list[str], values: np.ndarray, end: str = "\n") -> None:
    folder.mkdir(exist_ok=True)
    rows = [f"{time},{value:.6f}" for time, value in zip(times, values, strict=True)]
    (folder / f"{name}.csv").write_text("\n".join(["timestamp,value", *rows]) + end)


def trained(pulse: Pulse, run_id: str, *words: object, horizon: int = 1, start: str = "2014-01-01") -> dict[str, Any]:
    period = ("--start-date", start, "--end-date", "2020-06-30", "--horizon", horizon, "--backend", "serial")
    done = pulse("train", "--data", "monthly", "--variables", "x", *period, "--run-id", run_id, *words)
    assert done.status == 0, done.err
    document: dict[str, Any] = json.loads((pulse.folder / "results" / run_id / "result.json").read_text())
    return document


RIDGE = ("--predictors", "leader", "--forecasters", "naive", "ridge")


@pytest.fixture
def monthly(pulse: Pulse) -> Path:
    folder = pulse.folder / "monthly"
    write(folder, "x", stamps("UTC"), led()[0])
    return folder


@pytest.mark.parametrize(
    ("zone", "hour"), [("Europe/Berlin", 0), ("America/New_York", 0), ("UTC", 12), ("Asia/Tokyo", 0)]
)
def test_a_predictor_stamped_in_another_zone_is_known_when_its_month_is_over(pulse, monthly, zone, hour):
    write(monthly, "leader", stamps("UTC"), led()[1])
    plain = trained(pulse, "plain", *RIDGE)
    write(monthly, "leader", stamps(zone, hour), led()[1])
    assert trained(pulse, "there", *RIDGE)["digest"] == plain["digest"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_a_month_s_mean_change_tells_nothing_of_the_days_in_it(pulse, monthly, zone):
    random = np.random.default_rng(8)
    days = np.arange("2008-01-01", "2020-06-30", dtype="M8[D]")
    drift = random.normal(size=len(MONTHS))
    month = (days.astype("M8[M]") - np.datetime64("2008-01")).astype(int)
    write(monthly, "x", [str(day) for day in days], np.cumsum(drift[month] + random.normal(size=len(days))))
    write(monthly, "leader", stamps(zone), np.cumsum(drift))
    told = _skill(trained(pulse, "auto", *RIDGE, start="2017-01-01"))
    # the month's mean as known at its start, as it was taken once
    ahead = _skill(trained(pulse, "ahead", *RIDGE, "--known-at", "timestamp", start="2017-01-01"))
    own = _skill(trained(pulse, "own", "--forecasters", "naive", "ar", start="2017-01-01"), "ar")
    assert told < own + 0.02
    assert ahead > own + 0.05


def _skill(document: dict[str, Any], forecaster: str = "ridge") -> float:
    skill: float = document["variables"]["x"]["forecasters"][forecaster]["horizons"]["1"]["skill_mae"]
    return skill


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_variable_in_another_zone_has_the_same_scores(pulse, monthly, zone):
    plain = trained(pulse, "plain")
    write(monthly, "x", stamps(zone), led()[0])
    assert trained(pulse, "there")["digest"] == plain["digest"]


def test_the_result_says_the_rule_of_predictors_too(pulse, monthly):
    write(monthly, "leader", stamps("Europe/Berlin"), led()[1])
    run = trained(pulse, "run", *RIDGE)["run"]
    assert run["data"]["x"]["known_at"] == "period-end (1 months)"
    assert list(run["predictors"]) == ["leader"]
    assert run["predictors"]["leader"]["known_at"] == "period-end (1 months, Europe/Berlin)"
    again = trained(pulse, "again", *RIDGE)["run"]  # recalled
    assert again["predictors"] == run["predictors"]
    assert "predictors" not in trained(pulse, "alone", "--forecasters", "naive", "ses")["run"]


def test_what_comes_near_to_period_starts_is_refused_and_told_how_to_go_on(pulse, monthly):
    times = stamps("Europe/Berlin")
    write(monthly, "x", [*times[:50], times[50].replace("T23", "T20").replace("T22", "T20"), *times[51:]], led()[0])
    period = ("--start-date", "2014-01-01", "--end-date", "2020-06-30", "--backend", "serial")
    refused = pulse("train", "--data", "monthly", "--variables", "x", *period)
    assert refused.status == 1
    assert "--known-at period-end" in " ".join(refused.err.split())
    assert "period" in pulse("data", "check", "--data", "monthly").out
    assert trained(pulse, "said", "--known-at", "period-end")["run"]["data"]["x"]["known_at"].startswith("period-end")


@pytest.mark.parametrize(
    ("zone", "offsets"), [("Europe/Berlin", {"+02:00"}), ("America/New_York", {"-04:00"}), ("Asia/Tokyo", {"+09:00"})]
)
def test_targets_are_printed_by_the_clocks_of_their_zone(pulse, monthly, zone, offsets):
    write(monthly, "x", stamps(zone), led()[0])
    trained(pulse, "run", horizon=2)
    made = pulse("forecast", "run", "--data", "monthly", "--format", "json").document["forecasts"]
    targets = {row["target"] for row in made}
    assert {target[:19] for target in targets} == {"2020-07-01T00:00:00", "2020-08-01T00:00:00"}
    assert {target[19:] for target in targets} == offsets
    assert {row["timestamp"][:19] for row in made} == {"2020-06-01T00:00:00"}
    shown = pulse("forecast", "run", "--data", "monthly").out
    assert [line.split()[-7] for line in shown.splitlines() if " to " in line] == ["2020-07-01", "2020-08-01"]
    assert "in its time zone" in shown
    (row,) = pulse("data", "list", "--data", "monthly", "--format", "json").document["variables"]
    assert row["last"].startswith("2020-06-01T00:00:00")
    table = pulse("data", "list", "--data", "monthly").out
    assert "2008-01-01" in table
    assert max(map(len, table.splitlines())) <= 80


def test_no_forecast_is_for_a_day_after_the_year_9999(pulse):
    days = [str(day) for day in np.arange("9999-06-01", "9999-12-31", dtype="M8[D]")]
    write(pulse.folder / "late", "x", days, walk(0, len(days)))
    period = ("--start-date", "9999-10-01", "--end-date", "9999-12-31", "--horizon", 3, "--backend", "serial")
    done = pulse(
        "train", "--data", "late", "--variables", "x", *period, "--run-id", "late", "--forecasters", "naive", "ses"
    )
    assert done.status == 0, done.err
    made = pulse("forecast", "late", "--data", "late", "--by", "naive", "--as-of", "9999-12-31", "--format", "json")
    assert [row["target"] for row in made.document["forecasts"]] == ["9999-12-31", None, None]


@pytest.mark.parametrize("rule", ["+45d", "+9999d", "period-end"])
def test_a_delay_beyond_the_year_9999_ends_with_it(pulse, rule):
    days = [str(day) for day in np.arange("9999-06-01", "9999-12-31", dtype="M8[D]")]
    write(pulse.folder / "late", "x", days, walk(0, len(days)))
    period = ("--start-date", "9999-08-01", "--end-date", "9999-12-30", "--horizon", 1, "--backend", "serial")
    done = pulse("train", "--data", "late", "--variables", "x", *period, "--known-at", rule, "--forecasters", "naive")
    assert "Traceback" not in done.err
    assert done.status == (1 if rule == "+9999d" else 0)


def test_a_last_line_without_an_end_is_told_by_check_and_train_and_stands_in_the_result(pulse):
    pulse("data", "sample", "elsewhere")
    path = pulse.folder / "data" / "a.csv"
    path.write_text(path.read_text().removesuffix("\n"))
    done = pulse("data", "check")
    assert "was the file cut?" in " ".join(done.out.split())
    assert "1 of 2 variables have nothing odd about them" in done.out
    assert pulse("data", "check", "--strict").status == 1
    for run_id in ("cut", "again"):  # computed, then recalled
        pulse.train(run_id)
        data = json.loads((pulse.folder / f"results/{run_id}/result.json").read_text())["run"]["data"]
        assert data["a"]["caution"].startswith("the last line has no end")
        assert "caution" not in data["b"]


def test_a_retraction_is_told_and_changes_what_follows(pulse):
    folder = pulse.folder / "vintages"
    folder.mkdir()
    days = [str(np.datetime64("2020-01-01") + day) for day in range(121)]
    values = walk(0, 120)
    rows = [f"{day},{value:.6f},{known}" for (day, known), value in zip(pairwise(days), values, strict=True)]
    digests = []
    for retraction in ("", "2020-03-10,,2020-03-15\n"):
        (folder / "x.csv").write_text("\n".join(["timestamp,value,known_at", *rows, retraction]))
        period = ("--start-date", "2020-03-01", "--end-date", "2020-04-20", "--horizon", 1, "--backend", "serial")
        words = ("--data", "vintages", "--variables", "x", *period, "--forecasters", "naive", "mean")
        done = pulse("train", *words, "--run-id", f"r{len(retraction)}")
        assert done.status == 0, done.err
        digests.append(json.loads((pulse.folder / f"results/r{len(retraction)}/result.json").read_text())["digest"])
    assert digests[0] != digests[1]
    assert "retraction" in pulse("data", "check", "--data", "vintages").out


def test_a_long_file_in_a_folder_is_no_variable_of_its_name(pulse):
    rows = [f"{name},2020-01-{day:02d},{day}" for day in range(1, 29) for name in ("p", "q")]
    (pulse.folder / "data" / "mixed.csv").write_text("\n".join(["variable,timestamp,value", *rows, ""]))
    done = pulse(
        "train", "--variables", "mixed", "--start-date", "2020-01-10", "--end-date", "2020-01-28", "--backend", "serial"
    )
    assert done.status == 1
    assert "holds several variables ('p', 'q')" in " ".join(done.err.split())
    assert [row.split(",")[0] for row in pulse("data", "list", "--format", "csv").out.splitlines()] >= ["p", "q"]


def test_many_files_are_listed_by_processes_as_they_come(pulse, monkeypatch):
    serial = pulse("data", "list", "--format", "csv").out
    for name in ("MANY", "_TAKEN_AT_ONCE"):
        monkeypatch.setattr(f"pulse_entrypoints.commands.data.reading.{name}", 1)
    monkeypatch.setattr("pulse_entrypoints.commands.data.reading.usable_cores", lambda: 2)
    (pulse.folder / "data" / "c.csv").write_text("timestamp,value\n2020-01-01,x\n")
    done = pulse("data", "list", "--format", "csv")
    assert (done.status, done.out) == (1, serial)
    assert "c: data/c.csv: row 2" in done.err
    assert "1 of 2" in pulse("data", "check", "a", "b").out or "2 of 2" in pulse("data", "check", "a", "b").out


def test_a_table_of_many_variables_comes_in_pages(pulse, monkeypatch):
    monkeypatch.setattr("pulse_entrypoints.commands.data.table.PAGE", 1)
    lines = [line.split()[0] for line in pulse("data", "list").out.splitlines() if line]
    assert lines == ["variable", "a", "variable", "b"]
