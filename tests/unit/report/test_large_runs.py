"""Runs of more variables than `result.json` has room for: readers take the table `scores`, and say the same."""

from __future__ import annotations

import shutil
from typing import Any

import attrs
import msgspec
import numpy as np
import pytest

from pulse_adapters.published import result_writer
from pulse_adapters.published.result_reader import DamagedPart, PublishedRun, read_result
from pulse_adapters.published.score_reader import best_forecasters, with_best_scores, with_scores
from pulse_adapters.report.assembly import assemble_report
from pulse_adapters.report.views import Report
from pulse_adapters.sinks.folder import FolderSink
from tests.unit.report.runs import climb, trained, walk

SERIES = {"climb": climb(1), "walk": walk(2), "yawn": np.ones(260)}
HORIZONS = 11
"""More than a summary shows."""


@pytest.fixture(scope="module")
def complete(tmp_path_factory) -> FolderSink:
    return trained(tmp_path_factory.mktemp("complete"), SERIES, horizon=HORIZONS)


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> FolderSink:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(result_writer, "COMPLETE_UP_TO", 2)
        return trained(tmp_path_factory.mktemp("large"), SERIES, horizon=HORIZONS)


def runs(complete: FolderSink, large: FolderSink) -> tuple[PublishedRun, PublishedRun]:
    whole, summary = read_result(complete, "r"), read_result(large, "r")
    assert (whole.document.variables_hold, summary.document.variables_hold) == ("all", "summary")
    return whole, summary


def without_nulls(scores: Any) -> Any:
    """Scores without the reasons of nulls, which a table does not give."""
    document = msgspec.to_builtins(scores)
    document.pop("nulls", None)
    return document


def test_the_table_holds_what_a_complete_result_says_value_for_value(complete, large) -> None:
    whole, summary = runs(complete, large)
    read = with_scores(large, summary, list(SERIES))
    for name in SERIES:
        assert read.variables[name].best == whole.variables[name].best
        assert read.variables[name].digest == whole.variables[name].digest
        forecasters = whole.variables[name].forecasters
        assert list(read.variables[name].forecasters) == list(forecasters)
        for forecaster, scores in forecasters.items():
            for horizon, expected in scores.horizons.items():
                given = read.variables[name].forecasters[forecaster].horizons[horizon]
                assert without_nulls(given) == without_nulls(expected), (name, forecaster, horizon)


def test_only_what_is_asked_for_is_read(large) -> None:
    run = with_scores(large, read_result(large, "r"), ["walk"])
    assert {name: bool(variable.forecasters) for name, variable in run.variables.items()} == {
        "climb": False,
        "walk": True,
        "yawn": False,
    }


def test_of_the_best_forecasters_alone_one_at_a_horizon_is_read(complete, large) -> None:
    whole, summary = runs(complete, large)
    best = with_best_scores(large, summary, [1, 2])
    for name, variable in best.variables.items():
        shown = {(by, horizon) for by, scores in variable.forecasters.items() for horizon in scores.horizons}
        assert shown == {(whole.variables[name].best[horizon], horizon) for horizon in ("1", "2")}


def test_a_summary_says_of_the_best_what_the_complete_result_says(complete, large) -> None:
    whole, summary = runs(complete, large)
    for name, variable in summary.variables.items():
        assert variable.best_scores
        for horizon, scores in variable.best_scores.items():
            best = whole.variables[name].best[horizon]
            assert best is not None
            expected = whole.variables[name].forecasters[best].horizons[horizon]
            assert scores is not None
            assert (scores.mae, scores.verdict) == (expected.mae, expected.verdict)
            assert scores.trust == (expected.trust and expected.trust.probability)


def test_the_best_of_every_horizon_is_found_in_the_table(complete, large) -> None:
    whole, summary = runs(complete, large)
    expected = list(best_forecasters(complete, whole))
    assert len(expected) == len(SERIES) * HORIZONS
    assert list(best_forecasters(large, summary)) == expected


def plain(report: Report) -> Any:
    """A report's contents to compare: arrays as lists."""

    def value(item: Any) -> Any:
        if isinstance(item, np.ndarray):
            return item.astype(str).tolist()
        if attrs.has(type(item)):
            return {field.name: value(getattr(item, field.name)) for field in attrs.fields(type(item))}
        if isinstance(item, tuple | list):
            return [value(member) for member in item]
        return item

    return value(report)


def test_a_report_of_a_large_run_says_the_same(complete, large) -> None:
    of_complete, of_large = plain(assemble_report(complete, "r")), plain(assemble_report(large, "r"))
    for row in (*of_complete["rows"], *of_large["rows"]):
        if row["horizon"] not in (1, 2, 3, 4, 5, 6, 8, 11):
            row["standing"].pop("simple")
    assert of_large["rows"] == of_complete["rows"]
    assert of_large["cautions"] == of_complete["cautions"]
    assert [detail["variable"] for detail in of_large["details"]] == [*SERIES]
    for first, second in zip(of_large["details"], of_complete["details"], strict=True):
        assert first["skills"] == second["skills"]
        assert first["calibration"] == second["calibration"]


def test_a_report_of_a_large_run_without_its_table_is_refused(large, tmp_path) -> None:
    folder = tmp_path / "results"
    shutil.copytree(large.root, folder)
    for part in (folder / "r/scores").iterdir():
        part.unlink()
    with pytest.raises(DamagedPart, match="is missing"):
        assemble_report(FolderSink(folder), "r")
