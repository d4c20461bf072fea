"""Jobs of AWS Batch, asked for and looked at through boto3: submit, describe, list, end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import attrs

from pulse_adapters.aws.errors import aws_faults
from pulse_adapters.aws_batch.environment import MOST_CHILDREN
from pulse_adapters.aws_batch.states import STATUSES, JobState, job_state
from pulse_core.errors import PulseError

IDS_A_CALL: Final = 100
LEAST_CHILDREN: Final = 2
MOST_REASON: Final = 256

RULES: Final = (
    {"onStatusReason": "Host EC2*", "action": "RETRY"},
    {"onExitCode": "75", "action": "RETRY"},
    {"onReason": "*", "action": "EXIT"},
)
"""When an attempt is repeated: its machine was taken away, or it was interrupted. Without the last rule, always."""


@attrs.frozen(kw_only=True)
class Submission:
    """A job as it is asked for. What is None is as the job's definition has it; `size` makes an array of it.

    `minutes` is the time limit of an attempt; `nodes` is for definitions of multi-node jobs.
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
    """Jobs as the service knows them; `client` is boto3's for Batch. Everything raises PulseError."""

    client: Any

    def submit(self, submission: Submission) -> str:
        """Submit a job and return its id."""
        size = submission.size
        if size is not None and not LEAST_CHILDREN <= size <= MOST_CHILDREN:
            raise ValueError(f"an array has {LEAST_CHILDREN} to {MOST_CHILDREN} children, not {size}")
        with self._faults(f"queue '{submission.queue}', job definition '{submission.definition}'"):
            answer = self.client.submit_job(**_request(submission))
        return str(answer["jobId"])

    def describe(self, ids: Sequence[str]) -> tuple[JobState, ...]:
        """Return how jobs stand, in the order of their ids, one call for a hundred of them.

        Raises PulseError where Batch does not know one (it forgets a job some days after its end).
        """
        found: dict[str, JobState] = {}
        for first in range(0, len(ids), IDS_A_CALL):
            with self._faults(f"job {ids[first]}"):
                answer = self.client.describe_jobs(jobs=list(ids[first : first + IDS_A_CALL]))
            found.update((each["jobId"], job_state(each)) for each in answer["jobs"])
        unknown = [each for each in ids if each not in found]
        if unknown:
            hint = "Look at the id and the region; Batch forgets jobs some days after their end"
            raise PulseError("AWS Batch knows no such job", ", ".join(unknown[:10]), hint)
        return tuple(found[each] for each in ids)

    def children(self, parent: str, statuses: Iterable[str] = STATUSES) -> tuple[str, ...]:
        """Return the ids of an array's children in these statuses, by index."""
        ids = [each for status in statuses for each in self._listed(arrayJobId=parent, jobStatus=status)]
        return tuple(sorted(set(ids), key=lambda each: int(each.rpartition(":")[2])))

    def named(self, queue: str, start: str) -> tuple[str, ...]:
        """Return the ids of all jobs in a queue whose names start so."""
        return tuple(self._listed(jobQueue=queue, filters=[{"name": "JOB_NAME", "values": [f"{start}*"]}]))

    def end(self, job: str, reason: str) -> None:
        """Cancel a job that waits, terminate one that runs; of an array, all children. Harmless where it has ended."""
        with self._faults(f"job {job}"):
            self.client.terminate_job(jobId=job, reason=reason[:MOST_REASON])

    def _listed(self, **query: Any) -> Iterator[str]:
        with self._faults(f"job {query['arrayJobId']}" if "arrayJobId" in query else f"queue '{query['jobQueue']}'"):
            for page in self.client.get_paginator("list_jobs").paginate(**query):
                yield from (each["jobId"] for each in page["jobSummaryList"])

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
        every = {"targetNodes": "0:", "containerOverrides": overrides}
        request["nodeOverrides"] = {"numNodes": submission.nodes, "nodePropertyOverrides": [every]}
    if submission.size is not None:
        request["arrayProperties"] = {"size": submission.size}
    if submission.after is not None:
        request["dependsOn"] = [{"jobId": submission.after}]
    if submission.minutes is not None:
        request["timeout"] = {"attemptDurationSeconds": submission.minutes * 60}
    if submission.attempts is not None:
        request["retryStrategy"] = {"attempts": submission.attempts, "evaluateOnExit": [dict(rule) for rule in RULES]}
    return request
