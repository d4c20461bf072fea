"""What AWS Batch would answer."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

JOB = "0a1b2c3d-4e5f-6789-abcd-ef0123456789"
HOUR = 3_600_000
NOON = 1_750_000_000_000


def client(service: str = "batch") -> Any:
    """A client that reaches nobody; one retry, so that a test of throttling counts its calls."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    return boto3.client(service, config=Config(retries={"total_max_attempts": 2, "mode": "standard"}), **keys)


def job(job_id: str = JOB, status: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    """One job of DescribeJobs, in the least that the service promises."""
    told: dict[str, Any] = {
        "jobId": job_id,
        "jobName": "pulse-x",
        "jobQueue": "arn:aws:batch:us-east-1:123456789012:job-queue/spot",
        "jobDefinition": "arn:aws:batch:us-east-1:123456789012:job-definition/pulse:3",
        "status": status,
        "startedAt": NOON,
    }
    return {name: value for name, value in (told | more).items() if value is not None}


def container(vcpus: int = 2, **more: Any) -> dict[str, Any]:
    """The container of a job."""
    required = [{"type": "VCPU", "value": str(vcpus)}, {"type": "MEMORY", "value": "2048"}]
    return {"resourceRequirements": required, "command": ["pulse-batch"]} | more


def attempt(hours: float, exit_code: int | None = 0, stream: str = "pulse/default/1") -> dict[str, Any]:
    """One attempt that has ended."""
    inside = {"logStreamName": stream} | ({} if exit_code is None else {"exitCode": exit_code})
    return {"startedAt": NOON, "stoppedAt": NOON + int(hours * HOUR), "container": inside}
