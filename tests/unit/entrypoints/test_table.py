"""The table that a person sees at the end."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import attrs
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pulse_core.results import RunResult
from pulse_core.scores.measures import MEASURES
from pulse_entrypoints.commands.train.best import MAX_SUMMARISED, best_forecaster, summary_of
from pulse_entrypoints.commands.train.table import VARIABLES_SHOWN, show
from tests.unit.entrypoints.runs import result, summary

COLOUR = re.compile(r"\x1b\[\d+m")
NOTHING = "\N{EN DASH}"


def shown(run: RunResult, width: int = 80, **how: Any) -> str:
    out = StringIO()
    show(run, {"Log": ("/place/run.log",)}, Console(file=out, width=width, **how))
    return out.getvalue()


def test_a_row_says_who_is_best_how_much_better_and_how_far_to_be_trusted() -> None:
    text = shown(result(summary("spx", [[4.0, 5.0], [3.0, 6.0]])))
    rows = [line.split() for line in text.splitlines()]
    assert ["spx", "1", "ses", "+25.0%", "(-12.5", "to", "+50.0)", "open", "88%", "40", "81.2%"] in rows
    assert ["2", "naive", *[NOTHING] * 4, "81.2%"] in rows


def test_the_first_and_the_last_horizon_are_shown() -> None:
    rows = [line.split() for line in shown(result(summary("spx", [[4.0] * 5, [3.0] * 5]))).splitlines()]
    assert [row[: row.index("ses")] for row in rows if "ses" in row] == [["spx", "1"], ["5"]]


def test_a_discovery_is_marked() -> None:
    text = shown(result(summary("spx", [[4.0], [3.0]], log10_e=3.0)))
    assert " better*   88%" in text
    assert "better beyond chance, all comparisons of the run counted (1 is)" in text


def test_without_a_discovery_there_is_no_mark_and_that_is_said() -> None:
    text = shown(result(summary("spx", [[4.0], [3.0]])))
    assert text.count("*") == 1
    assert "(none are)" in text


def test_it_says_where_everything_is_and_the_digest() -> None:
    run = result(summary("spx", [[4.0], [3.0]]))
    text = shown(run)
    for message in ("/place/result.json", "/place/run.log", run.digest, "2020-01-01 to 2020-12-31", "90.0 s"):
        assert message in text


def test_what_could_not_be_scored_is_left_blank() -> None:
    text = shown(result(summary("spx", [[float("nan")], [float("nan")]])))
    assert ["spx", "1", *[NOTHING] * 6] in [line.split() for line in text.splitlines()]


def test_of_many_variables_the_first_are_shown_and_the_others_counted() -> None:
    text = shown(result(*(summary(f"v{number:03}", [[4.0], [3.0]]) for number in range(VARIABLES_SHOWN + 7))))
    assert f"v{VARIABLES_SHOWN - 1:03}" in text
    assert f"v{VARIABLES_SHOWN:03}" not in text
    assert "7 more variables" in text.replace("\n", " ")


GREEN, RED, YELLOW = "\x1b[32m", "\x1b[31m", "\x1b[33m"


def test_colour_follows_the_verdict_where_it_can_be_seen() -> None:
    how: dict[str, Any] = {"force_terminal": True, "color_system": "standard", "no_color": False}
    assert GREEN in shown(result(summary("spx", [[4.0], [3.0]], log10_e=1.5)), **how)
    open_verdict = shown(result(summary("spx", [[4.0], [3.0]], log10_e_wins=9.0, probability=0.99)), **how)
    assert not {GREEN, RED, YELLOW} & set(COLOUR.findall(open_verdict))


def test_trust_that_rests_on_few_origins_is_marked_and_explained() -> None:
    text = shown(result(summary("spx", [[4.0], [3.0]], n_effective=39.4)))
    assert "~88% 39" in text
    assert "~        fewer than 40 origins" in text
    assert "fewer than 40" not in shown(result(summary("spx", [[4.0], [3.0]], n_effective=40.0)))


def test_a_verdict_that_holds_at_one_time_only_is_marked_and_explained() -> None:
    text = shown(result(summary("spx", [[4.0] * 2, [3.0] * 2], log10_e=1.5)))  # e = 32: at two steps 40 would do
    assert [line.split()[-4] for line in text.splitlines() if " ses " in line] == ["better*", "better*\N{DAGGER}"]
    assert "\N{DAGGER}        shown at this one time" in text
    assert "\N{DAGGER}" not in shown(result(summary("spx", [[4.0] * 2, [3.0] * 2], log10_e=1.7)))


def test_trust_is_explained_with_the_origins_it_looks_ahead() -> None:
    text = " ".join(shown(result(summary("spx", [[4.0], [3.0]]))).split())
    assert "the probability that over the next 250 origins its mean error is lower than naive's" in text
    spans = [attrs.evolve(summary(name, [[4.0], [3.0]]), span=span) for name, span in (("a", 12), ("b", 250))]
    assert "over the next 12 to 250 origins" in shown(result(*spans))


def test_trust_is_never_told_as_certain() -> None:
    text = shown(
        result(summary("a", [[4.0], [3.0]], probability=0.9999), summary("b", [[4.0], [3.0]], probability=1e-9))
    )
    assert (">99% 40" in text, "<1% 40" in text, "100%" in text) == (True, True, False)


def test_variables_with_benchmarks_of_their_own_are_explained_by_these() -> None:
    other = summary("b", [[4.0], [3.0]], names=("drift", "ses"))
    run = attrs.evolve(result(summary("a", [[4.0], [3.0]])), variables=(summary("a", [[4.0], [3.0]]), other))
    assert "the share of its benchmark's error it saves" in shown(run)


def test_a_benchmark_that_trends_is_told_with_the_skill_against_a_better_one() -> None:
    text = shown(result(summary("cpi", [[4.0], [3.0]], trends=True), summary("spx", [[4.0], [3.0]])))
    told = " ".join(text.split())
    assert "naive is too easy a benchmark on 1 variable: compare with drift (--benchmark drift, or auto)." in told
    assert "1 ahead: cpi ses +6.2% over drift." in told
    assert "too easy" not in shown(result(summary("spx", [[4.0], [3.0]])))


def test_trusts_of_the_run_that_did_not_come_true_are_told_in_a_line() -> None:
    reliability = np.zeros((1, 10, 4))
    reliability[0, 6] = 100, 65, 20, 40
    made = [attrs.evolve(summary(name, [[4.0], [3.0]]), reliability=reliability) for name in "ab"]
    told = " ".join(shown(result(*made)).split())
    assert "1 ahead, of 200 trusts from 60% to 70% (mean 65%) 20% came true." in told
    assert "did not come true" not in shown(result(summary("spx", [[4.0], [3.0]])))


def test_the_skill_is_that_of_the_loss_that_the_verdict_is_about() -> None:
    scores = summary("spx", [[4.0], [3.0]]).scores.copy()
    scores[..., MEASURES.index("skill_crps")] = -0.5
    run = result(attrs.evolve(summary("spx", [[4.0], [3.0]]), scores=scores))
    text = shown(attrs.evolve(run, spec=attrs.evolve(run.spec, trust_loss="crps")))
    assert "-50.0% (" in text
    assert "the share of naive's CRPS it saves" in text


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
    how: dict[str, Any] = {"log10_e": 5.0, "skill_low": -1e9, "skill_high": 1e9, "n_effective": 1e4, "trends": True}
    run = result(*(summary(name, made, forecasters, **how) for name in ["x" * 60, *names]))
    console = Console(width=80)
    assert max(map(console.render_str, shown(run).splitlines()), key=len).cell_len <= 80


def test_the_earlier_forecaster_is_best_on_a_tie() -> None:
    run = result(summary("x", [[2.0], [2.0]]))
    finding = best_forecaster(run.variables[0], 1, run.spec, run.discoveries())
    assert finding is not None
    assert (finding.forecaster, finding.is_benchmark, finding.skill) == ("naive", True, None)


def test_events_name_the_best_of_so_many_variables() -> None:
    run = result(*(summary(f"v{number}", [[4.0], [3.0]]) for number in range(MAX_SUMMARISED + 1)))
    found = summary_of(run)
    assert len(found) == MAX_SUMMARISED
    assert found["v0"] == {
        "best": "ses",
        "skill_mae": 0.25,
        "verdict": "open",
        "trust": 0.875,
        "discovery": False,
        "coverage_80": 0.8125,
    }
