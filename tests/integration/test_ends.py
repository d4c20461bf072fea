"""Every end of the command has the status that was decided, whatever foreign code, streams and signals do about it."""

from __future__ import annotations

import os
import pty
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest

from pulse_entrypoints.settings import groups
from tests.integration.cli import FEW, PERIOD, command, environment, pulse, train, write_series

pytestmark = pytest.mark.integration

FORECASTER = """
import atexit, ctypes, os, signal, sys, threading, time

class Own:
    def forecast(self, history, horizon):
        {body}
        return [history[-1]] * horizon
"""
OWN = ("--forecasters", "own:Own", "drift")
SERIAL = (*OWN, "--backend", "serial")
IN_TIME = 30.0


@pytest.fixture
def folder(tmp_path):
    write_series(tmp_path / "data", "a", 100.0)
    write_series(tmp_path / "data", "b", 1000.0)
    return tmp_path


def with_own(folder: Path, body: str, before: str = "") -> None:
    (folder / "own.py").write_text(before + FORECASTER.format(body=body))


def started(folder: Path, *arguments: object, **options: object) -> subprocess.Popen[str]:
    words = command("train", "--variables", "a", "b", *PERIOD, *arguments)
    return subprocess.Popen(words, cwd=folder, env=environment(), text=True, start_new_session=True, **options)  # type: ignore[call-overload,no-any-return]


def wait_until_at_work(folder: Path, process: subprocess.Popen[Any]) -> None:
    while not (folder / "waiting").exists():
        assert process.poll() is None
        time.sleep(0.02)


def published(folder: Path) -> list[Path]:
    return list((folder / "results").glob("*/result.json"))


@pytest.mark.parametrize(
    "body",
    [
        "threading.Thread(target=time.sleep, args=(600,)).start()",
        "atexit.register(time.sleep, 600)",
        "threading.Thread(target=threading.Event().wait).start()",
    ],
    ids=["a thread", "a hook that hangs", "a thread that waits for ever"],
)
def test_what_a_forecaster_leaves_behind_does_not_keep_the_process(folder, body) -> None:
    with_own(folder, f"if len(history) == 70: {body}")
    start = time.monotonic()
    assert train(folder, *SERIAL).returncode == 0
    assert time.monotonic() - start < IN_TIME
    assert published(folder)


@pytest.mark.parametrize(
    "body",
    [
        "atexit.register(os._exit, 7)",
        "atexit.register(sys.exit, 7)",
        "atexit.register(os.kill, os.getpid(), signal.SIGTERM)",
        "atexit.register(os.kill, os.getpid(), signal.SIGHUP)",
        "atexit.register(os.kill, os.getpid(), signal.SIGINT)",
        "atexit.register(lambda: 1 / 0)",
        "sys.stdout.close()",
    ],
)
def test_no_hook_and_no_signal_changes_the_status(folder, body) -> None:
    with_own(folder, f"if len(history) == 70: {body}")
    assert train(folder, *SERIAL).returncode == 0


def test_a_forecaster_that_closes_every_file_of_the_process_leaves_no_traceback(folder) -> None:
    with_own(folder, "os.closerange(3, 200) if len(history) == 70 else None")
    assert "Traceback" not in train(folder, *SERIAL).stderr


@pytest.mark.parametrize("backend", ["serial", "processes"])
def test_a_process_that_a_forecaster_forks_does_not_go_on_as_a_second_run(folder, backend) -> None:
    with_own(folder, "os.fork() if len(history) == 70 else None")
    done = train(folder, *OWN, "--backend", backend, "--run-id", "once")
    assert (done.returncode, done.stdout.count('"run_finished"')) == (0, 1)
    assert pulse(folder, "runs", "verify", "once").returncode == 0


def test_hooks_of_libraries_run(folder) -> None:
    with_own(folder, "if len(history) == 70: atexit.register(print, 'farewell')")
    done = train(folder, *SERIAL)
    assert (done.returncode, "farewell" in done.stdout) == (0, True)


@pytest.mark.parametrize("body", ["os._exit(0)", "os._exit(3)", "sys.exit(0)", "raise SystemExit"])
@pytest.mark.parametrize("backend", ["serial", "processes"])
def test_a_forecaster_that_ends_the_process_has_failed(folder, body, backend) -> None:
    with_own(folder, body)
    done = train(folder, *OWN, "--backend", backend)
    assert (done.returncode, published(folder)) == (1, [])
    by_a_process = backend == "processes" and "os._exit" in body
    assert ("its process ended with exit status" if by_a_process else "forecaster 'own:Own'") in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interruption_that_no_signal_caused_is_a_failure(folder) -> None:
    """As one it would be tried again for ever."""
    with_own(folder, "raise KeyboardInterrupt")
    done = train(folder, *SERIAL)
    assert (done.returncode, published(folder), "KeyboardInterrupt" in done.stderr) == (1, [], True)


