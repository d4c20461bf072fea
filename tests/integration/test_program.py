"""The programs as processes: a signal ends them with a status of ours, also where no command listens."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

_PROGRAM = """
import atexit, os, signal
import pulse_entrypoints.cli.app as cli
from pulse_entrypoints.cli.program import pulse

def terminate():
    os.kill(os.getpid(), signal.SIGTERM)

def main():
    {body}
    return 3

cli.main = main
pulse()
"""


@pytest.mark.parametrize(
    ("body", "status"),
    [("terminate()", 75), ("atexit.register(terminate)", 3), ("pass", 3)],
    ids=["before a command listens", "when it has ended", "never"],
)
def test_sigterm_outside_of_a_command(body, status) -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM.format(body=body)], check=False)
    assert done.returncode == status


def test_a_signal_that_the_caller_has_ignored_stays_ignored() -> None:
    program = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + _PROGRAM.format(body="terminate()")
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 3
