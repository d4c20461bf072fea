"""The report tells what the run found: the same numbers, and what is missing."""

from __future__ import annotations

import json
from datetime import date

import msgspec
import numpy as np
import pytest

from pulse_adapters.report.assembly import assemble_report
from pulse_adapters.report.reliability_panels import reliability_panels
from pulse_adapters.report.views import Verdict
from pulse_adapters.report.wording import verdict_sentence
from pulse_core.errors import MalformedData, RunNotFound, SettingsError
from tests.unit.report.runs import climb, trained, walk


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("results"), {"climb": climb(1), "walk": walk(2)})


@pytest.fixture(scope="module")
def report(sink):
    return assemble_report(sink, "r")


@pytest.fixture(scope="module")
def document(sink):
    return json.loads(sink.read("r", "result.json"))


def test_every_variable_and_horizon_has_a_row_with_the_results_numbers(report, document) -> None:
    assert [(row.variable, row.horizon) for row in report.rows] == [
        *(("climb", horizon) for horizon in (1, 2)),
        *(("walk", horizon) for horizon in (1, 2)),
    ]
    for row in report.rows:
        found = document["variables"][row.variable]
        assert row.best == found["best"][str(row.horizon)]
        scores = found["forecasters"][row.best]["horizons"][str(row.horizon)]
        assert row.coverage == scores["coverage"]["80"]
        assert row.standing.trust == (scores["trust"] and scores["trust"]["probability"])
        assert row.verdict.value == (scores["verdict"] or "benchmark")
        assert row.standing.discovery is bool(scores["discovery"])


def test_skill_stands_in_its_interval_and_is_the_results(report, document) -> None:
    row = report.rows[0]
    scores = document["variables"]["climb"]["forecasters"][row.best]["horizons"]["1"]
    assert row.standing.skill == scores["skill_mae"]
    assert row.standing.interval == (scores["skill_interval"]["low"], scores["skill_interval"]["high"])
    assert row.standing.interval[0] < row.standing.skill < row.standing.interval[1]
    (curve,) = [one for one in report.details[0].skills if one.forecaster == row.best]
    assert (curve.skill[0], curve.low[0], curve.high[0]) == (row.standing.skill, *row.standing.interval)


def test_a_steady_climb_is_beyond_chance_and_a_random_walk_is_not(report) -> None:
    standings = {row.variable: row.standing for row in report.rows if row.horizon == 1}
    assert (standings["climb"].verdict, standings["climb"].discovery) == (Verdict.BETTER, True)
    assert (standings["walk"].verdict, standings["walk"].discovery) in {
        (verdict, False) for verdict in (Verdict.OPEN, Verdict.BENCHMARK)
    }


def test_trust_and_evidence_end_where_the_result_says(report, document) -> None:
    detail = report.details[0]
    numbers = document["variables"]["climb"]["forecasters"][detail.focus_name]["horizons"]["1"]
    ends = detail.trust.trust[-1], detail.trust.log10_e[-1], detail.trust.log10_e_against[-1]
    assert ends == (numbers["trust"]["probability"], numbers["log10_e"], numbers["log10_e_against"])


def test_a_benchmark_that_trends_is_told_with_the_skill_against_a_better_one(report, document) -> None:
    assert document["variables"]["climb"]["benchmark"]["trends"] is True
    (told,) = [text for text in report.cautions if "too easy" in text]
    assert told.startswith("naive is too easy a benchmark on 1 variable: compare with drift")
    assert "too easy here" in verdict_sentence(report.details[0])


def test_the_runs_own_reliability_is_that_of_the_result(tmp_path) -> None:
    sink = trained(tmp_path, {"walk": walk(2), "other": walk(3)}, trust_span=20)
    report = assemble_report(sink, "r")
    assert list(msgspec.to_builtins(report.reliability)) == json.loads(sink.read("r", "result.json"))["reliability"]
    (panel,) = reliability_panels(report)
    assert panel.numbers is not None
    assert sum(int(line[6]) for line in panel.numbers.lines) == sum(quoted.count for quoted in report.reliability)


