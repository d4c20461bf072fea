"""A signal ends the run with 75, and the same command resumes to the same bits."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from pulse_entrypoints.cli.logging import LOG_FILE
from pulse_entrypoints.cli.signals import interruptible
from tests.integration.cli import PERIOD, command, digest, environment, events, train, write_series

pytestmark = pytest.mark.integration

WAITING = """
import pathlib, time

class Waiting:
    '''Stands still on the second variable while there is a file `wait`.'''
    def forecast(self, history, horizon):
        while history[0] > 500 and pathlib.Path("wait").exists():
            pathlib.Path("waiting").touch()
            time.sleep(0.01)
        return [history[-1]] * horizon
"""
STUBBORN = """
import pathlib, time

class Waiting:
    '''Lets nothing end it.'''
    def forecast(self, history, horizon):
        while pathlib.Path("wait").exists():
            pathlib.Path("waiting").touch()
            try:
                time.sleep(60)
            except BaseException:
                pass
        return [history[-1]] * horizon
"""
IN_A_LIBRARY = """
import hashlib, pathlib

class Waiting:
    '''Is for minutes inside one call of a library, which does not hold Python's lock.'''
    def forecast(self, history, horizon):
        if pathlib.Path("wait").exists():
            pathlib.Path("waiting").touch()
            hashlib.pbkdf2_hmac("sha256", b"", b"", 1_000_000_000)
        return [history[-1]] * horizon
"""
LOCKED_IN_A_LIBRARY = """
import ctypes, pathlib

class Waiting:
    '''Is for a minute inside one call of a library, which holds Python's lock.'''
    def forecast(self, history, horizon):
        if pathlib.Path("wait").exists():
            pathlib.Path("waiting").touch()
            ctypes.PyDLL(None).usleep(60_000_000)
        return [history[-1]] * horizon
"""
HOLDS_THE_LOCK = """
import pathlib

class Waiting:
    '''Lets nothing end it, and runs C code that holds Python's lock for hundredths of a second each.'''
    def forecast(self, history, horizon):
        while pathlib.Path("wait").exists():
            pathlib.Path("waiting").touch()
            try:
                sum(range(1_000_000))
            except BaseException:
                pass
        return [history[-1]] * horizon
