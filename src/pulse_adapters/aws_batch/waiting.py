"""Reasons why a job waits in RUNNABLE, as far as AWS Batch reports them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs

from pulse_adapters.aws.errors import aws_faults
from pulse_adapters.aws_batch.states import RUNNABLE, JobState
from pulse_core.errors import PulseError

UNKNOWN: Final = "AWS Batch reports no reason: other jobs may be ahead, or machines are starting"


@attrs.frozen
class Queues:
    """Queues and compute environments; `client` is boto3's for Batch. Raises PulseError."""

    client: Any

    def reason(self, job: JobState) -> str | None:
        """Return why a job waits; None unless it is RUNNABLE."""
        if job.status != RUNNABLE and not job.children.get(RUNNABLE):
            return None
        return "; ".join((*self._job_reasons(job), *self._queue_faults(job))) or UNKNOWN

    def _job_reasons(self, job: JobState) -> Iterator[str]:
        """Yield the reason that Batch reports of the job itself: it does so for the job at the head of the queue."""
        if job.status == RUNNABLE and job.reason:
            yield job.reason

    def _queue_faults(self, job: JobState) -> Iterator[str]:
        """Yield the faults of the job's queue and of its compute environments."""
        with aws_faults(PulseError, f"queue '{job.queue}'", service="batch"):
            queues = self.client.describe_job_queues(jobQueues=[job.queue])["jobQueues"]
        for queue in queues:
            yield from _faults(f"queue '{queue['jobQueueName']}'", queue)
            names = [entry["computeEnvironment"] for entry in queue.get("computeEnvironmentOrder", ())]
            with aws_faults(PulseError, f"compute environments {', '.join(names)}", service="batch"):
                response = self.client.describe_compute_environments(computeEnvironments=names)
            yield from _environment_faults(response["computeEnvironments"], job)


def _environment_faults(environments: list[dict[str, Any]], job: JobState) -> Iterator[str]:
    for environment in environments:
        yield from _faults(f"compute environment '{environment['computeEnvironmentName']}'", environment)
    resources = [environment["computeResources"] for environment in environments if "computeResources" in environment]
    limits = [resource["maxvCpus"] for resource in resources]
    if limits and job.vcpus > max(limits):
        yield f"it needs {job.vcpus:g} vCPUs, and no compute environment of its queue may have more than {max(limits)}"


def _faults(name: str, document: dict[str, Any]) -> Iterator[str]:
    if document.get("state") == "DISABLED":
        yield f"{name} is disabled"
    if document.get("status") not in {"VALID", None}:
        reason = document.get("statusReason")
        yield f"{name} is {document['status']}{f': {reason}' if reason else ''}"
