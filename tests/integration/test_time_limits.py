"""A unit that takes too long is failed on every backend, whatever it does meanwhile; the others are not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pulse.testing.tasks import units
from pulse_adapters.backends.dask.backend import DaskBackend
from pulse_adapters.backends.dask.cluster import LocalWorkers
from pulse_adapters.backends.processes.backend import ProcessesBackend
from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.backends.time_limit import UnitOverdue, time_limit
from pulse_core.ports import Done, Failed
from tests.integration.cli import PERIOD, pulse, write_series
from tests.tasks import Overlong

pytestmark = pytest.mark.integration

TIMEOUT = 1.0
IN_TIME = 20.0
BACKENDS: dict[str, Callable[[], Any]] = {
    "serial": lambda: SerialBackend(unit_timeout=TIMEOUT),
    "processes": lambda: ProcessesBackend(max_workers=2, unit_timeout=TIMEOUT),
    "dask": lambda: DaskBackend(LocalWorkers(workers=2), unit_timeout=TIMEOUT),
}
WHATEVER = ("sleep", "spin", "lock", "swallow")
NEVER_RETURNS = ("library", "stubborn")


@pytest.mark.parametrize(
    ("backend", "act"),
    [
        *(("serial", act) for act in WHATEVER),
        *(("processes", act) for act in (*WHATEVER, *NEVER_RETURNS)),
        *(("dask", act) for act in ("spin", "sleep", "library", "stubborn")),
    ],
)
def test_a_unit_that_takes_too_long_is_failed_and_the_others_are_done(backend, act) -> None:
    start = time.monotonic()
    outcomes = list(BACKENDS[backend]().run(Overlong(act, 2), units(6)))
    assert time.monotonic() - start < IN_TIME
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    assert [outcome.unit.index for outcome in failed] == [2]
    assert len([outcome for outcome in outcomes if isinstance(outcome, Done)]) == 5
    error = failed[0].error
    assert error.message == "took longer than 1 s, the limit of --unit-timeout"
    assert error.context.startswith("unit 2 (")
    assert "--unit-timeout" in error.hint


@pytest.mark.parametrize("backend", ["serial", "processes"])
def test_no_limit_holds_none(backend) -> None:
    of: dict[str, Any] = {"serial": SerialBackend(), "processes": ProcessesBackend(max_workers=2, worth_seconds=0)}
    outcomes = list(of[backend].run(Overlong("short", 2), units(4)))
    assert all(isinstance(outcome, Done) for outcome in outcomes)


def test_a_limit_that_was_not_reached_leaves_nothing_behind() -> None:
    for _ in range(20):
        with time_limit(0.05):
            pass
    time.sleep(0.2)  # an alarm that came late would end this process


def test_a_limit_in_another_thread_ends_what_it_does() -> None:
    ended: list[type[BaseException]] = []

    def work() -> None:
        try:
            with time_limit(0.2):
                while True:
                    pass
        except UnitOverdue as error:
            ended.append(type(error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(IN_TIME)
    assert ended == [UnitOverdue]


@pytest.mark.parametrize("backend", ["serial", "processes"])
def test_a_forecaster_that_swallows_every_exception_is_ended_all_the_same(tmp_path, backend) -> None:
    write_series(tmp_path / "data", "a", 100.0)
    write_series(tmp_path / "data", "b", 1000.0)
    (tmp_path / "own.py").write_text(
        "import time\n\nclass Own:\n    def forecast(self, history, horizon):\n"
        "        while history[0] > 500:\n            try:\n                time.sleep(600)\n"
        "            except BaseException:\n                pass\n        return [history[-1]] * horizon\n"
    )
    own = ("--forecasters", "own:Own", "drift", "--unit-size", 1, "--batch-size-days", 365, "--keep-going")
    words = ("train", "--variables", "a", "b", *PERIOD, *own, "--backend", backend, "--unit-timeout", "2.5")
    done = pulse(tmp_path, *words)
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
    assert "(b): took longer than 2.5 s, the limit of --unit-timeout" in done.stderr


@pytest.mark.parametrize("backend", ["serial", "processes"])
@pytest.mark.parametrize("layer", ["option", "environment", "file"])
def test_a_forecaster_that_hangs_fails_its_variable_by_name(tmp_path, backend, layer) -> None:
    write_series(tmp_path / "data", "a", 100.0)
    write_series(tmp_path / "data", "b", 1000.0)
    (tmp_path / "own.py").write_text(
        "import time\n\nclass Own:\n    def forecast(self, history, horizon):\n"
        "        time.sleep(600 if history[0] > 500 else 0)\n        return [history[-1]] * horizon\n"
    )
    (tmp_path / "pulse.toml").write_text("unit_timeout = 2.5\n")
    arguments = {"option": ("--unit-timeout", "2.5"), "environment": (), "file": ("--config", "pulse.toml")}[layer]
    own = ("--forecasters", "own:Own", "drift", "--unit-size", 1, "--batch-size-days", 365, "--keep-going")
    words = ("train", "--variables", "a", "b", *PERIOD, *own, "--backend", backend, *arguments)
    done = pulse(tmp_path, *words, env={"PULSE_UNIT_TIMEOUT": "2.5"} if layer == "environment" else {})
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
    assert "(b): took longer than 2.5 s, the limit of --unit-timeout" in done.stderr
