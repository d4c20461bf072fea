"""`pulse forecast`: what comes next, as table, CSV and JSON; what cannot be is refused with the mend."""

from __future__ import annotations

import csv
import io

import numpy as np
import pyarrow.parquet
import pytest

from tests.unit.entrypoints.commands import walk


@pytest.fixture
def half(pulse):
    pulse.train("half")
    return pulse


def test_the_table_fits_80_columns_and_bears_the_dates_to_come(half) -> None:
    done = half("forecast", "half")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("Forecasts by ensemble (run half; 76 rows came after its end, 2020-06-30)")
    assert sum("2020-08-08" in line for line in lines) == 2
    assert "the probability that over the next 365 origins its mean error is lower than naive's" in " ".join(
        done.out.split()
    )


def test_json_is_one_document_with_every_quantile(half) -> None:
    document = half("forecast", "half", "--format", "json", "--by", "all", "--only", "a").document
    assert (document["run"], document["rows_after_the_run"]) == ("half", {"a": 38})
    assert {(row["forecaster"], row["horizon"]) for row in document["forecasts"]} == {
        (name, ahead) for name in ("naive", "ses", "mean", "ensemble") for ahead in (1, 2)
    }
    row = document["forecasts"][0]
    assert (row["known_at"], row["timestamp"], row["target"]) == ("2020-08-07", "2020-08-07", "2020-08-08")
    assert row["q0.025"] < row["point"] < row["q0.975"]
    assert (row["benchmark"], row["trust"], row["verdict"]) == ("naive", None, None)  # it is the benchmark


def test_csv_has_a_row_for_each_step(half) -> None:
    rows = list(csv.DictReader(io.StringIO(half("forecast", "half", "--format", "csv", "--by", "mean").out)))
    assert [(row["variable"], row["horizon"]) for row in rows] == [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")]
    assert all(0 < float(row["trust"]) < 1 and float(row["n_effective"]) > 1 for row in rows)
    assert {(row["benchmark"], row["span"]) for row in rows} == {("naive", "365")}
    assert {row["verdict"] for row in rows} <= {"better", "worse", "open"}


def test_a_forecast_as_of_a_day_is_the_hindcast_of_a_longer_run(half) -> None:
    half.train("whole", "--hindcasts", end="2020-07-31")
    made = half("forecast", "half", "--as-of", "2020-07-15", "--by", "all", "--format", "json").document["forecasts"]
    table = pyarrow.parquet.read_table(half.folder / "results/whole/hindcasts").to_pylist()
    quoted = {
        (row["variable"], row["forecaster"], row["horizon"]): (row["point"], row["q0.9"], row["trust"], row["weight"])
        for row in table
        if str(row["known_at"])[:10] == "2020-07-15"
    }
    assert quoted == {
        (row["variable"], row["forecaster"], row["horizon"]): (row["point"], row["q0.9"], row["trust"], row["weight"])
        for row in made
    }


def test_a_changed_history_is_refused_unless_allowed(half) -> None:
    values = walk(0)
    values[5] += 1
    half.write("a", values)
    refused = half("forecast", "half")
    assert (refused.status, refused.out) == (1, "")
    assert "a: data/a.csv: the 182 rows known by the run's end, 2020-06-30, are not those" in refused.err
    skipped = half("forecast", "half", "--skip-failed", "--format", "json")
    assert (skipped.status, {row["variable"] for row in skipped.document["forecasts"]}) == (3, {"b"})
    assert half("forecast", "half", "--allow-changed-history").status == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("haf",), "There are: half"),
        (("half", "--by", "sess"), "--by: the run has no forecaster 'sess'"),
        (("half", "--only", "z"), "--only: the run did not train 'z'"),
        (("half", "--as-of", "2020-05-01"), "--as-of: 2020-05-01 is before the run's last day, 2020-06-30"),
        ((), "RUN: is missing"),
    ],
)
def test_what_cannot_be_is_refused(half, words, told) -> None:
    done = half("forecast", *words)
    assert done.status in (1, 2)
    assert told in done.err


@pytest.mark.parametrize("by", ["all", "seasonal-naive"])
def test_a_variable_that_cannot_use_a_forecaster_has_no_forecast_by_it(pulse, by) -> None:
    pulse.write("a", walk(0))
    pulse.write("week", walk(1) + np.resize([0, 0, 0, 0, 0, 50, 50], 220))
    pulse.train("mixed", forecasters=("naive", "seasonal-naive", "ensemble"))
    forecasts = pulse("forecast", "mixed", "--by", by, "--format", "json").document["forecasts"]
    assert {row["variable"] for row in forecasts if row["forecaster"] == "seasonal-naive"} == {"week"}
    done = pulse("forecast", "mixed", "--by", by)
    assert done.status == 0, done.err
    assert "without seasonal-naive: for some variables" in " ".join(done.out.split())


def test_a_run_without_an_ensemble_asks_for_a_forecaster(pulse) -> None:
    pulse.train("plain", forecasters=("naive", "ses"))
    done = pulse("forecast", "plain")
    assert (done.status, "run 'plain' has no ensemble; name --by one of naive, ses" in done.err) == (2, True)


def test_a_result_that_is_none_is_refused_with_a_hint(half) -> None:
    (half.folder / "results/half/result.json").write_text("{}")
    done = half("forecast", "half")
    assert done.status == 1
    assert "half/result.json: is no result of a run" in done.err
    assert "Move the file away and run the same training again" in done.err


def test_forecasts_beyond_float64_are_null_and_warn_of_nothing(pulse) -> None:
    pulse.write("a", np.where(np.random.default_rng(6).uniform(size=220) < 0.4, -1.7e308, 1.7e308))
    pulse.train("ends", forecasters=("naive", "drift", "ses", "ensemble"))
    for form in ("json", "csv", "table"):
        done = pulse("forecast", "ends", "--by", "all", "--only", "a", "--format", form)
        assert (done.status, "Warning" in done.err, "inf" in done.out) == (0, False, False)
