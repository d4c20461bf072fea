"""Jobs of AWS Batch through boto3: submit, describe, list, end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import attrs

from pulse_adapters.aws.errors import aws_faults
from pulse_adapters.aws_batch.environment import CHILD_LIMIT
from pulse_adapters.aws_batch.states import STATUSES, JobState, job_state
from pulse_core.errors import PulseError

IDS_A_CALL: Final = 100
CHILD_MINIMUM: Final = 2
REASON_LENGTH: Final = 256

RULES: Final = (
    {"onStatusReason": "Host EC2*", "action": "RETRY"},
    {"onExitCode": "75", "action": "RETRY"},
    {"onReason": "*", "action": "EXIT"},
)
"""An attempt is repeated where its machine was taken away, or it was interrupted; without the last rule, always."""


@attrs.frozen(kw_only=True)
class Submission:
    """A request for a job. None stands for the value of the job definition; `size` makes the job an array.

    `minutes` is the time limit of an attempt; `nodes` is for definitions of multi-node jobs; `after` is the id of a job
    that must succeed first.
    """

    name: str
    queue: str
    definition: str
    command: tuple[str, ...]
    size: int | None = None
    nodes: int | None = None
    vcpus: int | None = None
    memory_mib: int | None = None
    minutes: int | None = None
    attempts: int | None = None
    after: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


@attrs.frozen
class Jobs:
    """Jobs of the service; `client` is boto3's for Batch. Every method raises PulseError."""

    client: Any

    def submit(self, submission: Submission) -> str:
        """Submit a job and return its id."""
        size = submission.size
        if size is not None and not CHILD_MINIMUM <= size <= CHILD_LIMIT:
            raise ValueError(f"an array has {CHILD_MINIMUM} to {CHILD_LIMIT} children, not {size}")
        with self._faults(f"queue '{submission.queue}', job definition '{submission.definition}'"):
            response = self.client.submit_job(**_request(submission))
        return str(response["jobId"])

    def describe(self, ids: Sequence[str]) -> tuple[JobState, ...]:
        """Return the states of jobs, in the order of `ids`, with a call for each hundred of them.

        Raises PulseError where Batch does not know one (it forgets a job some days after its end).
        """
        states: dict[str, JobState] = {}
        for first in range(0, len(ids), IDS_A_CALL):
            with self._faults(f"job {ids[first]}"):
                response = self.client.describe_jobs(jobs=list(ids[first : first + IDS_A_CALL]))
            states.update((document["jobId"], job_state(document)) for document in response["jobs"])
        unknown = [identity for identity in ids if identity not in states]
        if unknown:
            hint = "Look at the id and the region; Batch forgets jobs some days after their end"
            raise PulseError("AWS Batch knows no such job", ", ".join(unknown[:10]), hint)
        return tuple(states[identity] for identity in ids)

    def children(self, parent: str, statuses: Iterable[str] = STATUSES) -> tuple[str, ...]:
        """Return the ids of an array's children in these statuses, by index."""
        ids = {child for status in statuses for child in self._listed(arrayJobId=parent, jobStatus=status)}
        return tuple(sorted(ids, key=lambda child: int(child.rpartition(":")[2])))

    def named(self, queue: str, start: str) -> tuple[str, ...]:
        """Return the ids of all jobs in a queue whose names begin with `start`."""
        return tuple(self._listed(jobQueue=queue, filters=[{"name": "JOB_NAME", "values": [f"{start}*"]}]))

    def end(self, job: str, reason: str) -> None:
        """Cancel a job that waits, terminate a job that runs; of an array, all children. Harmless after its end."""
        with self._faults(f"job {job}"):
            self.client.terminate_job(jobId=job, reason=reason[:REASON_LENGTH])

    def _listed(self, **query: Any) -> Iterator[str]:
        with self._faults(f"job {query['arrayJobId']}" if "arrayJobId" in query else f"queue '{query['jobQueue']}'"):
            for page in self.client.get_paginator("list_jobs").paginate(**query):
                yield from (summary["jobId"] for summary in page["jobSummaryList"])

    def _faults(self, context: str) -> AbstractContextManager[None]:
        return aws_faults(PulseError, context, service="batch")


def _request(submission: Submission) -> dict[str, Any]:
    overrides: dict[str, Any] = {"command": list(submission.command)}
    resources = {"VCPU": submission.vcpus, "MEMORY": submission.memory_mib}
    required = [{"type": kind, "value": str(value)} for kind, value in resources.items() if value is not None]
    if required:
        overrides["resourceRequirements"] = required
    tags = dict(submission.tags)
    request: dict[str, Any] = {
        "jobName": submission.name,
        "jobQueue": submission.queue,
        "jobDefinition": submission.definition,
        "tags": tags,
        "propagateTags": True,
    }
    if submission.nodes is None:
        request["containerOverrides"] = overrides
    else:
        node_range = {"targetNodes": "0:", "containerOverrides": overrides}
        request["nodeOverrides"] = {"numNodes": submission.nodes, "nodePropertyOverrides": [node_range]}
    if submission.size is not None:
        request["arrayProperties"] = {"size": submission.size}
    if submission.after is not None:
        request["dependsOn"] = [{"jobId": submission.after}]
    if submission.minutes is not None:
        request["timeout"] = {"attemptDurationSeconds": submission.minutes * 60}
    if submission.attempts is not None:
        request["retryStrategy"] = {"attempts": submission.attempts, "evaluateOnExit": [dict(rule) for rule in RULES]}
    return request
