"""Why a job waits in RUNNABLE, as far as AWS Batch tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs

from pulse_adapters.aws.errors import aws_faults
from pulse_adapters.aws_batch.states import RUNNABLE, JobState
from pulse_core.errors import PulseError

UNTOLD: Final = "AWS Batch tells no reason: other jobs may be ahead, or machines on their way"


@attrs.frozen
class Queues:
    """Queues and compute environments; `client` is boto3's for Batch. Raises PulseError."""

    client: Any

    def reason(self, job: JobState) -> str | None:
        """Return why a job waits; None unless it is RUNNABLE."""
        if job.status != RUNNABLE and not job.children.get(RUNNABLE):
            return None
        return "; ".join((*self._told(job), *self._seen(job))) or UNTOLD

    def _told(self, job: JobState) -> Iterator[str]:
        """Yield what Batch says of the job itself, which it does for the one at the head of the queue."""
        if job.status == RUNNABLE and job.reason:
            yield job.reason

    def _seen(self, job: JobState) -> Iterator[str]:
        with aws_faults(PulseError, f"queue '{job.queue}'", service="batch"):
            queues = self.client.describe_job_queues(jobQueues=[job.queue])["jobQueues"]
        for queue in queues:
            yield from _faults(f"queue '{queue['jobQueueName']}'", queue)
            names = [each["computeEnvironment"] for each in queue.get("computeEnvironmentOrder", ())]
            with aws_faults(PulseError, f"compute environments {', '.join(names)}", service="batch"):
                answer = self.client.describe_compute_environments(computeEnvironments=names)
            yield from _of_environments(answer["computeEnvironments"], job)


def _of_environments(environments: list[dict[str, Any]], job: JobState) -> Iterator[str]:
    for each in environments:
        yield from _faults(f"compute environment '{each['computeEnvironmentName']}'", each)
    limits = [each["computeResources"]["maxvCpus"] for each in environments if "computeResources" in each]
    if limits and job.vcpus > max(limits):
        yield f"it wants {job.vcpus:g} vCPUs, and no compute environment of its queue may have more than {max(limits)}"


def _faults(name: str, document: dict[str, Any]) -> Iterator[str]:
    if document.get("state") == "DISABLED":
        yield f"{name} is disabled"
    if document.get("status") not in {"VALID", None}:
        why = document.get("statusReason")
        yield f"{name} is {document['status']}{f': {why}' if why else ''}"
