import gc
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import pulse
from pulse_adapters.stores.folder import FolderStore
from pulse_core.errors import DataError, MalformedData, RunFailed, SettingsError, VariableNotFound
from tests.unit.entrypoints.commands import Pulse


def long(wide):
    return wide.reset_index(names="ds").melt("ds", var_name="unique_id", value_name="y")


FORMS = {
    "wide": lambda wide: wide,
    "wide with a named index": lambda wide: wide.rename_axis("Date"),
    "wide with a column of dates": lambda wide: wide.reset_index(names="Date"),
    "long": long,
    "long by index": lambda wide: long(wide).set_index("unique_id"),
    "our own columns": lambda wide: long(wide).set_axis(["timestamp", "variable", "value"], axis="columns"),
    "levels of columns": lambda wide: pd.concat({"Close": wide}, axis="columns"),
    "series by name": lambda wide: {"a": wide["a"], "b": wide["b"]},
    "frames by name": lambda wide: {name: wide[[name]] for name in wide},
    "polars": lambda wide: pl.from_pandas(long(wide)),
    "pyarrow": lambda wide: pa.Table.from_pandas(wide.reset_index(names="date")),
}


@pytest.mark.parametrize("form", FORMS)
def test_data_in_any_form_give_one_result(form, wide, run, options):
    assert pulse.train(FORMS[form](wide), **options, hindcasts=False).digest == run.digest


@pytest.mark.parametrize(
    "changed",
    [
        {"start_date": date(2020, 1, 1)},
        {"start_date": pd.Timestamp("2020-01-01")},
        {"start_date": np.datetime64("2020-01-01")},
        {"horizon": "3"},
        {"horizon": np.int64(3)},
        {"forecasters": ("naive", "drift", "ses", "ensemble")},
        {"variables": pd.Index(["a", "b"])},
        {"season": None, "min_history": "auto"},
        {"season": "auto", "trust_half_life": 500},
    ],
    ids=str,
)
def test_values_of_python_stand_where_the_command_line_has_texts(changed, wide, run, options):
    assert pulse.train(wide, **{**options, **changed}, hindcasts=False).digest == run.digest


def test_the_result_is_that_of_the_command_line_to_the_bit(wide, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    for name in wide:
        wide[name].rename("value").rename_axis("timestamp").to_csv(f"data/{name}.csv")
    words = "train --variables a b --start-date 2020-01-01 --end-date 2020-12-31 --run-id r --hindcasts --season 5"
    Pulse(tmp_path, capsys)(*words.split())
    told: dict[str, Any] = {"start_date": "2020-01-01", "end_date": "2020-12-31", "season": 5}
    by_call = pulse.train(wide, **told)
    by_path = pulse.train(Path("data"), variables=["a", "b"], **told)
    loaded = pulse.load("results/r", frames="arrow")
    assert loaded.digest == by_call.digest == by_path.digest
    assert loaded.spec == by_call.spec
    for table in ("scores", "batches", "hindcasts"):
        pd.testing.assert_frame_equal(getattr(loaded, table).to_pandas(), getattr(by_call, table), check_dtype=False)


def test_nothing_is_left_behind_unless_results_are_named(wide, options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    run = pulse.train(wide, **options)
    assert list(tmp_path.glob("temporary/pulse-*"))
    del run
    gc.collect()
    with pytest.raises(SettingsError):
        pulse.train(wide, start_date="never")
    assert [path.name for path in tmp_path.rglob("*")] == ["temporary"]
    kept = pulse.train(wide, **options, results="kept", run_id="mine")
    assert pulse.load(tmp_path / "kept" / "mine").digest == kept.digest


def test_an_unknown_option_is_a_type_error_with_near_names(wide):
    with pytest.raises(TypeError, match=r"has no option 'horzon'; did you mean horizon\?"):
        pulse.train(wide, horzon=3)
    with pytest.raises(TypeError, match="the result is what the call returns"):
        pulse.train(wide, json=True)


def test_all_problems_of_options_come_at_once_under_their_names(wide):
    with pytest.raises(SettingsError) as caught:
        pulse.train(wide, horizon="x", start_date="2020-13-01", trust_loss=object(), benchmark="nix")
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "horizon",
        "start_date",
        "trust_loss",
        "benchmark",
    ]


def test_a_day_with_a_time_of_day_is_refused(wide):
    with pytest.raises(SettingsError, match="start_date: expected a day"):
        pulse.train(wide, start_date=pd.Timestamp("2020-01-01 03:00"))


def test_columns_that_may_be_several_things_are_decided_by_the_options_of_files(wide, options):
    quotes = pd.DataFrame({"Open": wide["a"], "High": 200.0, "Low": 1.0, "Close": wide["b"]}).rename_axis("Date")
    with pytest.raises(DataError, match="--columns value=Open") as caught:
        pulse.train(quotes, **options)
    assert "columns={'value': 'Close'}" in caught.value.__notes__[0]
    run = pulse.train(quotes, **options, columns={"value": "Close"})
    assert run.variables == ("Close",)
    assert pulse.train(quotes, **options, columns=["value=Close", "value=Open"]).variables == ("Close", "Open")


@pytest.mark.parametrize("data", [[1, 2], 3, pd.Series([1.0], pd.bdate_range("2020-01-01", periods=1)), object()])
def test_what_holds_no_variables_is_refused(data):
    with pytest.raises(MalformedData, match="expected a DataFrame"):
        pulse.train(data)


def test_data_must_be_given():
    with pytest.raises(SettingsError, match="none are given"):
        pulse.train(None)


def test_a_store_of_ones_own_is_taken(wide, options, tmp_path, run):
    for name in wide:
        wide[name].rename("value").rename_axis("timestamp").to_csv(tmp_path / f"{name}.csv")
    assert pulse.train(FolderStore(tmp_path), **options).digest == run.digest


def test_a_variable_that_is_not_there_is_named_with_those_that_are(wide, options):
    with pytest.raises(VariableNotFound, match="'q'; there are 2"):
        pulse.train(wide, **options, variables=["a", "q"])


def test_variables_that_fail_are_told_or_left_out(wide, options):
    broken = {"a": wide["a"], "b": wide["b"].iloc[:2]}
    with pytest.raises(RunFailed) as caught:
        pulse.train(broken, **options)
    assert "b: " in caught.value.__notes__[0]
    run = pulse.train(broken, **options, keep_going=True)
    assert (run.variables, [failure.variable for failure in run.failures]) == (("a",), ["b"])


def test_importing_pulse_loads_next_to_nothing():
    script = (
        "import sys, time; before = time.process_time(); import pulse; took = time.process_time() - before;"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'pulse_entrypoints'} & set(sys.modules); print(took < .1, heavy)"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["True", "set()"]


def test_pulse_tells_its_names_and_no_others():
    assert {"train", "load", "Run", "forecasters_of"} <= set(dir(pulse))
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        _ = pulse.trian
