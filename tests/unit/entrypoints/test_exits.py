"""Every ending has its status, and one report that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pulse_core.errors import (
    BackendUnavailable,
    InvalidSpec,
    MalformedData,
    RunFailed,
    RunIdTaken,
    SettingsError,
    SinkUnavailable,
    VariableNotFound,
)
from pulse_core.results import Failure
from pulse_entrypoints.cli.exits import (
    MAX_PROBLEMS,
    completed,
    failed,
    interrupted,
    slice_completed,
    unexpected,
)
from tests.unit.entrypoints.runs import result, summary

RUN = result(summary("spx", [[4.0], [3.0]]))
FAILURE = Failure("wti", "VariableNotFound", "no variable 'wti'", "data", "Near: wti_price")


@pytest.mark.parametrize("error", [SettingsError(["a"]), InvalidSpec(["a"]), RunIdTaken(["a"])])
def test_what_is_wrong_with_the_command_ends_with_2(error) -> None:
    assert int(failed(error).status) == 2


@pytest.mark.parametrize(
    "error",
    [
        VariableNotFound("a"),
        MalformedData("a"),
        SinkUnavailable("a"),
        BackendUnavailable("a"),
        RunFailed([FAILURE], RUN),
    ],
)
def test_what_is_wrong_with_data_places_or_engines_ends_with_1(error) -> None:
    assert int(failed(error).status) == 1


def test_a_report_has_a_bullet_a_problem() -> None:
    report = failed(SettingsError(["--horizon: wrong", "--data: wrong"])).report(None)
    assert report.splitlines() == [
        "pulse: 2 problems with the settings",
        "  - --horizon: wrong",
        "  - --data: wrong",
        "All options: pulse train --help",
    ]


def test_a_report_names_the_place_and_the_mend() -> None:
    report = failed(SinkUnavailable("cannot write: no space", "/results", "Make room")).report(None)
    assert report.splitlines() == [
        "pulse: the run failed",
        "  - /results: cannot write: no space",
        "Make room.",
    ]


def test_a_report_keeps_to_its_width() -> None:
    problems = ["word " * 50, "x" * 30]
    assert max(map(len, failed(SettingsError(problems)).report(60).splitlines())) <= 60


def test_failures_with_one_cause_share_a_bullet() -> None:
    twin = Failure("spx", FAILURE.kind, FAILURE.message, FAILURE.context, FAILURE.hint)
    other = Failure("cpi", "MalformedData", "row 3 is wrong", "cpi.csv", "")
    assert failed(RunFailed([FAILURE, twin, other], RUN)).problems == [
        "wti, spx: data: no variable 'wti'. Near: wti_price.",
        "cpi: cpi.csv: row 3 is wrong.",
    ]


def test_of_very_many_failures_the_first_are_told() -> None:
    failures = [Failure(f"v{number}", "DataError", f"fault {number}", "", "") for number in range(MAX_PROBLEMS + 5)]
    told = failed(RunFailed(failures, RUN)).problems
    assert told[MAX_PROBLEMS - 1] == f"v{MAX_PROBLEMS - 1}: fault {MAX_PROBLEMS - 1}."
    assert told[MAX_PROBLEMS:] == ["and 5 more; the log file has all"]


def test_problems_with_the_settings_are_all_told() -> None:
    problems = [f"problem {number}" for number in range(MAX_PROBLEMS + 5)]
    assert list(failed(SettingsError(problems)).problems) == problems


def test_keep_going_is_offered_only_where_something_succeeded() -> None:
    nothing = result(summary("spx", [[4.0], [3.0]]), variables=())
    assert "--keep-going" in failed(RunFailed([FAILURE], RUN)).hint
    assert "--keep-going" not in failed(RunFailed([FAILURE], nothing)).hint


def test_a_whole_run_ends_with_0_and_says_nothing() -> None:
    assert int(completed(RUN).status) == 0
    assert completed(RUN).report(80) == ""


def test_a_run_without_some_variables_ends_with_3_and_names_them() -> None:
    ending = completed(result(summary("spx", [[4.0], [3.0]]), failures=[FAILURE]))
    assert int(ending.status) == 3
    assert "wti" in ending.report(80)


def test_a_slice_says_that_nothing_is_published_and_how_to_collect() -> None:
    ending = slice_completed(RUN, "results", (1, 4), "variables")
    assert ending.status == 0
    for words in ("Slice 1/4: 1 variable is", "nothing is published", "without --slice"):
        assert words in ending.report(None)


def test_an_interruption_ends_with_75_and_says_how_to_resume() -> None:
    ending = interrupted("SIGTERM", 3, 8, "variables")
    assert int(ending.status) == 75
    for words in ("SIGTERM", "3 of 8 variables", "same command"):
        assert words in ending.title


def test_the_unexpected_ends_with_1_in_one_line() -> None:
    ending = unexpected(ZeroDivisionError("division by zero"), Path("logs/x.log"))
    assert ending.status == 1
    assert ending.report(None) == "pulse: unexpected ZeroDivisionError: division by zero (traceback in logs/x.log)"
