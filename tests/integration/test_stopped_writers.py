"""A share of `make chaos`: writers killed before each change, or stopped at requests; pairs of runs at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.requests import FAULTS, stopped_at_requests

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

LEAST_KILLS = {"prune": 25, "attach": 3}
"""The writers that are killed, and how often at least."""
EVERY = 2
LEAST_STOPS = dict.fromkeys(FAULTS, 10)
"""How often a writer to a bucket is stopped at least, by fault."""
PAIRS = 8


def lines_of(*words: str) -> list[dict[str, object]]:
    """Run a module of tests.chaos and return what it prints."""
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_writers_that_are_killed_before_any_change_leave_old_or_new(tmp_path: Path) -> None:
    verdicts = lines_of("tests.chaos.kills", str(tmp_path), *LEAST_KILLS)
    assert [(verdict["writer"], verdict["problems"]) for verdict in verdicts] == [(name, []) for name in LEAST_KILLS]
    assert all(int(str(verdict["kills"])) >= LEAST_KILLS[str(verdict["writer"])] for verdict in verdicts)


@pytest.mark.parametrize("fault", FAULTS)
def test_writers_to_a_bucket_that_are_stopped_leave_old_or_new(fault, in_seaweedfs, fault_proxy) -> None:
    share = FAULTS.index(fault) % EVERY
    stops, problems = stopped_at_requests(
        in_seaweedfs, fault_proxy, "publish revised data", fault, lambda number: number % EVERY == share
    )
    assert problems == []
    assert stops >= LEAST_STOPS[fault]


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_pairs_of_runs_at_once_have_whole_results_or_are_refused(place, tmp_path) -> None:
    pairs = PAIRS if place == "folder" else PAIRS // 2
    *verdicts, _ = lines_of("tests.chaos.races", str(tmp_path / "races"), "--pairs", str(pairs), "--place", place)
    assert [verdict for verdict in verdicts if verdict["problems"]] == []
    assert len(verdicts) == pairs
