"""`pulse train --use-dask` against schedulers and workers that were started by hand, and killed."""

from __future__ import annotations

import subprocess
import time

import pytest

from tests.integration.cli import PERIOD, command, digest, environment, events, pulse, train, write_series
from tests.servers.dask_cluster import dask_processes, free_port

pytestmark = pytest.mark.integration

SAMPLE = ("train", "--data", "sample", "--start-date", "2017-01-01", "--unit-size", 1)
SLOW = """
import pathlib, time

class Waiting:
    '''Takes a while, and stands still while there is a file `wait`.'''
    def forecast(self, history, horizon):
        while pathlib.Path("wait").exists():
            pathlib.Path(f"waiting-{__import__('os').getpid()}").touch()
            time.sleep(0.01)
        return [history[-1]] * horizon
"""
HOW = ("--forecasters", "own:Waiting", "drift", "--unit-size", 1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with dask_processes(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def place(tmp_path):
    for number, name in enumerate("ab"):
        write_series(tmp_path / "data", name, 100.0 + number)
    (tmp_path / "own.py").write_text(SLOW)
    return tmp_path


def started(place, address: str) -> subprocess.Popen[str]:
    """Start a run and wait until two workers stand still in it."""
    (place / "wait").touch()
    process = subprocess.Popen(
        command("train", "--variables", "a", "b", *PERIOD, *HOW, "--use-dask", "--dask-scheduler-address", address),
        cwd=place,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(list(place.glob("waiting-*"))) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process


def ended(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    out, err = process.communicate(timeout=90)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def test_the_digest_is_that_of_the_serial_backend(cluster, tmp_path) -> None:
    there = pulse(tmp_path, *SAMPLE, "--use-dask", "--dask-scheduler-address", cluster.address, "--results", "there")
    here = pulse(tmp_path, *SAMPLE, "--backend", "serial", "--results", "here")
    assert digest(there) == digest(here)
    (connected,) = (event for event in events(there.stdout) if event["event"] == "dask_connected")
    assert connected["scheduler"] == f"tcp://{cluster.address}"


def test_a_worker_that_is_killed_costs_nothing_but_time(place, tmp_path_factory) -> None:
    expected = digest(train(place, *HOW, "--backend", "serial", "--results", "here"))
    with dask_processes(place) as cluster:
        process = started(place, cluster.address)
        cluster.kill_worker()
        (place / "wait").unlink()
        assert digest(ended(process)) == expected


@pytest.mark.parametrize("comes_back", [True, False], ids=["comes back", "stays away"])
def test_a_scheduler_that_is_killed(place, comes_back) -> None:
    expected = digest(train(place, *HOW, "--backend", "serial", "--results", "here"))
    with dask_processes(place) as cluster:
        process = started(place, cluster.address)
        cluster.close()
        (place / "wait").unlink()
        if comes_back:
            cluster.start_scheduler()
            cluster.start_worker()
            assert digest(ended(process)) == expected
        else:
            done = ended(process)
            assert (done.returncode, "Traceback" in done.stderr) == (75, False)
            assert "the Dask scheduler was lost" in done.stderr
            assert "The same command again resumes" in done.stderr
    assert digest(train(place, *HOW, "--backend", "serial")) == expected


def test_a_scheduler_that_nobody_started_is_an_error_with_the_mend(place) -> None:
    address = f"127.0.0.1:{free_port()}"
    done = train(place, "--use-dask", "--dask-scheduler-address", address)
    assert done.returncode == 1
    assert f"tcp://{address}: no Dask scheduler answers" in done.stderr
    assert "dask scheduler" in done.stderr
    assert not list(place.glob("results/*"))
