"""A job as AWS Batch describes it, in one frozen value; what Batch leaves out or may add is provided for here."""

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
    """One go at a job. Times are UTC; None where it did not come to that."""

    started: datetime | None
    stopped: datetime | None
    exit_code: int | None
    reason: str
    log_stream: str | None

    @property
    def hours(self) -> float:
        """How long it ran; 0 where it has not begun or has not ended."""
        if self.started is None or self.stopped is None:
            return 0.0
        return max(0.0, (self.stopped - self.started).total_seconds() / 3600)


@attrs.frozen(kw_only=True)
class JobState:
    """How a job stands. `vcpus` are those of all its nodes; `children` counts an array's children by status."""

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
        """Whether nothing more will come of it."""
        return self.status in ENDED

    @property
    def vcpu_hours(self) -> float:
        """What all of its attempts together have used, on all of its nodes."""
        return self.vcpus * sum(attempt.hours for attempt in self.attempts)


def job_state(document: Document) -> JobState:
    """Read one job of DescribeJobs. Raises PulseError for a status that this version does not know."""
    status = document["status"]
    if status not in STATUSES:
        hint = "Use a newer version of Pulse, or look at the job in the console"
        raise PulseError(f"AWS Batch tells a status that is not known here: '{status}'", document["jobId"], hint)
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
        depends_on=tuple(each["jobId"] for each in document.get("dependsOn", ()) if "jobId" in each),
        tags=document.get("tags", {}),
    )


def _container(document: Document) -> Document:
    """Return what is said of the container: of a multi-node job, that of its first range of nodes."""
    ranges = document.get("nodeProperties", {}).get("nodeRangeProperties", ())
    own: Document = document.get("container") or {}
    return own or next((each["container"] for each in ranges if "container" in each), {})


def _attempts(document: Document, container: Document) -> tuple[Attempt, ...]:
    """Return the attempts; one that is under way, which Batch does not list yet, is not among them."""
    told = [_attempt(each) for each in document.get("attempts", ())]
    if not told and "startedAt" in document:
        last = {"container": container, "startedAt": document["startedAt"], "stoppedAt": document.get("stoppedAt")}
        told = [_attempt(last)]
    return tuple(told)


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
        return _of_container(container)
    ranges: Sequence[Document] = properties.get("nodeRangeProperties", ())
    count = properties.get("numNodes", 0)
    shares = (
        _nodes_of(each.get("targetNodes", ""), count) * _of_container(each.get("container", {})) for each in ranges
    )
    return sum(shares)


def _of_container(container: Document) -> float:
    required = {each["type"]: each["value"] for each in container.get("resourceRequirements", ())}
    vcpus: str | int = required.get("VCPU") or container.get("vcpus", 0)
    return float(vcpus)


def _memory(container: Document) -> int | None:
    required = {each["type"]: each["value"] for each in container.get("resourceRequirements", ())}
    memory = required.get("MEMORY") or container.get("memory")
    return None if memory is None else int(memory)


def _nodes_of(target: str, count: int) -> int:
    """Return how many nodes `0:3`, `1:` or `2` are, of `count`."""
    first, colon, last = target.partition(":")
    if not colon:
        return 1
    return max(0, (int(last) if last else count - 1) - int(first or 0) + 1)


def _last(name: str) -> str:
    """Return the name at the end of an ARN."""
    return name.rpartition("/")[2]


def _time(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
