"""Collecting takes what slices have recorded, computes none of it anew, and fails where something is missing."""

from __future__ import annotations

from typing import Any

import pytest

from pulse_core import RunFailed, RunResult, RunSpec, Slice
from tests.fakes import FakeSink
from tests.unit.core.models import LastThree, custom
from tests.unit.core.runs import records_of, series, spec_of, training

ROWS = [float(n * n % 11) for n in range(28)]
DATA = [series(ROWS, "a"), series(ROWS[::-1], "b")]
BUILT_IN = spec_of("a", "b", days=28)
PER_ORIGIN = spec_of("a", "b", days=28, forecasters=("naive", "tests:Own"))


def done(spec: RunSpec, sink: FakeSink, **how: Any) -> RunResult:
    forecasters = (custom(LastThree()),) if spec is PER_ORIGIN else ()
    return training(*DATA, sink=sink, forecasters=forecasters, unit_size=1, **how).execute(spec)


@pytest.mark.parametrize("hindcasts", [False, True])
@pytest.mark.parametrize("spec", [BUILT_IN, PER_ORIGIN])
def test_all_slices_collected_say_what_one_run_says(spec, hindcasts) -> None:
    sink = FakeSink()
    for index in (0, 1):
        done(spec, sink, slice=Slice(index, 2))
    collected = done(spec, sink, recorded_only=True, hindcasts=hindcasts)
    assert collected.digest == done(spec, FakeSink()).digest
    assert collected.published


@pytest.mark.parametrize("hindcasts", [False, True])
@pytest.mark.parametrize("spec", [BUILT_IN, PER_ORIGIN])
def test_a_slice_that_is_missing_fails_by_name_and_is_not_computed(spec, hindcasts) -> None:
    sink = FakeSink()
    done(spec, sink, slice=Slice(0, 2))
    before = records_of(sink)
    with pytest.raises(RunFailed) as failed:
        done(spec, sink, recorded_only=True, hindcasts=hindcasts)
    assert {failure.kind for failure in failed.value.failures} == {"NotRecorded"}
    assert {failure.variable for failure in failed.value.failures} <= {"a", "b"}
    assert before == records_of(sink)
    assert not sink.runs


def test_with_keep_going_what_is_there_is_published_and_what_is_missing_named() -> None:
    sink = FakeSink()
    done(BUILT_IN, sink, slice=Slice(0, 2))
    result = done(BUILT_IN, sink, recorded_only=True, keep_going=True)
    assert [summary.variable for summary in result.variables] == ["a"]
    assert [failure.variable for failure in result.failures] == ["b"]
