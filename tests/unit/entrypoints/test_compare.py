"""`pulse compare`: what changed between two runs, and when it ends with 4."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import shutil

import numpy as np
import pytest

from pulse_entrypoints.cli.output import write_json


@pytest.fixture
def runs(pulse):
    pulse.train("before", "--hindcasts")
    pulse.train("again", "--hindcasts")
    pulse.train("other", "--hindcasts", "--min-history", 10, forecasters=("naive", "mean", "ensemble"))
    return pulse


def test_runs_that_are_the_same_say_so(runs) -> None:
    done = runs("compare", "before", "again", "--max-loss", 0)
    assert (done.status, done.err) == (0, "")
    assert "before and again: every score and trust is the same" in done.out


def test_the_table_fits_80_columns_and_says_what_was_given(runs) -> None:
    done = runs("compare", "before", "other")
    assert done.status == 0
    assert max(map(len, done.out.splitlines())) <= 80
    assert "min_history" in done.out
    assert "paired origins" in done.out


def test_variables_whose_scores_are_the_same_are_counted(pulse) -> None:
    pulse.train("before")
    pulse.write("a", 50 + np.arange(220) % 7)
    pulse.train("after")
    document = pulse("compare", "before", "after", "--format", "json").document
    assert (document["same_variables"], {one["variable"] for one in document["changes"]}) == (1, {"a"})
    assert document["changed_data"] == ["a"]
    assert "1 more variable is the same" in " ".join(pulse("compare", "before", "after").out.split())
    assert pulse("compare", "before", "before", "--format", "json").document["changes"] == []


def test_every_change_stands_in_csv_and_json(runs) -> None:
    document = runs("compare", "before", "other", "--format", "json").document
    assert document["settings"]["min_history"] == [None, 10]
    assert document["changed_data"] == []
    cells = {(one["variable"], one["forecaster"], one["horizon"]) for one in document["changes"]}
    assert cells == {(name, by, ahead) for name in "ab" for by in ("naive", "mean", "ensemble") for ahead in (1, 2)}
    rows = list(csv.DictReader(io.StringIO(runs("compare", "before", "other", "--format", "csv").out)))
    assert [row["variable"] for row in rows] == [one["variable"] for one in document["changes"]]


@pytest.mark.parametrize("how", [("--hindcasts",), ()])
def test_a_loss_of_skill_beyond_the_limit_ends_with_4(pulse, how) -> None:
    steps = np.arange(220)
    pulse.write("a", 100 + 2.0 * (-1) ** steps + steps % 3)  # the mean beats the last value
    pulse.train("good", *how, forecasters=("naive", "mean"))
    pulse.write("a", 100 + steps + steps % 3)  # and here it does not
    pulse.train("bad", *how, forecasters=("naive", "mean"))
    done = pulse("compare", "good", "bad", "--max-loss", 0.02, "--certainty", 0.5)
    assert done.status == 4
    assert "have lost more skill than 0.02" in done.err
    assert "a: mean, 1 ahead" in done.err
    assert "rows of the past" in done.out
    assert pulse("compare", "good", "bad").status == 0
    passed = pulse("compare", "bad", "good", "--max-loss", 0.02)
    assert (passed.status, "No skill was lost beyond 0.02, at a certainty of" in passed.out) == (0, True)
    assert "No skill was lost" not in pulse("compare", "bad", "good").out


def test_batches_are_paired_where_there_are_no_hindcasts(pulse) -> None:
    pulse.train("one")
    pulse.train("two", "--min-history", 10)
    done = pulse("compare", "one", "two", "--format", "json")
    assert {one["paired"] for one in done.document["changes"]} == {"batches"}


def test_batches_of_other_lengths_are_refused_with_the_mend(pulse) -> None:
    pulse.train("one")
    pulse.train("two", "--batch-size-days", 10)
    done = pulse("compare", "one", "two")
    assert done.status == 2
    assert "--hindcasts" in done.err


def test_runs_against_other_benchmarks_do_not_compare(pulse) -> None:
    pulse.train("one")
    pulse.train("two", "--benchmark", "mean")
    done = pulse("compare", "one", "two")
    assert (done.status, "benchmark is naive in run 'one' and mean in 'two'" in done.err) == (2, True)


def test_a_run_without_a_part_of_its_table_says_how_to_get_it(pulse) -> None:
    pulse.train("one")
    for part in (pulse.folder / "results/one/batches").iterdir():
        part.unlink()
    done = pulse("compare", "one", "one")
    assert (done.status, done.out) == (1, "")
    assert f"results/one/batches/{part.name}: is missing" in done.err
    assert "Run the same training again" in done.err
    pulse.train("one")
    assert pulse("compare", "one", "one").status == 0


@pytest.mark.parametrize("options", [("--hindcasts",), ()])
def test_a_limit_on_runs_with_nothing_in_common_is_refused(pulse, options) -> None:
    pulse.train("first", *options)
    for name in "ab":
        (pulse.folder / f"data/{name}.csv").rename(pulse.folder / f"data/{name}{name}.csv")
    pulse.train("second", *options)
    done = pulse("compare", "first", "second", "--max-loss", 0.02)
    assert (done.status, done.out) == (2, "")
    assert "runs 'first' and 'second' share no variable, forecaster and horizon: nothing can be compared" in done.err
    without_limit = pulse("compare", "first", "second")
    assert (without_limit.status, "they have nothing in common" in without_limit.out) == (0, True)


def test_values_at_the_end_of_a_float64_are_compared_on_all_origins(pulse) -> None:
    pulse.write("a", np.where(np.arange(220) % 9 < 1, -1.7e308, 1.7e308))
    pulse.train("large", "--hindcasts")
    cells = json.loads((pulse.folder / "results/large/result.json").read_bytes())["variables"]["a"]["forecasters"]
    pulse.train("larger", "--hindcasts", "--min-history", 31)
    document = pulse("compare", "large", "larger", "--format", "json").document
    shown = [change for change in document["changes"] if change["variable"] == "a"]
    assert shown
    for change in shown:
        scores = cells[change["forecaster"]]["horizons"][str(change["horizon"])]
        assert change["mae_before"] == pytest.approx(scores["mae"], rel=0.05)
        assert scores["n"] - 2 <= change["pairs"] <= scores["n"]
    assert pulse("compare", "large", "larger", "--format", "csv").status == 0


def test_a_json_document_is_written_whole_or_not_at_all(capsys) -> None:
    write_json({"rows": [{"value": math.inf}, {"value": (math.nan, 1.5)}]})
    assert json.loads(capsys.readouterr().out) == {"rows": [{"value": None}, {"value": [None, 1.5]}]}
    with pytest.raises(TypeError):
        write_json({"first": 1, "second": object()})
    assert capsys.readouterr().out == ""


def test_runs_that_chose_other_benchmarks_for_a_variable_do_not_compare(pulse) -> None:
    pulse.train("one", "--benchmark", "auto")
    path = pulse.folder / "results/one/result.json"
    two = pulse.folder / "results/two"
    shutil.copytree(path.parent, two)
    document = json.loads(path.read_bytes())
    document["run"]["id"] = "two"
    chosen = document["variables"]["a"]["benchmark"]["name"]
    document["variables"]["a"]["benchmark"]["name"] = "mean"
    lines = json.dumps({**document, "seal": None}).removesuffix('"seal": null}') + "\n"
    seal = hashlib.sha256(lines.encode()).hexdigest()
    (two / "result.json").write_text(f'{lines}  "seal": "sha256:{seal}"}}\n')
    done = pulse("compare", "one", "two")
    assert (done.status, f"benchmark of a is {chosen} in run 'one' and mean in 'two'" in done.err) == (2, True)
    assert pulse("compare", "one", "one").status == 0