"""
MOST_SECONDS = 2.0
HOW = ("--forecasters", "own:Waiting", "drift", "--unit-size", 1)
BACKENDS = {
    "serial": ("--backend", "serial"),
    "processes": ("--backend", "processes", "--max-workers", 2),
    "dask": ("--use-dask", "--dask-local", "--dask-workers", 2, "--dask-dashboard-port", 0),
}
PID_1 = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")


def prepared(folder: Path) -> Path:
    write_series(folder / "data", "a", 100.0)
    write_series(folder / "data", "b", 1000.0)
    (folder / "own.py").write_text(WAITING)
    return folder


@pytest.fixture
def place(tmp_path):
    (prepared(tmp_path) / "wait").touch()
    return tmp_path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> str:
    """The digest of a run that nothing disturbed."""
    return digest(train(prepared(tmp_path_factory.mktemp("undisturbed")), *HOW, "--backend", "serial"))


def started(place, *arguments: object, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start a run and wait until its second variable is under way."""
    process = subprocess.Popen(
        [*before, *command("train", "--variables", "a", "b", *PERIOD, *HOW, *arguments)],
        cwd=place,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (place / "waiting").exists():
        assert process.poll() is None
        time.sleep(0.02)
    return process


def ended(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def alive_in_session(number: int, seconds: float = 1.0) -> list[int]:
    """Return the processes of a session that are there still after so many seconds; `ended` has reaped its leader."""
    until = time.monotonic() + seconds
    while (members := list(_members(number))) and time.monotonic() < until:
        time.sleep(0.02)
    return members


def _members(session: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, *fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == session and state != "Z":
                yield int(stat.parent.name)


def heard(process: subprocess.Popen[str]) -> str:
    """Return the line that says that a signal was heard."""
    assert process.stderr is not None
    return process.stderr.readline()


def test_a_signal_before_the_run_ends_with_75(place) -> None:
    (place / "own.py").write_text(f"import os\nos.kill(os.getpid(), {signal.SIGTERM:d})\n{WAITING}")
    done = train(place, *HOW)
    assert (done.returncode, done.stdout) == (75, "")
    assert done.stderr == "pulse: interrupted by SIGTERM; nothing had begun\n"


@pytest.mark.parametrize(
    ("backend", "number"),
    [
        ("serial", signal.SIGINT),
        ("serial", signal.SIGTERM),
        ("processes", signal.SIGTERM),
        ("processes", signal.SIGINT),
        ("dask", signal.SIGTERM),
    ],
)
def test_what_is_under_way_is_finished_and_the_same_command_resumes(place, number, backend, undisturbed) -> None:
    process = started(place, *BACKENDS[backend], "--grace-seconds", 20)
    process.send_signal(number)
    assert f"{number.name}: finishing what is under way, for at most 20 s" in heard(process)
    (place / "wait").unlink()
    done = ended(process)
    assert (done.returncode, "Traceback" in done.stderr) == (75, False)
    told = re.search(rf"asked to stop by {number.name}; ([1-9]) of 10 steps are done", done.stderr)
    assert told is not None
    assert "The same command again resumes" in done.stderr
    assert events(done.stdout)[-1]["event"] == "run_interrupted"
    # the step that waited was finished: it is among those that were told of
    steps = [event for event in events(done.stdout) if "batches" in event and event["event"] == "unit_finished"]
    assert any("b" in step["variables"] for step in steps)

    resumed = train(place, *HOW, "--backend", "serial")
    recalled = [event for event in events(resumed.stdout) if "batches" in event and event["event"] == "unit_finished"]
    assert sum(step["recalled"] for step in recalled) >= int(told[1])
    assert digest(resumed) == undisturbed


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_does_not_finish_in_its_grace_is_dropped(place, backend, undisturbed) -> None:
    process = started(place, *BACKENDS[backend], "--grace-seconds", 0.5)
    process.send_signal(signal.SIGTERM)
    done = ended(process)
    assert (done.returncode, "Traceback" in done.stderr) == (75, False)
    assert "ended by SIGTERM, and what was under way was dropped" in done.stderr
    (place / "wait").unlink()
    assert digest(train(place, *HOW, "--backend", "serial")) == undisturbed


@pytest.mark.parametrize(
    "forecaster",
    [STUBBORN, HOLDS_THE_LOCK, IN_A_LIBRARY],
    ids=["catches everything", "holds the lock in turns", "inside a library"],
)
def test_a_run_ends_in_time_whatever_its_main_thread_does(place, forecaster, undisturbed) -> None:
    (place / "own.py").write_text(forecaster)
    process = started(place, "--backend", "serial")
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    done = ended(process)
    assert (done.returncode, time.monotonic() - began < MOST_SECONDS) == (75, True)
    assert "interrupted by SIGTERM, and ended by force; the same command again resumes" in done.stderr
    last = events((place / "logs" / LOG_FILE).read_text())[-1]
    assert (last["event"], "ended by force" in last["message"]) == ("run_interrupted", True)

    (place / "wait").unlink()
    (place / "own.py").write_text(WAITING)
    assert digest(train(place, *HOW, "--backend", "serial")) == undisturbed


def test_workers_inside_a_library_that_holds_the_lock_end_with_the_run(place, undisturbed) -> None:
    (place / "own.py").write_text(LOCKED_IN_A_LIBRARY)
    process = started(place, *BACKENDS["processes"])
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    done = ended(process)
    assert (done.returncode, time.monotonic() - began < MOST_SECONDS) == (75, True)
    assert not alive_in_session(process.pid)


def test_a_second_ctrl_c_ends_at_once(place) -> None:
    process = started(place)
    process.send_signal(signal.SIGTERM)
    heard(process)
    process.send_signal(signal.SIGINT)
    assert ended(process).returncode == 130


def test_a_second_sigterm_changes_nothing(place) -> None:
    process = started(place, "--grace-seconds", 20)
    process.send_signal(signal.SIGTERM)
    heard(process)
    process.send_signal(signal.SIGTERM)
    (place / "wait").unlink()
    assert ended(process).returncode == 75


def test_all_processes_of_a_service_may_be_told_to_end(place) -> None:
    process = started(place, *BACKENDS["processes"], "--grace-seconds", 20)
    os.killpg(process.pid, signal.SIGTERM)
    heard(process)
    (place / "wait").unlink()
    done = ended(process)
    assert (done.returncode, "failed" in done.stderr) == (75, False)
    steps = [event for event in events(done.stdout) if "batches" in event and event["event"] == "unit_finished"]
    assert any("b" in step["variables"] for step in steps)


def test_the_first_process_of_a_container_hears_them_too(place) -> None:
    # the kernel keeps a signal from a first process that has no handler for it
    process = started(place, "--grace-seconds", 0.5, before=PID_1)
    (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(first), signal.SIGTERM)
    done = ended(process)
    assert done.returncode == 75
    assert "SIGTERM" in done.stderr


def test_a_signal_that_the_caller_ignores_stays_ignored() -> None:
    program = """
import os, signal
from pulse_entrypoints.cli.signals import interruptible
signal.signal(signal.SIGINT, signal.SIG_IGN)
with interruptible():
    os.kill(os.getpid(), signal.SIGINT)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_sigterm_while_python_exits_changes_no_status() -> None:
    # Python calls the C function, which waits for input, when it has taken its own signal handlers away
    program = """
import ctypes, sys
ctypes.pythonapi.Py_AtExit(ctypes.cast(ctypes.CDLL(None).getchar, ctypes.c_void_p))
from pulse_entrypoints.cli.program import pulse
sys.argv = ["pulse", "--version"]
pulse()
"""
    words = [sys.executable, "-c", program]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() != ""
        time.sleep(1)  # from its last words to the end of Python
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_afterwards_the_handlers_are_those_of_before() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in numbers] == before
