"""Stop: who is told to end, and from when on."""

from __future__ import annotations

import time

import pytest

from pulse_adapters.backends.stopping import Stop
from pulse_core.errors import RunInterrupted


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_nothing_is_raised_before_somebody_asks():
    stop = Stop()
    stop.check()
    assert (stop.reason, stop.overdue) == (None, False)


def test_an_idle_backend_ends_at_once_and_a_busy_one_after_the_grace(clock):
    stop = Stop(grace=3.0)
    stop.ask("SIGTERM")
    with pytest.raises(RunInterrupted, match=r"asked to stop by SIGTERM\. Run the same command again"):
        stop.check()
    clock[0] = 102.9
    stop.check(busy=True)
    clock[0] = 103.0
    with pytest.raises(RunInterrupted, match="asked to stop by SIGTERM, and what was under way was dropped"):
        stop.check(busy=True)


def test_the_first_reason_and_its_deadline_stay(clock):
    stop = Stop(grace=3.0)
    stop.ask("SIGTERM")
    clock[0] = 102.0
    stop.ask("SIGINT")
    clock[0] = 103.0
    assert (stop.reason, stop.overdue) == ("SIGTERM", True)


def test_whoever_asks_hears_whether_a_backend_is_at_work():
    stop = Stop()
    with stop.obeyed(), stop.obeyed():
        assert stop.ask("SIGTERM")
    assert not stop.ask("SIGTERM")


def test_by_default_a_run_ends_within_two_seconds():
    assert Stop().grace <= 1.0
