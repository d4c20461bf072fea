"""What is asked of AWS Batch, and what is made of its answers."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from pulse_adapters.aws_batch.costs import attempted_jobs, usage
from pulse_adapters.aws_batch.jobs import RULES, Jobs, Submission
from pulse_adapters.aws_batch.states import STATUSES, job_state
from pulse_adapters.aws_batch.waiting import UNKNOWN, Queues
from pulse_core.errors import PulseError
from tests.unit.aws_batch.answers import JOB, attempt, client, container, job

PLAIN = Submission(name="pulse-x", queue="spot", definition="pulse", command=("pulse-batch",))


@pytest.fixture
def batch():
    with Stubber(client()) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def jobs_of(stubber: Stubber) -> Jobs:
    return Jobs(stubber.client)


def submitted(stubber: Stubber, expected: dict[str, Any], **more: Any) -> str:
    fixed = {"jobName": "pulse-x", "jobQueue": "spot", "jobDefinition": "pulse", "tags": ANY, "propagateTags": True}
    stubber.add_response("submit_job", {"jobName": "pulse-x", "jobId": JOB}, fixed | expected)
    fields = {"name": "pulse-x", "queue": "spot", "definition": "pulse", "command": ("pulse-batch",)}
    return jobs_of(stubber).submit(Submission(**(fields | more)))


def test_what_is_not_said_is_left_to_the_definition(batch) -> None:
    assert submitted(batch, {"containerOverrides": {"command": ["pulse-batch"]}}) == JOB


def test_all_that_is_said_is_asked_for(batch) -> None:
    submitted(
        batch,
        {
            "arrayProperties": {"size": 40},
            "containerOverrides": {
                "command": ["pulse-batch"],
                "resourceRequirements": [{"type": "VCPU", "value": "4"}, {"type": "MEMORY", "value": "8192"}],
            },
            "timeout": {"attemptDurationSeconds": 5400},
            "retryStrategy": {"attempts": 5, "evaluateOnExit": list(RULES)},
            "dependsOn": [{"jobId": "first"}],
        },
        size=40,
        vcpus=4,
        memory_mib=8192,
        minutes=90,
        attempts=5,
        after="first",
    )


def test_a_multi_node_job_is_overridden_on_every_node(batch) -> None:
    every = {"targetNodes": "0:", "containerOverrides": {"command": ["pulse-batch"]}}
    submitted(batch, {"nodeOverrides": {"numNodes": 3, "nodePropertyOverrides": [every]}}, nodes=3)


@pytest.mark.parametrize("size", [0, 1, 10_001])
def test_an_array_that_batch_would_refuse_is_never_asked_for(batch, size) -> None:
    with pytest.raises(ValueError, match="2 to 10000"):
        jobs_of(batch).submit(Submission(name="x", queue="q", definition="d", command=(), size=size))


def test_the_rules_retry_lost_machines_and_interruptions_and_end_on_all_else() -> None:
    assert [rule["action"] for rule in RULES] == ["RETRY", "RETRY", "EXIT"]
    assert RULES[-1] == {"onReason": "*", "action": "EXIT"}


def test_jobs_are_described_a_hundred_a_call_in_the_order_of_the_ids(batch) -> None:
    ids = [f"{JOB}:{index}" for index in range(250)]
    for first in (0, 100, 200):
        share = ids[first : first + 100]
        batch.add_response("describe_jobs", {"jobs": [job(each) for each in reversed(share)]}, {"jobs": share})
    assert [state.id for state in jobs_of(batch).describe(ids)] == ids


def test_a_job_that_batch_has_forgotten_is_named(batch) -> None:
    batch.add_response("describe_jobs", {"jobs": [job()]})
    with pytest.raises(PulseError) as refused:
        jobs_of(batch).describe([JOB, "gone"])
    assert refused.value.context == "gone"


def test_children_come_by_index_from_all_pages_of_all_statuses(batch) -> None:
    batch.add_response(
        "list_jobs",
        {"jobSummaryList": [{"jobId": f"{JOB}:10", "jobName": "x"}], "nextToken": "more"},
        {"arrayJobId": JOB, "jobStatus": "FAILED"},
    )
    batch.add_response(
        "list_jobs",
        {"jobSummaryList": [{"jobId": f"{JOB}:9", "jobName": "x"}]},
        {"arrayJobId": JOB, "jobStatus": "FAILED", "nextToken": "more"},
    )
    assert jobs_of(batch).children(JOB, ["FAILED"]) == (f"{JOB}:9", f"{JOB}:10")


def test_throttling_is_retried_and_then_told_with_its_mend(batch) -> None:
    batch.add_client_error("describe_jobs", "TooManyRequestsException", "slow down", http_status_code=429)
    with pytest.raises(PulseError) as refused:
        jobs_of(batch).describe([JOB])
    assert "too many requests" in refused.value.message


def test_a_refusal_names_the_queue_and_the_mend(batch) -> None:
    batch.add_client_error("submit_job", "AccessDeniedException", "not authorized to perform: batch:SubmitJob")
    with pytest.raises(PulseError, match=r"'spot'.*batch:SubmitJob"):
        jobs_of(batch).submit(PLAIN)


def test_the_cost_is_that_of_all_attempts_of_all_children(batch) -> None:
    parent = job_state(job(arrayProperties={"size": 2}, attempts=[attempt(9)], container=container()))
    alone = job_state(job("alone", attempts=[attempt(1)], container=container(1)))
    for status in STATUSES:
        ids = [f"{JOB}:{index}" for index in (0, 1)] if status == "SUCCEEDED" else []
        batch.add_response("list_jobs", {"jobSummaryList": [{"jobId": each, "jobName": "x"} for each in ids]})
    each = [
        job(f"{JOB}:{index}", container=container(2), attempts=[attempt(0.5, 75), attempt(0.5)]) for index in (0, 1)
    ]
    batch.add_response("describe_jobs", {"jobs": each})
    used = usage(attempted_jobs(jobs_of(batch), [parent, alone]), 0.04)
    assert used.attempts == 5
    assert used.vcpu_hours == pytest.approx(5.0)
    assert used.estimated_cost == pytest.approx(0.2)
    assert usage([], None).estimated_cost is None


def queue(stubber: Stubber, environment: dict[str, Any], **more: Any) -> None:
    told = {"jobQueueName": "spot", "jobQueueArn": "arn", "state": "ENABLED", "status": "VALID", "priority": 1}
    order = {"computeEnvironmentOrder": [{"order": 1, "computeEnvironment": "machines"}]}
    stubber.add_response("describe_job_queues", {"jobQueues": [told | order | more]}, {"jobQueues": ["spot"]})
    described = {"computeEnvironmentName": "machines", "computeEnvironmentArn": "arn"} | environment
    stubber.add_response("describe_compute_environments", {"computeEnvironments": [described]})


def limit(vcpus: int) -> dict[str, Any]:
    return {"computeResources": {"type": "EC2", "maxvCpus": vcpus, "subnets": []}}


@pytest.mark.parametrize(
    ("environment", "more", "told"),
    [
        ({}, {}, [UNKNOWN]),
        ({}, {"state": "DISABLED"}, ["queue 'spot' is disabled"]),
        (
            {"status": "INVALID", "statusReason": "no such role"},
            {},
            ["environment 'machines' is INVALID: no such role"],
        ),
        (limit(4), {}, ["it needs 8 vCPUs", "more than 4"]),
        (limit(64), {}, [UNKNOWN]),
    ],
)
def test_a_job_that_waits_says_why_as_far_as_batch_tells(batch, environment, more, told) -> None:
    queue(batch, environment, **more)
    reason = Queues(batch.client).reason(job_state(job(status="RUNNABLE", container=container(8))))
    assert reason is not None
    assert [words for words in told if words not in reason] == []


def test_the_reason_that_batch_gives_the_job_itself_comes_first(batch) -> None:
    queue(batch, {})
    waiting = job(status="RUNNABLE", statusReason="CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY", container=container())
    assert Queues(batch.client).reason(job_state(waiting)) == "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"


def test_a_job_that_does_not_wait_has_no_reason_to(batch) -> None:
    assert Queues(batch.client).reason(job_state(job(status="RUNNING"))) is None
