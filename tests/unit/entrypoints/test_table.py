"""The table that a person sees at the end."""

from __future__ import annotations

from io import StringIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pulse_core.results import RunResult
from pulse_entrypoints.commands.train.best import MAX_SUMMARISED, best_forecaster, summary_of
from pulse_entrypoints.commands.train.table import VARIABLES_SHOWN, show
from tests.unit.entrypoints.runs import result, summary

NOTHING = "\N{EN DASH}"


def shown(run: RunResult, width: int = 80, **how: Any) -> str:
    out = StringIO()
    show(run, {"Log": ("/place/run.log",)}, Console(file=out, width=width, **how))
    return out.getvalue()


def test_a_row_says_who_is_best_how_much_better_and_how_far_to_be_trusted() -> None:
    text = shown(result(summary("spx", [[4.0, 5.0], [3.0, 6.0]])))
    rows = [line.split() for line in text.splitlines()]
    assert ["spx", "1", "ses", "+25.0%", "88%", "(75%", "to", "94%)", "81.2%"] in rows
    assert ["2", "naive", NOTHING, NOTHING, "81.2%"] in rows


def test_the_first_and_the_last_horizon_are_shown() -> None:
    rows = [line.split() for line in shown(result(summary("spx", [[4.0] * 5, [3.0] * 5]))).splitlines()]
    assert [row[: row.index("ses")] for row in rows if "ses" in row] == [["spx", "1"], ["5"]]


def test_a_discovery_is_marked() -> None:
    text = shown(result(summary("spx", [[4.0], [3.0]], log10_e=3.0)))
    assert "88% (75% to 94%) *" in text
    assert "beats naive beyond chance, all comparisons of the run counted (1 does)" in text


def test_without_a_discovery_there_is_no_mark_and_that_is_said() -> None:
    text = shown(result(summary("spx", [[4.0], [3.0]])))
    assert text.count("*") == 1
    assert "(none do)" in text


def test_it_says_where_everything_is_and_the_digest() -> None:
    run = result(summary("spx", [[4.0], [3.0]]))
    text = shown(run)
    for message in ("/place/result.json", "/place/run.log", run.digest, "2020-01-01 to 2020-12-31", "90.0 s"):
        assert message in text


def test_what_could_not_be_scored_is_left_blank() -> None:
    text = shown(result(summary("spx", [[float("nan")], [float("nan")]])))
    assert ["spx", "1", NOTHING, NOTHING, NOTHING, NOTHING] in [line.split() for line in text.splitlines()]


def test_of_many_variables_the_first_are_shown_and_the_others_counted() -> None:
    text = shown(result(*(summary(f"v{number:03}", [[4.0], [3.0]]) for number in range(VARIABLES_SHOWN + 7))))
    assert f"v{VARIABLES_SHOWN - 1:03}" in text
    assert f"v{VARIABLES_SHOWN:03}" not in text
    assert "7 more variables" in text.replace("\n", " ")


def test_colour_is_used_for_discoveries_where_it_can_be_seen() -> None:
    how: dict[str, Any] = {"force_terminal": True, "color_system": "standard", "no_color": False}
    assert "\x1b[32m" in shown(result(summary("spx", [[4.0], [3.0]], log10_e=3.0)), **how)
    assert "\x1b[32m" not in shown(result(summary("spx", [[4.0], [3.0]])), **how)


def test_without_colour_none_is_used(monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    run = result(summary("spx", [[4.0], [3.0]], log10_e=3.0))
    assert "\x1b[32m" not in shown(run, force_terminal=True, color_system="standard")


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1), max_size=4, unique=True),
    st.integers(1, 30),
    st.floats(1e-300, 1e300),
)
def test_it_fits_80_columns(names, horizon, error) -> None:
    forecasters = ("naive", "seasonal-naive(1000)")
    made = [[error] * horizon, [error / 3] * horizon]
    run = result(*(summary(name, made, forecasters, log10_e=5.0) for name in ["x" * 60, *names]))
    console = Console(width=80)
    assert max(map(console.render_str, shown(run).splitlines()), key=len).cell_len <= 80


def test_the_earlier_forecaster_is_best_on_a_tie() -> None:
    run = result(summary("x", [[2.0], [2.0]]))
    finding = best_forecaster(run.variables[0], 1, "naive", run.discoveries())
    assert finding is not None
    assert (finding.forecaster, finding.is_benchmark, finding.skill) == ("naive", True, None)


def test_events_name_the_best_of_so_many_variables() -> None:
    run = result(*(summary(f"v{number}", [[4.0], [3.0]]) for number in range(MAX_SUMMARISED + 1)))
    found = summary_of(run)
    assert len(found) == MAX_SUMMARISED
    assert found["v0"] == {
        "best": "ses",
        "skill_mae": 0.25,
        "trust": 0.875,
        "discovery": False,
        "coverage_80": 0.8125,
    }
