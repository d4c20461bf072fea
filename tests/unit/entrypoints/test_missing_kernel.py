"""A compiled kernel that is missing is one clear error, before any data is read, and no fault of a variable."""

from __future__ import annotations

import pytest

from pulse_core.kernel import bindings

PERIOD = ("--start-date", "2020-03-01", "--end-date", "2020-06-30", "--backend", "serial")
MISSING = "kernel_baseline.so: the compiled kernel is missing"


@pytest.fixture
def no_kernel(tmp_path, monkeypatch):
    """A folder without the compiled kernel, from which the bindings load."""
    folder = tmp_path / "kernel"
    folder.mkdir()

    def remove() -> None:
        monkeypatch.setattr(bindings, "files", lambda _: folder)
        bindings.library.cache_clear()

    yield remove
    bindings.library.cache_clear()


def test_check_is_not_ready_and_says_what_to_do(pulse, no_kernel) -> None:
    words = ("check", "--variables", "a", "b", *PERIOD)
    ready = pulse(*words)
    assert (ready.status, ready.document["ready"]) == (0, True)
    assert {"check": "kernel", "passed": True, "context": "", "message": "can be loaded", "hint": ""} in ready.document[
        "checks"
    ]
    no_kernel()
    done = pulse(*words)
    assert (done.status, done.document["ready"]) == (1, False)
    (check,) = [check for check in done.document["checks"] if not check["passed"]]
    assert (check["check"], check["context"], check["hint"]) == ("kernel", "kernel_baseline.so", bindings.HINT_BUILD)


@pytest.mark.parametrize("options", [(), ("--keep-going",)])
def test_a_training_ends_with_one_error_and_its_hint(pulse, no_kernel, options) -> None:
    no_kernel()
    done = pulse("train", "--variables", "a", "b", *PERIOD, "--quiet", *options)
    assert (done.status, done.out) == (1, "")
    assert done.err.splitlines() == ["pulse: the run failed", f"  - {MISSING}", f"{bindings.HINT_BUILD}."]


def test_a_forecast_ends_with_one_error_and_its_hint(pulse, no_kernel) -> None:
    pulse.train("r")
    no_kernel()
    done = pulse("forecast", "r", "--skip-failed")
    assert (done.status, done.out) == (1, "")
    assert done.err.splitlines() == ["pulse: forecast failed", f"  - {MISSING}", f"{bindings.HINT_BUILD}."]
