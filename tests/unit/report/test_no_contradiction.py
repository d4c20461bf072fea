"""Nothing shows a verdict that skill contradicts: not of a forecaster that is better, or worse, by much on few days."""

from __future__ import annotations

import json
import re
from datetime import date
from io import StringIO
from typing import Any

import attrs
import numpy as np
import pytest
from rich.console import Console

from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.report import wording
from pulse_adapters.report.assembly import assemble_report
from pulse_adapters.report.rendering import MARKS, STAR, render
from pulse_adapters.report.views import Report, Verdict
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.stores.frames import FrameStore
from pulse_core import RetrodictionTraining, RunResult, RunSpec
from pulse_entrypoints.commands.train.table import show
from tests.processes_trust import KNOWS_JUMPS, OVERSHOOTS, jump_series, over_series
from tests.unit.report.runs import frame

EXAMPLES = {"jump": (jump_series, KNOWS_JUMPS), "over": (over_series, OVERSHOOTS)}
DAYS = 420
COLOUR = re.compile(r"\x1b\[\d*m")
GREEN, RED = "\x1b[32m", "\x1b[31m"


@attrs.frozen
class Shown:
    """A run of one example as JSON, as the table of a terminal, in colour, and as a report."""

    horizons: dict[str, Any]
    table: str
    page: str
    report: Report

    @property
    def row(self) -> str:
        """The row of the table, in colour."""
        (row,) = (line for line in self.table.splitlines() if COLOUR.sub("", line).startswith(("jump ", "over ")))
        return row

    @property
    def summary(self) -> str:
        """The rows of the report's table."""
        return self.page.partition("<tbody>")[2].partition("</tbody>")[0]

    @property
    def details(self) -> str:
        """What the report says of the variable in text."""
        return re.sub(
            r"<script.*?</script>", "", self.page.partition('id="variables"')[2].partition('id="came-true"')[0]
        )


def in_colour(result: RunResult) -> str:
    out = StringIO()
    show(result, {}, Console(file=out, width=80, force_terminal=True, color_system="standard", no_color=False))
    return out.getvalue()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    made = {}
    for name, (series, forecaster) in EXAMPLES.items():
        sink = FolderSink(tmp_path_factory.mktemp(name))
        training = RetrodictionTraining(
            store=FrameStore({name: frame(series(1, DAYS, np.random.default_rng(5))[0])}),
            backend=SerialBackend(),
            sink=sink,
            run_id="r",
            hindcasts=True,
            forecasters=(forecaster,),
        )
        spec = RunSpec(
            variables=(name,),
            start=date(2020, 2, 20),
            end=date(2021, 2, 20),
            horizon=1,
            forecasters=("naive", forecaster.name),
        )
        result = training.execute(spec)
        document = json.loads(sink.read("r", "result.json"))
        numbers = document["variables"][name]["forecasters"][forecaster.name]["horizons"]["1"]
        report = assemble_report(sink, "r")
        made[name] = Shown(numbers, in_colour(result), render(report).decode(), report)
    return made


def test_better_by_much_on_few_days_is_better_although_it_wins_less_than_every_other_time(shown) -> None:
    numbers = shown["jump"].horizons
    assert (numbers["verdict"], numbers["anytime"], numbers["discovery"]) == ("better", True, True)
    assert numbers["skill_mae"] > 0.15
    assert numbers["skill_interval"]["low"] > 0
    assert numbers["win_rate"]["high"] < 0.5
    assert numbers["log10_e_wins"] < 0


def test_worse_by_much_on_few_days_is_worse_although_it_wins_more_than_every_other_time(shown) -> None:
    numbers = shown["over"].horizons
    assert (numbers["verdict"], numbers["anytime"], numbers["discovery"]) == ("worse", True, False)
    assert numbers["skill_mae"] < -0.5
    assert numbers["win_rate"]["low"] > 0.5
    assert numbers["log10_e_wins"] > 0
    assert numbers["trust"]["probability"] < 0.05


def test_the_table_of_the_terminal_shows_no_other_verdict(shown) -> None:
    better, worse = shown["jump"].row, shown["over"].row
    assert (GREEN in better, RED in better, "better*" in better, "worse" in better) == (True, False, True, False)
    assert (GREEN in worse, "better" in worse, "*" in worse) == (False, False, False)
    assert (GREEN in shown["over"].table, "(none are)" in shown["over"].table) == (False, True)


def test_the_report_shows_no_other_verdict_of_the_better_one(shown) -> None:
    page = shown["jump"]
    assert "The best forecaster is shown to be better than naive one step ahead." in page.page
    assert (STAR in page.summary, "rank0" in page.summary, "rank4" in page.summary) == (True, True, False)
    assert f"knows-jumps, one step ahead: {STAR} better" in page.details
    assert "The evidence shows it to be better" in page.details
    assert "worse" not in page.summary + page.details
    assert MARKS[Verdict.WORSE] not in page.summary + page.details


def test_the_report_shows_no_other_verdict_of_the_worse_one(shown) -> None:
    page = shown["over"]
    assert "The best forecaster is not shown to be better than naive one step ahead." in page.page
    assert f"overshoots, one step ahead: {MARKS[Verdict.WORSE]} worse" in page.details
    assert "naive is best" in page.summary
    assert (STAR in page.summary + page.details, "rank4" in page.details) == (False, True)
    assert "to be better" not in page.summary + page.details
    assert "The verdict is worse." in page.details


@pytest.mark.parametrize(
    ("verdicts", "headline"),
    [
        ([Verdict.OPEN], "The best forecaster is not shown to be better than naive one step ahead."),
        ([Verdict.OPEN] * 3, "On no variable is the best forecaster shown to be better than naive one step ahead."),
        (
            [Verdict.BETTER, Verdict.OPEN, Verdict.WORSE],
            "On 1 of 3 variables, the best forecaster is shown to be better than naive one step ahead.",
        ),
        (
            [Verdict.BETTER] * 2,
            "On all 2 variables, the best forecaster is shown to be better than naive one step ahead.",
        ),
    ],
)
def test_the_headline_speaks_of_the_best_forecasters_alone(shown, verdicts, headline) -> None:
    # the best may be left open where another, with a little more error, is better
    report = shown["jump"].report
    (row,) = report.rows
    rows = tuple(attrs.evolve(row, standing=attrs.evolve(row.standing, verdict=verdict)) for verdict in verdicts)
    assert wording.headline(attrs.evolve(report, rows=rows)) == headline