def test_the_fan_is_in_order_and_shows_what_came(report) -> None:
    fan = report.details[0].fan
    assert (np.diff(fan.target) > np.timedelta64(0)).all()
    assert (np.diff(fan.quantiles, axis=0) >= 0).all()
    day = (fan.target - np.datetime64("2020-01-01")) // np.timedelta64(1, "D")
    known = np.isfinite(fan.actual)
    assert fan.actual[known] == pytest.approx(climb(1)[day[known]])


def test_calibration_counts_what_lies_at_or_below_each_quantile(report) -> None:
    calibration = report.details[0].calibration
    assert (np.diff(calibration.below) >= 0).all()
    assert calibration.mass.sum() == pytest.approx(1.0)
    inside = calibration.below[6] - calibration.below[2]
    assert inside == pytest.approx(calibration.coverage[80], abs=0.02)


def test_weights_of_the_ensemble_add_up_to_one_and_end_where_the_result_says(report, document) -> None:
    weights = report.details[0].weights
    assert weights.values.sum(axis=0) == pytest.approx(1.0)
    last = document["variables"]["climb"]["ensemble"]["weights"]["1"]
    assert dict(zip(weights.forecasters, weights.values[:, -1], strict=True)) == pytest.approx(last, abs=0.1)


def test_a_planted_outlier_is_named_with_its_day(tmp_path) -> None:
    values = walk(3)
    values[180:] += 40.0
    report = assemble_report(trained(tmp_path, {"jump": values}), "r")
    residuals = report.details[0].residuals
    assert residuals is not None
    assert ("outlier", date(2020, 6, 29)) in [(one.kind, one.when.date()) for one in residuals.anomalies]


def test_without_hindcasts_it_says_what_is_missing_and_how_to_get_it(tmp_path) -> None:
    report = assemble_report(trained(tmp_path, {"walk": walk(4)}, hindcasts=False), "r")
    detail = report.details[0]
    assert (detail.fan, detail.weights, detail.residuals, detail.calibration.count) == (None, None, None, 0)
    assert len(detail.trust.trust) == len(detail.heat.starts)
    assert "--report" in report.missing[0]


def test_of_many_variables_the_most_telling_are_told_in_detail(tmp_path) -> None:
    series = {f"v{place}": walk(place) for place in range(5)} | {"climb": climb(1)}
    report = assemble_report(trained(tmp_path, series), "r", limit=2)
    assert len(report.details) == 2
    assert "climb" in [detail.variable for detail in report.details]
    assert "2 of 6 variables" in report.selection
    assert {row.variable for row in report.rows} == set(series)


def test_variables_that_are_asked_for_are_told_in_detail(sink) -> None:
    assert [detail.variable for detail in assemble_report(sink, "r", ["walk"]).details] == ["walk"]
    with pytest.raises(SettingsError, match="has no 'wlak'"):
        assemble_report(sink, "r", ["wlak"])


def test_a_part_that_is_read_again_gives_the_same_report(sink, report) -> None:
    again = assemble_report(sink, "r")
    assert [row.standing for row in again.rows] == [row.standing for row in report.rows]
    assert (again.details[0].trust.log10_e == report.details[0].trust.log10_e).all()


def test_failures_are_told_with_their_mend(tmp_path) -> None:
    sink = trained(tmp_path, {"walk": walk(5), "short": walk(6, 20)}, keep_going=True)
    report = assemble_report(sink, "r")
    ((variable, message, hint),) = report.failures
    assert variable == "short"
    assert message
    assert hint
    assert dict(report.units) == {"planned": 2, "recalled": 0, "computed": 1, "failed": 1}


def test_what_is_no_run_is_refused(tmp_path, sink) -> None:
    with pytest.raises(RunNotFound):
        assemble_report(sink, "nightly")
    broken = trained(tmp_path, {"walk": walk(7)})
    (tmp_path / "r" / "result.json").write_text('{"schema_version": 4}')
    with pytest.raises(MalformedData, match="is no result of a run"):
        assemble_report(broken, "r")


def test_a_damaged_part_is_refused_by_name(tmp_path) -> None:
    sink = trained(tmp_path, {"walk": walk(8)})
    (name,) = sink.parts("r", "batches")
    (tmp_path / "r" / name).write_bytes(b"PAR1 no more")
    with pytest.raises(MalformedData) as caught:
        assemble_report(sink, "r")
    assert caught.value.context == str(tmp_path / "r" / name)
