"""A number that is shown in several places is one number: result, tables, report, comparison and forecast."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.published.result_reader import read_result
from pulse_adapters.published.table_reader import RunTable
from pulse_adapters.report.assembly import assemble_report
from pulse_adapters.report.views import Report
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.stores.frames import FrameStore
from pulse_core import TRUST, Forecasting, RetrodictionTraining, RunSpec
from pulse_core.runs.comparing import BATCH_COLUMNS, HINDCAST_COLUMNS, changes, losses_of_batches, losses_of_hindcasts
from pulse_core.runs.forecasting import Trained
from pulse_core.scores.verdict import SKILL, VERDICTS

NAMES = ("naive", "drift", "ses", "ensemble")
SETTINGS = [
    {"trust_loss": loss, "actuals": actuals} for loss in ("absolute", "crps") for actuals in ("first", "latest")
]


def revised_series(seed: int = 3, weeks: int = 160) -> Any:
    """Weekly values, revised a week and again three weeks after their release; some are released late, together."""
    import pandas as pd

    generator = np.random.default_rng(seed)
    values = 100.0 + np.cumsum(0.4 + generator.normal(size=weeks))
    stamps = pd.date_range("2018-01-07", periods=weeks, freq="7D")
    rows = []
    for week, (stamp, value) in enumerate(zip(stamps, values, strict=True)):
        # four releases a quarter are held back until the quarter's last one
        delay = 3 - week % 13 if week % 13 < 3 else 0
        released = stamp + pd.Timedelta(days=7 * delay + 1)
        rows.append((stamp, value + generator.normal(), released))
        rows.append((stamp, value + 0.3 * generator.normal(), released + pd.Timedelta(days=7)))
        rows.append((stamp, value, released + pd.Timedelta(days=21)))
    return pd.DataFrame(rows, columns=["timestamp", "value", "known_at"])


@attrs.frozen
class Run:
    """A published run of the revised series, its report, and the store it was trained on."""

    sink: FolderSink
    document: dict[str, Any]
    report: Report
    store: FrameStore
    spec: RunSpec

    def result(self, forecaster: str, horizon: int) -> dict[str, Any]:
        """What result.json says of a forecaster at a horizon."""
        numbers: dict[str, Any] = self.document["variables"]["x"]["forecasters"][forecaster]["horizons"][str(horizon)]
        return numbers

    def rows(self, table: str, columns: tuple[str, ...]) -> Any:
        """Some columns of a table."""
        published = read_result(self.sink, "r")
        return RunTable(self.sink, "r", published.parts(table), ("variable", *columns)).of("x")


@pytest.fixture(scope="module", params=SETTINGS, ids=lambda settings: "-".join(settings.values()))
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder: Path = tmp_path_factory.mktemp("results")
    spec = RunSpec(
        variables=("x",),
        start=date(2018, 12, 1),
        end=date(2021, 1, 31),
        horizon=3,
        min_history=20,
        batch_size_days=90,
        trust_half_life=100.0,
        trust_span=25,
        forecasters=NAMES,
        **request.param,
    )
    sink, store = FolderSink(folder), FrameStore({"x": revised_series()})
    RetrodictionTraining(store=store, backend=SerialBackend(), sink=sink, run_id="r", hindcasts=True).execute(spec)
    document = json.loads(sink.read("r", "result.json"))
    return Run(sink, document, assemble_report(sink, "r"), store, spec)


def test_the_reports_summary_has_the_results_numbers(run: Run) -> None:
    for row in run.report.rows:
        assert row.best is not None
        numbers = run.result(row.best, row.horizon)
        assert row.coverage == numbers["coverage"]["80"]
        if row.best == "naive":
            continue
        standing = row.standing
        assert standing.skill == numbers[SKILL[run.spec.trust_loss]]
        assert (standing.verdict.value, standing.log10_e) == (numbers["verdict"], numbers["log10_e"])
        assert standing.interval == tuple(numbers["skill_interval"].values())
        mean, low, high, trials = numbers["win_rate"].values()
        assert (standing.trust, standing.span, standing.n_effective) == tuple(numbers["trust"].values())
        assert (standing.win_rate, standing.win_interval, standing.trials) == (mean, (low, high), trials)


def test_trust_and_evidence_of_the_reports_figures_end_where_the_result_stands(run: Run) -> None:
    (detail,) = run.report.details
    numbers = run.result(detail.focus_name, 1)
    assert detail.trust.trust[-1] == pytest.approx(numbers["trust"]["probability"], rel=1e-6)
    ends = detail.trust.log10_e[-1], detail.trust.log10_e_against[-1]
    assert ends == (numbers["log10_e"], numbers["log10_e_against"])


def test_coverage_and_reliability_of_the_report_are_of_the_same_actuals(run: Run) -> None:
    (detail,) = run.report.details
    calibration = detail.calibration
    numbers = run.result(detail.focus_name, 1)
    assert {str(interval): share for interval, share in calibration.coverage.items()} == numbers["coverage"]
    at = dict(zip(calibration.levels.tolist(), calibration.below.tolist(), strict=True))
    # both count the actuals between the 10 % and the 90 % quantile; at an end the interval counts them, the curve above
    assert at[0.9] - at[0.1] == pytest.approx(numbers["coverage"]["80"], abs=1.5 / calibration.count)
    assert calibration.count == numbers["n"]


@pytest.mark.parametrize(("table", "columns", "losses"), [
    ("hindcasts", HINDCAST_COLUMNS, losses_of_hindcasts),
    ("batches", BATCH_COLUMNS, losses_of_batches),
])  # fmt: skip
def test_a_comparison_of_a_run_with_itself_says_what_the_result_says(run: Run, table, columns, losses) -> None:
    of_run = losses(run.rows(table, columns))
    for change in changes("x", of_run, of_run, "naive"):
        numbers = run.result(change.forecaster, change.horizon)
        assert change.mae_before == change.mae_after == pytest.approx(numbers["mae"], rel=1e-12)
        if change.skill_before is not None:
            assert change.skill_before == pytest.approx(numbers["skill_mae"], rel=1e-9, abs=1e-12)


def test_a_forecast_at_the_runs_end_has_the_trust_of_the_result_and_of_the_last_hindcast(run: Run) -> None:
    fingerprints = {"x": run.document["run"]["data"]["x"]["fingerprint"]}
    forecasting = Forecasting(store=run.store, sink=run.sink)
    forecasts = forecasting.execute(Trained(run.spec, fingerprints), run.spec.last_day)
    (forecast,) = forecasts.variables
    columns = ("forecaster", "horizon", "known_at", "point", "trust", "log10_e", "log10_e_against")
    rows = run.rows("hindcasts", columns)
    names = [rows["forecaster"].names[code] for code in rows["forecaster"].codes]
    for index, (name, horizon, known_at) in enumerate(zip(names, rows["horizon"], rows["known_at"], strict=True)):
        if known_at != forecast.known_at or name == "naive":
            continue
        cell = forecast.forecasters.index(name), int(horizon) - 1
        shown = dict(zip(TRUST, forecast.trust[cell].tolist(), strict=True))
        sides = shown["log10_e"], shown["log10_e_against"]
        assert (shown["probability"], *sides) == tuple(rows[column][index] for column in columns[4:])
        assert forecast.point[cell] == rows["point"][index]
        numbers = run.result(name, int(horizon))
        assert (shown["probability"], forecast.span) == (numbers["trust"]["probability"], numbers["trust"]["span"])
        assert sides == (numbers["log10_e"], numbers["log10_e_against"])
        assert VERDICTS[int(forecast.verdicts[cell])] == numbers["verdict"]
