"""State of a job as AWS Batch describes it: one frozen value, with defaults for all that Batch may leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from pulse_core.errors import PulseError

SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"
RUNNABLE: Final = "RUNNABLE"
STATUSES: Final = ("SUBMITTED", "PENDING", RUNNABLE, "STARTING", "RUNNING", SUCCEEDED, FAILED)
"""In the order in which a job goes through them."""

ENDED: Final = (SUCCEEDED, FAILED)

Document = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Attempt:
    """An attempt at a job. Times are UTC; None where the attempt did not start, stop or exit."""

    started: datetime | None
    stopped: datetime | None
    exit_code: int | None
    reason: str
    log_stream: str | None

    @property
    def hours(self) -> float:
        """How many hours it ran; 0 where it has not started or has not stopped."""
        if self.started is None or self.stopped is None:
            return 0.0
        return max(0.0, (self.stopped - self.started).total_seconds() / 3600)


@attrs.frozen(kw_only=True)
class JobState:
    """The state of a job. `vcpus` are those of all its nodes; `children` counts an array's children by status."""

    id: str
    name: str
    queue: str
    definition: str
    status: str
    reason: str
    created: datetime | None
    started: datetime | None
    stopped: datetime | None
    exit_code: int | None
    log_stream: str | None
    vcpus: float
    memory_mib: int | None
    nodes: int
    attempts: tuple[Attempt, ...]
    size: int | None
    index: int | None
    children: Mapping[str, int]
    command: tuple[str, ...]
    depends_on: tuple[str, ...]
    tags: Mapping[str, str]

    @property
    def ended(self) -> bool:
        """Whether it has succeeded or failed."""
        return self.status in ENDED

    @property
    def vcpu_hours(self) -> float:
        """The vCPU hours of all of its attempts, on all of its nodes."""
        return self.vcpus * sum(attempt.hours for attempt in self.attempts)


def job_state(document: Document) -> JobState:
    """Read one job of DescribeJobs. Raises PulseError for a status that this version does not know."""
    status = document["status"]
    if status not in STATUSES:
        hint = "Use a newer version of Pulse, or look at the job in the console"
        raise PulseError(
            f"AWS Batch reports a status that this version does not know: '{status}'", document["jobId"], hint
        )
    container = _container(document)
    array = document.get("arrayProperties", {})
    return JobState(
        id=document["jobId"],
        name=document.get("jobName", ""),
        queue=_last(document.get("jobQueue", "")),
        definition=_last(document.get("jobDefinition", "")),
        status=status,
        reason=document.get("statusReason") or container.get("reason") or "",
        created=_time(document.get("createdAt")),
        started=_time(document.get("startedAt")),
        stopped=_time(document.get("stoppedAt")),
        exit_code=container.get("exitCode"),
        log_stream=container.get("logStreamName"),
        vcpus=_vcpus(document, container),
        memory_mib=_memory(container),
        nodes=document.get("nodeProperties", {}).get("numNodes", 1),
        attempts=_attempts(document, container),
        size=array.get("size"),
        index=array.get("index"),
        children={name: count for name, count in array.get("statusSummary", {}).items() if count},
        command=tuple(container.get("command", ())),
        depends_on=tuple(job["jobId"] for job in document.get("dependsOn", ()) if "jobId" in job),
        tags=document.get("tags", {}),
    )


def _container(document: Document) -> Document:
    """Return the description of the container: of a multi-node job, that of its first range of nodes."""
    ranges = document.get("nodeProperties", {}).get("nodeRangeProperties", ())
    container: Document = document.get("container") or {}
    return container or next((nodes["container"] for nodes in ranges if "container" in nodes), {})


def _attempts(document: Document, container: Document) -> tuple[Attempt, ...]:
    """Return the attempts that Batch lists; where it lists none yet, the attempt that the job itself describes."""
    attempts = [_attempt(attempt) for attempt in document.get("attempts", ())]
    if not attempts and "startedAt" in document:
        last = {"container": container, "startedAt": document["startedAt"], "stoppedAt": document.get("stoppedAt")}
        attempts = [_attempt(last)]
    return tuple(attempts)


def _attempt(document: Document) -> Attempt:
    container = document.get("container") or {}
    return Attempt(
        started=_time(document.get("startedAt")),
        stopped=_time(document.get("stoppedAt")),
        exit_code=container.get("exitCode"),
        reason=container.get("reason") or document.get("statusReason") or "",
        log_stream=container.get("logStreamName"),
    )


def _vcpus(document: Document, container: Document) -> float:
    properties = document.get("nodeProperties")
    if properties is None:
        return _container_vcpus(container)
    ranges: Sequence[Document] = properties.get("nodeRangeProperties", ())
    count = properties.get("numNodes", 0)
    shares = (
        _node_count(nodes.get("targetNodes", ""), count) * _container_vcpus(nodes.get("container", {}))
        for nodes in ranges
    )
    return sum(shares)


def _container_vcpus(container: Document) -> float:
    required = {resource["type"]: resource["value"] for resource in container.get("resourceRequirements", ())}
    vcpus: str | int = required.get("VCPU") or container.get("vcpus", 0)
    return float(vcpus)


def _memory(container: Document) -> int | None:
    required = {resource["type"]: resource["value"] for resource in container.get("resourceRequirements", ())}
    memory = required.get("MEMORY") or container.get("memory")
    return None if memory is None else int(memory)


def _node_count(target: str, count: int) -> int:
    """Return how many of `count` nodes a range such as `0:3`, `1:` or `2` holds."""
    first, colon, last = target.partition(":")
    if not colon:
        return 1
    return max(0, (int(last) if last else count - 1) - int(first or 0) + 1)


def _last(name: str) -> str:
    """Return the name at the end of an ARN."""
    return name.rpartition("/")[2]


def _time(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
