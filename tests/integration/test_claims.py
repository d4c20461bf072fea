"""Runs of the real command that find a run id claimed: they wait, are refused, or were suspended for too long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pulse_adapters.sinks import leases
from pulse_adapters.sinks.leases import TRAIN, Claim, claimed
from pulse_adapters.storage.folder import FolderStorage
from tests.integration.cli import FEW, PERIOD, command, environment, events, train, write_series

pytestmark = pytest.mark.integration

RUN = "nightly"
WORDS = ("train", "--variables", "a", "b", *PERIOD, *FEW, "--backend", "serial", "--run-id", RUN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        write_series(tmp_path / "data", name, 100.0)
    return tmp_path


@pytest.fixture
def spec(folder) -> str:
    """The hash of the spec: the id of a run that is given none."""
    done = train(folder, "--backend", "serial", "--results", "other")
    assert done.returncode == 0
    return str(events(done.stdout)[-1]["run_id"])


@contextmanager
def held(folder: Path, spec: str) -> Iterator[None]:
    """Hold the claim of the run id in this process."""
    with claimed(FolderStorage(folder / "results"), f"{RUN}/claim", Claim.of(RUN, TRAIN, spec), print):
        yield


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*WORDS, *more),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], event: str) -> dict[str, object]:
    """Read events until one of this name."""
    assert process.stdout is not None
    for line in process.stdout:
        if f'"{event}"' in line:
            return dict(json.loads(line))
    raise AssertionError(f"no {event}")


def test_the_same_run_waits_says_for_whom_and_goes_on(folder, spec):
    with held(folder, spec):
        process = started(folder)
        waiting = wait_for(process, "run_waiting")
        assert f"process {os.getpid()}" in str(waiting["message"])
        time.sleep(1.2)  # and says so once
        assert process.poll() is None
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "run_waiting" not in out
    assert (folder / "results" / RUN / "result.json").exists()
    assert not (folder / "results" / RUN / "claim").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_waits_hears_signals(folder, spec, number):
    with held(folder, spec):
        process = started(folder)
        wait_for(process, "run_waiting")
        process.send_signal(number)
        start = time.monotonic()
        _, error = process.communicate(timeout=60)
        assert time.monotonic() - start < 5
        assert process.returncode == 75
        assert "nothing had begun" in error
        assert os.listdir(folder / "results" / RUN) == ["claim"]  # noqa: PTH208  # names alone


def test_another_spec_is_refused_at_once(folder):
    with held(folder, "of another"):
        start = time.monotonic()
        process = started(folder)
        _, error = process.communicate(timeout=60)
        assert process.returncode == 2
        assert time.monotonic() - start < 20
    assert "under way in process" in error
    assert "choose another run id" in error


def test_a_slice_and_a_dry_run_neither_wait_nor_claim(folder, spec):
    with held(folder, spec):
        claim = folder / "results" / RUN / "claim"
        before = claim.read_bytes()
        for more in (("--slice", "0/2"), ("--dry-run",)):
            process = started(folder, *more)
            process.communicate(timeout=60)
            assert process.returncode == 0
        held_before, held_after = (leases.decoded(content) for content in (before, claim.read_bytes()))
        assert held_before is not None
        assert held_after is not None
        assert held_after.token == held_before.token


SUSPENDED = """
import sys
from pulse_adapters.sinks import leases

leases.RENEW_SECONDS, leases.LAPSE_SECONDS, leases.SAFE_SECONDS = 0.2, 1.0, 0.5
from pulse_entrypoints.cli.app import main

sys.exit(main(sys.argv[1:]))
"""


def test_a_run_that_was_suspended_for_too_long_publishes_nothing(folder, spec, monkeypatch):
    monkeypatch.setattr(leases, "LAPSE_SECONDS", 1.0)
    claim = folder / "results" / RUN / "claim"
    process = subprocess.Popen(
        [sys.executable, "-c", SUSPENDED, *WORDS, "--data", str(folder / "data")],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not claim.exists():
        time.sleep(0.001)
    process.send_signal(signal.SIGSTOP)
    with claimed(FolderStorage(folder / "results"), f"{RUN}/claim", Claim.of(RUN, TRAIN, spec), lambda _: None):
        pass
    process.send_signal(signal.SIGCONT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 75
    assert "was suspended" in error
    assert "nothing was published" in error
    assert not (folder / "results" / RUN / "result.json").exists()
