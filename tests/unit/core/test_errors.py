"""Errors have a message, a context and a hint, and survive the way back from another process."""

from __future__ import annotations

import pickle

import pytest

import pulse_core
from pulse_core import (
    Failure,
    InvalidSpec,
    MalformedData,
    PulseError,
    RunFailed,
    RunResult,
    SettingsError,
    TooLittleData,
    UnitCounts,
    VariableNotFound,
)
from pulse_core.plan import batches
from tests.unit.core.runs import spec_of

EXPORTED = [getattr(pulse_core, name) for name in pulse_core.__all__]
PULSE_ERRORS = [kind for kind in EXPORTED if isinstance(kind, type) and issubclass(kind, PulseError)]
PLAIN = [kind for kind in PULSE_ERRORS if kind.__init__ is PulseError.__init__]
SETTINGS = [kind for kind in PULSE_ERRORS if issubclass(kind, SettingsError)]


def run_failed() -> RunFailed:
    spec = spec_of("a", "b")
    failure = Failure("a", "VariableNotFound", "no variable 'a'", "memory", "Near: b")
    counts = UnitCounts(planned=2, failed=1)
    result = RunResult(run_id="r", spec=spec, batches=batches(spec), variables=(), failures=(failure,), units=counts)
    return RunFailed([failure], result)


@pytest.mark.parametrize("kind", PLAIN)
def test_an_error_survives_pickling(kind):
    again = pickle.loads(pickle.dumps(kind("it is broken", "data.csv", "Repair it")))
    assert type(again) is kind
    assert (again.message, again.context, again.hint) == ("it is broken", "data.csv", "Repair it")


@pytest.mark.parametrize("kind", SETTINGS)
def test_an_error_of_settings_survives_pickling(kind):
    again = pickle.loads(pickle.dumps(kind(["one", "two"])))
    assert type(again) is kind
    assert again.problems == ("one", "two")


def test_a_failed_run_survives_pickling():
    error = run_failed()
    again = pickle.loads(pickle.dumps(error))
    assert (again.failures, again.result, str(again)) == (error.failures, error.result, str(error))


def test_every_error_is_covered_here():
    assert set(PULSE_ERRORS) == {*PLAIN, *SETTINGS, RunFailed}


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PulseError("it is broken"), "it is broken"),
        (PulseError("it is broken", "data.csv"), "data.csv: it is broken"),
        (PulseError("it is broken", hint="Repair it"), "it is broken. Repair it"),
        (PulseError("it is broken", "data.csv", "Repair it"), "data.csv: it is broken. Repair it"),
        (InvalidSpec(["one", "two"]), "one; two"),
        (run_failed(), "1 of 2 variables failed. Correct the failed variables"),
        (run_failed().failures[0], "memory: a: no variable 'a'. Near: b"),
    ],
    ids=["bare", "with context", "with hint", "complete", "settings", "run", "failure"],
)
def test_an_error_reads_as_a_sentence(error, text):
    assert str(error) == text


def test_a_failure_keeps_every_field_of_its_error():
    failure = Failure.of("x", VariableNotFound("no variable 'x'", "data", "Near: y"))
    assert failure == Failure("x", "VariableNotFound", "no variable 'x'", "data", "Near: y")


@pytest.mark.parametrize(
    ("count", "begins", "ends"),
    [(1, "fault 0", "fault 0"), (20, "20 faults: fault 0;", "fault 19"), (23, "23 faults: ", "and 3 more")],
)
def test_many_faults_of_a_source_are_reported_with_the_first_twenty(count, begins, ends):
    error = MalformedData.from_faults([f"fault {number}" for number in range(count)], "x.csv", "Repair it")
    assert error.message.startswith(begins)
    assert error.message.endswith(ends)


@pytest.mark.parametrize("kind", [VariableNotFound, MalformedData, TooLittleData])
def test_faults_of_data_are_data_errors(kind):
    assert issubclass(kind, pulse_core.DataError)
