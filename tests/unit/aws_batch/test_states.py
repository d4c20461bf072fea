"""A job as Batch describes it."""

from __future__ import annotations

import pytest

from pulse_adapters.aws_batch.states import job_state
from pulse_core.errors import PulseError
from tests.unit.aws_batch.answers import JOB, NOON, attempt, container, job


def test_names_come_without_the_arns_around_them() -> None:
    state = job_state(job(container=container()))
    assert (state.id, state.queue, state.definition) == (JOB, "spot", "pulse:3")
    assert (state.ended, state.vcpus, state.command) == (True, 2.0, ("pulse-batch",))


def test_all_attempts_count_in_the_hours() -> None:
    state = job_state(job(container=container(4), attempts=[attempt(0.5, 75), attempt(0.25)]))
    assert state.vcpu_hours == pytest.approx(3.0)
    assert [each.exit_code for each in state.attempts] == [75, 0]
    assert [each.log_stream for each in state.attempts] == ["pulse/default/1"] * 2


def test_an_attempt_that_is_under_way_is_there_and_costs_nothing_yet() -> None:
    state = job_state(job(status="RUNNING", container=container(logStreamName="pulse/default/2")))
    assert [each.log_stream for each in state.attempts] == ["pulse/default/2"]
    assert (state.vcpu_hours, state.ended) == (0.0, False)


@pytest.mark.parametrize(
    "more",
    [
        {"container": {}},
        {"attempts": []},
        {"attempts": [{}]},
        {"attempts": [{"container": {"reason": "OutOfMemoryError: Container killed"}}]},
        {"attempts": [{"startedAt": NOON, "stoppedAt": NOON - 1}]},
        {"statusReason": "Dependent Job failed", "startedAt": None},
    ],
)
def test_a_failed_job_that_tells_little_is_read_all_the_same(more) -> None:
    state = job_state(job(status="FAILED", **more))
    assert (state.exit_code, state.vcpu_hours, state.ended) == (None, 0.0, True)


def test_the_children_of_an_array_are_counted() -> None:
    summary = {"SUBMITTED": 0, "RUNNING": 3, "SUCCEEDED": 2}
    state = job_state(job(status="PENDING", arrayProperties={"size": 5, "statusSummary": summary}))
    assert (state.size, dict(state.children)) == (5, {"RUNNING": 3, "SUCCEEDED": 2})


@pytest.mark.parametrize(
    ("ranges", "vcpus"),
    [([("0:", 4)], 12.0), ([("0", 2), ("1:", 8)], 18.0), ([("0:0", 2), ("1:2", 8)], 18.0), ([], 0.0)],
)
def test_the_vcpus_of_all_nodes_are_added(ranges, vcpus) -> None:
    nodes = [{"targetNodes": target, "container": container(count)} for target, count in ranges]
    properties = {"numNodes": 3, "mainNode": 0, "nodeRangeProperties": nodes}
    assert job_state(job(nodeProperties=properties)).vcpus == vcpus


def test_a_status_that_is_not_known_here_is_no_guess() -> None:
    with pytest.raises(PulseError, match="HIBERNATING"):
        job_state(job(status="HIBERNATING"))
