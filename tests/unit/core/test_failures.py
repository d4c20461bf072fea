"""What fails is named and harms nothing beside it."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from pulse_core import (
    DataError,
    InvalidSpec,
    KernelUnavailable,
    PulseError,
    RunFailed,
    StoreUnavailable,
    UnitFailed,
    VariableNotFound,
)
from pulse_core.runs.attempts import attempt
from pulse_core.scores.measures import MEASURES
from tests.fakes import FakeSink, FakeStore
from tests.strategies import ALL_NAMES
from tests.unit.core.engines import Losing
from tests.unit.core.models import Fixed, LastThree, OnlyAbove, custom
from tests.unit.core.runs import failures, records_of, run, series, spec_of, training

LOW = series([1.0, 3.0, 2.0, 5.0, 4.0, 6.0], "low")
HIGH = series([101.0, 103.0, 102.0, 105.0, 104.0, 106.0], "high")
LOWER = series([0.1, 0.3, 0.2, 0.5, 0.4, 0.6], "lower")
ALL = (HIGH, LOW, LOWER)
SPEC = spec_of("low", "high", "lower", days=6, forecasters=("naive", "tests:Own"))

FAULTS = {
    "raises": (ZeroDivisionError("no such thing"), "ZeroDivisionError: no such thing"),
    "too few": ([1.0], "returned shape (1,), expected (2,)"),
    "too many": ([1.0, 2.0, 3.0], "returned shape (3,), expected (2,)"),
    "one number": (1.0, "returned shape (), expected (2,)"),
    "two dimensions": ([[1.0, 2.0]], "returned shape (1, 2), expected (2,)"),
    "infinite": ([1.0, np.inf], "returned an infinite forecast"),
    "text": (["one", "two"], "returned what is no array of numbers: texts"),
    "nothing": (None, "returned shape (), expected (2,)"),
}


@pytest.mark.parametrize(("fault", "message"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("unit_size", [1, 2, 3])
def test_a_user_s_forecaster_that_fails_fails_only_its_own_variable(fault, message, unit_size):
    named = failures(*ALL, spec=SPEC, forecasters=(custom(OnlyAbove(fault)),), unit_size=unit_size)
    assert list(named) == ["high"]
    assert named["high"].startswith("forecaster 'tests:Own' with a history of 2: high: ")
    assert message in named["high"]


def test_variables_beside_one_that_fails_have_the_bits_they_have_alone():
    forecasters = (custom(OnlyAbove(RuntimeError("no"))),)
    beside = run(ALL, SPEC, forecasters=forecasters).variables
    alone = [
        run(observations, attrs.evolve(SPEC, variables=(observations.variable,)), forecasters=forecasters)
        for observations in (LOW, LOWER)
    ]
    assert beside == tuple(result.variables[0] for result in alone)


def test_an_origin_at_which_a_user_s_forecaster_says_nan_is_not_scored():
    result = run(
        LOW, spec_of("low", days=6, horizon=1, forecasters=("naive", "tests:Own")), forecasters=(custom(LastThree()),)
    )
    assert result.failures == ()
    assert result.variables[0].scores[:, 0, MEASURES.index("n")].tolist() == [4, 3]


def test_without_keep_going_one_failed_variable_fails_the_run_and_publishes_nothing():
    sink = FakeSink()
    with pytest.raises(RunFailed, match=r"1 of 2 variables failed.*keep_going") as raised:
        training(LOW, sink=sink).execute(spec_of("low", "high", days=6))
    assert [failure.variable for failure in raised.value.failures] == ["high"]
    assert [summary.variable for summary in raised.value.result.variables] == ["low"]
    assert sink.runs == []


def test_without_keep_going_what_succeeded_is_recorded():
    sink = FakeSink()
    with pytest.raises(RunFailed):
        training(LOW, sink=sink).execute(spec_of("low", "high", days=6))
    assert {record.variable for record in records_of(sink).values()} == {"low"}


def test_with_keep_going_the_others_are_published_and_the_failure_is_named():
    sink = FakeSink()
    result = training(LOW, sink=sink, keep_going=True).execute(spec_of("low", "lov", days=6))
    assert [summary.variable for summary in sink.runs[0].variables] == ["low"]
    assert [(failure.variable, failure.kind) for failure in result.failures] == [("lov", "VariableNotFound")]
    assert "Near: low" in str(result.failures[0])


@pytest.mark.parametrize("keep_going", [True, False])
def test_a_run_in_which_all_failed_fails(keep_going):
    sink = FakeSink()
    with pytest.raises(RunFailed, match="2 of 2 variables failed"):
        training(sink=sink, keep_going=keep_going).execute(spec_of("a", "b"))
    assert sink.runs == []


def test_failures_are_counted_and_in_name_order():
    result = training(LOW, keep_going=True, unit_size=1).execute(spec_of("z", "low", "a", days=6))
    assert [failure.variable for failure in result.failures] == ["a", "z"]
    assert (result.units.planned, result.units.computed, result.units.failed) == (3, 1, 2)


@pytest.mark.parametrize("error", [UnitFailed("its process died"), StoreUnavailable("gone", "there", "Look")], ids=repr)
def test_a_unit_that_the_backend_lost_fails_all_its_variables_with_its_error(error):
    backend = Losing(frozenset({"low"}), error)
    result = training(*ALL, backend=backend, keep_going=True, unit_size=2).execute(
        attrs.evolve(SPEC, forecasters=ALL_NAMES)
    )
    assert [(lost.variable, lost.kind, lost.message) for lost in result.failures] == [
        (variable, type(error).__name__, error.message) for variable in ("high", "low")
    ]
    assert [summary.variable for summary in result.variables] == ["lower"]


@attrs.frozen
class Broken(FakeStore):
    """A store that cannot be reached for one variable."""

    error: PulseError = attrs.field(kw_only=True)

    def read(self, variable):
        if variable == "high":
            raise self.error
        return super().read(variable)


@pytest.mark.parametrize(
    "error", [StoreUnavailable("gone", "there"), VariableNotFound("none"), DataError("bad")], ids=repr
)
def test_a_variable_that_the_store_cannot_give_fails_alone(error):
    store = Broken({observations.variable: observations for observations in ALL}, error=error)
    result = training(store=store, keep_going=True).execute(attrs.evolve(SPEC, forecasters=ALL_NAMES))
    assert [(lost.variable, lost.kind) for lost in result.failures] == [("high", type(error).__name__)]
    assert [summary.variable for summary in result.variables] == ["low", "lower"]


def test_a_forecaster_that_nobody_knows_is_refused_before_any_work():
    with pytest.raises(InvalidSpec, match=r"'driftt' is none of .*did you mean 'drift'"):
        training(LOW).execute(spec_of("low", forecasters=("naive", "driftt")))


def test_all_forecasters_that_nobody_knows_are_named_at_once():
    with pytest.raises(InvalidSpec) as raised:
        training(LOW).execute(spec_of("low", forecasters=("xx", "yy"), benchmark="zz"))
    assert len(raised.value.problems) == 3


def test_a_slice_with_a_failed_variable_fails():
    from pulse_core import Slice

    with pytest.raises(RunFailed):
        training(LOW, unit_size=1, slice=Slice(0, 2)).execute(spec_of("a", "low", days=6))


def test_a_forecaster_that_always_fails_fails_every_variable():
    with pytest.raises(RunFailed) as raised:
        training(*ALL, forecasters=(custom(Fixed(KeyError("x"))),)).execute(SPEC)
    assert {(lost.variable, lost.kind) for lost in raised.value.failures} == {
        (observations.variable, "ForecasterFailed") for observations in ALL
    }


def test_a_missing_kernel_ends_a_run_before_data_is_read(monkeypatch):
    error = KernelUnavailable("the compiled kernel is missing", "kernel.so", "Install")

    def library():
        raise error

    monkeypatch.setattr("pulse_core.runs.training.library", library)
    store = Broken({}, error=StoreUnavailable("read"))
    with pytest.raises(KernelUnavailable) as raised:
        training(*ALL, store=store, keep_going=True).execute(attrs.evolve(SPEC, forecasters=ALL_NAMES))
    assert raised.value is error


def test_a_worker_without_the_kernel_ends_the_run_and_fails_no_variable():
    backend = Losing(frozenset({"low"}), KernelUnavailable("the compiled kernel is missing", "kernel.so", "Install"))
    with pytest.raises(KernelUnavailable, match=r"kernel\.so"):
        training(*ALL, backend=backend, keep_going=True, unit_size=1).execute(attrs.evolve(SPEC, forecasters=ALL_NAMES))


def test_an_attempt_without_the_kernel_is_no_failure_of_a_variable():
    def action(_: str) -> None:
        raise KernelUnavailable("the compiled kernel is missing")

    with pytest.raises(KernelUnavailable):
        attempt(["a", "b"], action)
