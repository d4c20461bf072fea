"""A share of `make chaos`: writers that SIGKILL ends before each of their changes to a folder lose nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

WRITERS = ("publish revised data", "prune", "attach")


def test_writers_that_are_killed_before_any_change_leave_old_or_new(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.kills", str(tmp_path), *WRITERS],
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(verdict["writer"], verdict["problems"]) for verdict in verdicts] == [(name, []) for name in WRITERS], (
        done.stderr
    )
    assert all(verdict["kills"] > 2 for verdict in verdicts)
