"""What a run shows: --quiet, --json, pace, and what is slow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pulse_core.events import RunPlanned, UnitFinished
from pulse_core.plan import WorkUnit
from pulse_core.results import UnitResult
from pulse_entrypoints.cli.logging import JSON, open_log
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.progress import Progress

PERIOD = ("--variables", "a", "b", "--start-date", "2020-03-01", "--end-date", "2020-06-30", "--backend", "serial")
FEW = ("--forecasters", "naive", "mean", "--run-id", "r")


def test_json_writes_the_result_to_stdout_and_events_to_stderr(pulse) -> None:
    done = pulse("train", *PERIOD, *FEW, "--json")
    assert done.status == 0
    assert done.document == json.loads((pulse.folder / "results/r/result.json").read_text())
    assert [json.loads(line)["event"] for line in done.err.splitlines()][-1] == "run_finished"


def test_quiet_shows_nothing(pulse) -> None:
    done = pulse("train", *PERIOD, *FEW, "--quiet")
    assert (done.status, done.out, done.err) == (0, "", "")


def test_quiet_still_tells_what_went_wrong(pulse) -> None:
    done = pulse("train", "--variables", "a", "z", *PERIOD[3:], *FEW, "--quiet", "--json")
    assert (done.status, done.out) == (1, "")
    assert "no variable 'z'" in done.err


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watched(tmp_path: Path):
    """A run of four steps, half of them of a slow forecaster."""
    log = open_log("INFO", JSON, tmp_path, Masker(()), print, "stderr")
    clock = Clock()
    progress = Progress(log, {}, with_bar=False, counted="steps", per_origin=("own:Slow",), clock=clock)
    progress(RunPlanned("r", 2, 4, 4))

    def finish(seconds: float, finished: int, *batches: int) -> None:
        clock.now += seconds
        progress(UnitFinished(WorkUnit(finished, ("x",), batches=batches), UnitResult(), finished, 4))

    yield progress, finish, log
    log.close()


def test_events_bear_the_pace(watched) -> None:
    _, finish, log = watched
    finish(3.0, 1, 0)
    event = json.loads(log.of_run().decode().splitlines()[-1])
    assert (event["seconds"], event["seconds_left"]) == (3.0, 9.0)


def test_what_took_most_of_a_long_run_is_told(watched) -> None:
    progress, finish, _ = watched
    finish(20.0, 1, 0)
    finish(20.0, 2, 1)
    finish(5.0, 3)
    assert progress.per_origin_fields() == {"per_origin": ["own:Slow"], "per_origin_seconds": 40.0}
    assert progress.per_origin_line().startswith("Slow: own:Slow took 40 of 45 s")


@pytest.mark.parametrize(("slow", "rest"), [(3.0, 1.0), (15.0, 40.0)])
def test_a_short_run_or_a_small_part_of_one_is_not_told(watched, slow, rest) -> None:
    progress, finish, _ = watched
    finish(slow, 1, 0)
    finish(rest, 2)
    assert (progress.per_origin_fields(), progress.per_origin_line()) == ({}, "")