def test_a_thread_of_a_forecaster_that_ends_the_process_has_no_success(folder) -> None:
    with_own(folder, "threading.Thread(target=os._exit, args=(0,)).start(); time.sleep(5)")
    done = train(folder, *SERIAL)
    assert (done.returncode, published(folder)) == (1, [])
    assert "called os._exit(0)" in done.stderr


@pytest.mark.parametrize("line", ["os._exit(0)", "sys.exit(0)", "sys.exit()"])
def test_a_module_that_ends_the_process_while_it_is_imported_has_no_success(folder, line) -> None:
    with_own(folder, "pass", before=f"import os, sys\n{line}\n")
    done = train(folder, *SERIAL)
    assert done.returncode in {1, 2}
    assert not published(folder)
    assert "Traceback" not in done.stderr


def test_a_forecaster_may_end_a_process_that_it_has_forked(folder) -> None:
    fork = "pid = os.fork() if len(history) == 70 else -1\n        os._exit(0) if pid == 0 else None"
    with_own(folder, fork)
    assert train(folder, *SERIAL).returncode == 0


WAITS = "open('waiting', 'w').close() if not os.path.exists('go') else None\n        time.sleep(0.2)"


@pytest.mark.parametrize("backend", ["serial", "processes"])
@pytest.mark.parametrize("whole_group", [True, False])
def test_a_hangup_interrupts_the_run_which_resumes(folder, backend, whole_group) -> None:
    with_own(folder, WAITS)
    arguments = (*OWN, "--backend", backend, "--max-workers", 2, "--unit-size", 1)
    process = started(folder, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until_at_work(folder, process)
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGHUP)
    _, err = process.communicate(timeout=IN_TIME)
    assert (process.returncode, "SIGHUP" in err, "Traceback" in err) == (75, True, False)
    (folder / "go").touch()
    with_own(folder, "pass")
    assert train(folder, *arguments).returncode == 0


def test_a_terminal_that_closes_interrupts_the_run(folder) -> None:
    with_own(folder, WAITS)
    near, far = pty.openpty()
    words = command("train", "--variables", "a", "b", *PERIOD, *SERIAL)
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *words], cwd=folder, env=environment(), stdin=far, stdout=far, stderr=far
    )
    os.close(far)
    wait_until_at_work(folder, process)
    os.close(near)
    assert process.wait(IN_TIME) == 75


