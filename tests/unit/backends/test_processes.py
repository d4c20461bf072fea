"""What ProcessesBackend decides before it starts a process."""

from __future__ import annotations

import os

import pytest

from pulse.testing.tasks import units
from pulse_adapters.backends.processes.backend import ProcessesBackend
from pulse_core.errors import BackendUnavailable
from pulse_core.results import UnitResult
from tests.tasks import process_id


@pytest.mark.parametrize(
    ("backend", "work"),
    [
        (ProcessesBackend(max_workers=4), units(50, seconds=0.03)),
        (ProcessesBackend(max_workers=1), units(50, seconds=9.0)),
        (ProcessesBackend(max_workers=4), units(1, seconds=900.0)),
    ],
    ids=["too little work", "one worker", "one unit"],
)
def test_work_that_gains_nothing_is_done_here(backend, work):
    assert {outcome.result.computed for outcome in backend.run(process_id, work)} == {os.getpid()}


@pytest.mark.parametrize(("workers", "retries"), [(0, 2), (-1, 2), (2, -1)])
def test_numbers_that_make_no_sense_are_refused(workers, retries):
    with pytest.raises(ValueError, match="must be >="):
        ProcessesBackend(max_workers=workers, unit_retries=retries)


def test_a_task_that_cannot_be_pickled_is_refused_at_once():
    with pytest.raises(BackendUnavailable, match=r"cannot be sent.*--backend serial"):
        next(ProcessesBackend(max_workers=2, worth_seconds=0).run(lambda unit: UnitResult(computed=1), units(2)))
