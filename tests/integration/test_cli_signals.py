"""A signal ends the run with 75, and the same command resumes to the same bits."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time

import pytest

from tests.integration.cli import PERIOD, command, digest, environment, events, train, write_series

pytestmark = pytest.mark.integration

WAITING = """
import pathlib, time

class Waiting:
    '''Stands still on the second variable while there is a file `wait`.'''
    def forecast(self, history, horizon):
        if history[0] > 500 and pathlib.Path("wait").exists():
            pathlib.Path("waiting").touch()
            time.sleep(60)
        return [history[-1]] * horizon
"""
HOW = ("--forecasters", "own:Waiting", "drift", "--unit-size", 1)


@pytest.fixture
def place(tmp_path):
    write_series(tmp_path / "data", "a", 100.0)
    write_series(tmp_path / "data", "b", 1000.0)
    (tmp_path / "own.py").write_text(WAITING)
    (tmp_path / "wait").touch()
    return tmp_path


def interrupted(place, number: signal.Signals, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Send a signal while the second variable is under way."""
    process = subprocess.Popen(
        command("train", "--variables", "a", "b", *PERIOD, *HOW, *arguments),
        cwd=place,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    first = [process.stdout.readline(), process.stdout.readline()]  # train_started, unit_finished
    while not (place / "waiting").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return subprocess.CompletedProcess(process.args, process.returncode, "".join([*first, out]), err)


def test_a_signal_before_the_run_ends_with_75(place) -> None:
    (place / "own.py").write_text(f"import os\nos.kill(os.getpid(), {signal.SIGTERM:d})\n{WAITING}")
    ended = train(place, *HOW)
    assert (ended.returncode, ended.stdout) == (75, "")
    assert ended.stderr == "pulse: interrupted by SIGTERM; nothing had begun\n"


def test_a_second_signal_ends_at_once_with_130() -> None:
    program = """
import os, signal
from pulse_entrypoints.signals import interruptible
with interruptible():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        os.kill(os.getpid(), signal.SIGINT)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 130


def test_a_signal_that_the_caller_ignores_stays_ignored() -> None:
    program = """
import os, signal
from pulse_entrypoints.signals import interruptible
signal.signal(signal.SIGINT, signal.SIG_IGN)
with interruptible():
    os.kill(os.getpid(), signal.SIGINT)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("backend", ["serial", "processes"])
def test_a_signal_ends_with_75_and_the_same_command_resumes(place, number, backend) -> None:
    how = ("--backend", backend, "--max-workers", 2)
    ended = interrupted(place, number, *how)
    assert ended.returncode == 75
    assert number.name in ended.stderr
    # of two variables with four batches each the first variable's may be done; both are then put together
    told = re.search(r"([1-4]) of 10 steps", ended.stderr)
    assert told is not None
    assert "The same command again resumes" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert events(ended.stdout)[-1]["event"] == "run_interrupted"

    (place / "wait").unlink()
    resumed = train(place, *HOW, *how)
    steps = [event for event in events(resumed.stdout) if "batch" in event]
    assert sum(step["recalled"] for step in steps) >= int(told[1])
    assert digest(resumed) == digest(train(place, *HOW, "--results", "elsewhere"))