def test_a_hangup_is_ignored_under_nohup(folder) -> None:
    with_own(folder, "open('waiting', 'w').close()\n        time.sleep(0.02)")
    words = command("train", "--variables", "a", "b", *PERIOD, *SERIAL)
    process = subprocess.Popen(
        ["nohup", *words], cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_until_at_work(folder, process)
    process.send_signal(signal.SIGHUP)
    assert process.wait(IN_TIME) == 0


@pytest.mark.parametrize("backend", ["serial", "processes"])
def test_a_signal_after_the_end_was_decided_keeps_the_status(folder, backend) -> None:
    """At every 4 ms around the end of the run, which a line of its log shows: 0, or 75 and nothing published."""
    train(folder, "--backend", backend)
    for delay in range(0, 60, 4):
        process = started(folder, *FEW, "--fresh", "--backend", backend, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        for line in process.stdout:
            if '"run_finished"' in line:
                break
        time.sleep(delay / 1000)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=IN_TIME)
        assert process.returncode in {0, 75}, err
        if process.returncode == 75:
            assert "nothing had begun" not in err


def full(path: str = "/dev/full") -> int:
    return os.open(path, os.O_WRONLY)


def limited(size: int) -> Callable[[], None]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize(
    "words",
    [("--version",), ("--help",), ("train", "--help"), ("data", "list"), ("data", "check"), ("plugins",), ("check",)],
    ids=" ".join,
)
def test_an_answer_that_stdout_cannot_take_is_a_failure(folder, words) -> None:
    done = subprocess.run(
        command(*words), cwd=folder, env=environment(), stdout=full(), stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 1
    assert "stdout: cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_result_that_stdout_cannot_take_is_a_failure_and_a_log_is_none(folder) -> None:
    statuses = [started(folder, *FEW, *more, stdout=full(), stderr=full()).wait(IN_TIME) for more in ((), ("--json",))]
    assert statuses == [0, 1]
    assert published(folder)


@pytest.mark.parametrize("words", [("train", "--variables", "a", *PERIOD, *FEW), ("data", "list"), ("--help",)])
def test_a_reader_that_has_gone_and_streams_that_are_closed_harm_nothing(folder, words) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    gone = subprocess.run(
        command(*words), cwd=folder, env=environment(), stdout=writing, stderr=subprocess.PIPE, check=False
    )
    closed = subprocess.run(
        ["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *command(*words)], cwd=folder, env=environment(), check=False
    )
    assert (gone.returncode, gone.stderr, closed.returncode) == (0, b"", 0)


def test_no_file_of_the_program_takes_the_number_of_a_closed_stream(folder) -> None:
    """Else what foreign code prints would stand in the log, or in a record."""
    with_own(folder, "os.write(1, b'printed'); os.write(2, b'printed')")
    words = command("train", "--variables", "a", *PERIOD, *SERIAL)
    done = subprocess.run(["sh", "-c", '"$@" >&- 2>&-', "sh", *words], cwd=folder, env=environment(), check=False)
    assert done.returncode == 0
    texts = [path.read_bytes() for top in ("results", "logs") for path in (folder / top).rglob("*") if path.is_file()]
    assert len(texts) > 3
    assert not any(b"printed" in text for text in texts)


@pytest.mark.parametrize("backend", ["serial", "processes"])
def test_a_forecaster_that_prints_is_not_failed_by_a_full_stdout(folder, backend) -> None:
    with_own(folder, "print('x' * 9000)")
    process = started(folder, *OWN, "--backend", backend, stdout=full(), stderr=subprocess.PIPE)
    _, err = process.communicate(timeout=IN_TIME)
    assert (process.returncode, "Traceback" in err) == (0, False)


@pytest.mark.parametrize("size", [0, 512, 4096])
@pytest.mark.parametrize(
    "words", [("train", "--variables", "a", *PERIOD, *FEW), ("data", "list"), ("init", "all.toml")]
)
def test_a_limit_on_the_size_of_files_is_told(folder, words, size) -> None:
    assert pulse(folder, "--version").returncode == 0  # the program's own first lines are compiled before
    with (folder / "out").open("wb") as out:
        done = subprocess.run(
            command(*words),
            cwd=folder,
            env=environment(),
            stdout=out,
            stderr=subprocess.PIPE,
            preexec_fn=limited(size),
            text=True,
            check=False,
        )
    assert "Traceback" not in done.stderr
    assert done.returncode in {0, 1}
    if done.returncode == 1:
        assert "File too large" in done.stderr
    else:
        assert size


def test_a_limit_on_the_size_of_files_does_not_damage_bytecode(folder) -> None:
    """Python 3.11 writes as much of it as it may, and believes that afterwards."""
    assert pulse(folder, "init", "one.toml").returncode == 0
    cached = Path(cache_from_source(str(Path(groups.__file__))))
    cached.unlink()
    subprocess.run(
        command("init", "two.toml"),
        cwd=folder,
        env=environment(),
        stderr=subprocess.DEVNULL,
        preexec_fn=limited(128),
        check=False,
    )
    assert pulse(folder, "init", "three.toml").returncode == 0


@pytest.mark.parametrize("more", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_an_ascii_stdout_gets_escapes(folder, more) -> None:
    write_series(folder / "data", "caf\N{LATIN SMALL LETTER E WITH ACUTE}", 100.0)
    for words in (("data", "list"), ("--help",), ("forecast", "--help")):
        done = pulse(folder, *words, env=more)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    listed = pulse(folder, "data", "list", env={"PYTHONIOENCODING": "ascii"})
    assert "caf\\xe9" in listed.stdout


def test_a_reader_that_has_stopped_reading_does_not_make_the_run_deaf(folder) -> None:
    with_own(folder, "sys.stderr.write('x' * 4096); sys.stderr.flush(); open('waiting', 'w').close()")
    reading, writing = os.pipe()
    process = started(folder, *SERIAL, stdout=subprocess.DEVNULL, stderr=writing)
    wait_until_at_work(folder, process)
    time.sleep(1.0)
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(IN_TIME) == 75
    assert time.monotonic() - start < 4.0
    os.close(reading)
    os.close(writing)


def test_a_stdout_that_another_program_made_non_blocking_is_waited_for(folder) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    process = subprocess.Popen(command("check", "--help"), cwd=folder, env=environment(), stdout=writing)
    os.close(writing)
    time.sleep(1.0)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    assert process.wait(IN_TIME) == 0
    assert text.endswith(b"\n")
