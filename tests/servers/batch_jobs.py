"""What AWS Batch does with jobs: real processes of the real entry point, with the variables that Batch sets.

Each attempt has a folder of its own, as each container has a disk, so that nothing but the results' place is kept.
Faults are data: by child (or None for a job without children), what happens to each attempt.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import attrs

from pulse_adapters.aws_batch.jobs import RULES
from pulse_adapters.aws_batch.states import ENDED, STATUSES

KILLED: Final = "killed"
SIGTERM: Final = "sigterm"
TWICE: Final = "twice"
NODE_LOST: Final = "node lost"

ATTEMPTS: Final = 3
AT_A_TIME: Final = 2
LOST_MACHINE: Final = "Host EC2 (instance i-0123456789abcdef0) terminated."
SECONDS: Final = 100.0

HOLD: Final = """
import os, pathlib, time

if "TEST_HOLD" in os.environ:
    import pulse_entrypoints.cli.progress as progress

    hold = pathlib.Path(os.environ["TEST_HOLD"])
    count = progress.Progress._count

    def held(self, event):
        count(self, event)
        if self.finished < self.planned:
            hold.with_suffix(".reached").touch()
            while hold.exists():
                time.sleep(0.01)

    progress.Progress._count = held
"""
"""Holds a process after its first unit, so that a fault meets it in the middle of its work whatever the machine."""


@attrs.define(eq=False)
class Job:
    """A job, or a child of an array; what Batch would tell of it."""

    id: str
    request: Mapping[str, Any]
    index: int | None = None
    children: list[Job] = attrs.field(factory=list)
    status: str = "SUBMITTED"
    reason: str = ""
    attempts: list[dict[str, Any]] = attrs.field(factory=list)
    ended_by_user: bool = False
    processes: list[subprocess.Popen[bytes]] = attrs.field(factory=list)

    @property
    def command(self) -> Sequence[str]:
        overrides = self.request.get("containerOverrides")
        if overrides is None:
            (overrides,) = [
                each["containerOverrides"] for each in self.request["nodeOverrides"]["nodePropertyOverrides"]
            ]
        command: Sequence[str] = overrides["command"]
        return command

    @property
    def name(self) -> str:
        return self.id.partition(":")[0]

    @property
    def size(self) -> int | None:
        size: int | None = self.request.get("arrayProperties", {}).get("size") if self.index is None else None
        return size

    def told(self) -> dict[str, Any]:
        """One job of DescribeJobs."""
        document: dict[str, Any] = {
            "jobId": self.id,
            "jobName": self.request["jobName"],
            "jobQueue": f"arn:aws:batch:us-east-1:123456789012:job-queue/{self.request['jobQueue']}",
            "jobDefinition": f"arn:aws:batch:us-east-1:123456789012:job-definition/{self.request['jobDefinition']}:1",
            "status": self.status,
            "statusReason": self.reason,
            "createdAt": 1_750_000_000_000,
            "dependsOn": self.request.get("dependsOn", []),
            "tags": self.request.get("tags", {}),
            "attempts": self.attempts,
            "container": self._container(),
        }
        if self.attempts:
            document |= {name: self.attempts[-1][name] for name in ("startedAt", "stoppedAt")}
        if self.size is not None:
            counts = Counter(child.status for child in self.children)
            document["arrayProperties"] = {
                "size": self.size,
                "statusSummary": {name: counts[name] for name in STATUSES},
            }
        if self.index is not None:
            document["arrayProperties"] = {"index": self.index}
        return document

    def _container(self) -> dict[str, Any]:
        required = [{"type": "VCPU", "value": "2"}, {"type": "MEMORY", "value": "2048"}]
        last = self.attempts[-1]["container"] if self.attempts else {}
        return {"command": list(self.command), "resourceRequirements": required, **last}


@attrs.define(eq=False)
class Launcher:
    """Runs jobs below `root`; `environment` is what job definition and role give every container."""

    root: Path
    environment: Mapping[str, str]
    faults: dict[int | None, list[str]] = attrs.field(factory=dict)
    jobs: dict[str, Job] = attrs.field(factory=dict)
    streams: dict[str, Path] = attrs.field(factory=dict)
    node_port: int = 0
    threads: list[threading.Thread] = attrs.field(factory=list)

    def submit(self, request: Mapping[str, Any]) -> Job:
        """Take a job and begin with it."""
        job = Job(str(uuid.uuid4()), request)
        self.jobs[job.id] = job
        for index in range(job.size or 0):
            child = Job(f"{job.id}:{index}", request, index)
            job.children.append(child)
            self.jobs[child.id] = child
        thread = threading.Thread(target=self._do, args=(job,), daemon=True)
        self.threads.append(thread)
        thread.start()
        return job

    def end(self, job: Job) -> None:
        """End a job as TerminateJob does: SIGTERM, and SIGKILL where that is not heeded in 30 s."""
        for each in (job, *job.children):
            each.ended_by_user = True
            for process in each.processes:
                process.terminate()

    def close(self) -> None:
        """Leave no process behind."""
        for job in self.jobs.values():
            job.ended_by_user = True
            for process in job.processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        for thread in self.threads:
            thread.join(SECONDS)

    def _do(self, job: Job) -> None:
        for needed in job.request.get("dependsOn", ()):
            job.status = "PENDING"
            while self.jobs[needed["jobId"]].status not in ENDED:
                time.sleep(0.05)
            if self.jobs[needed["jobId"]].status == "FAILED":
                job.status, job.reason = "FAILED", "Dependent Job failed"
                return
        if not job.children:
            self._run(job)
            return
        job.status = "PENDING"
        with ThreadPoolExecutor(AT_A_TIME) as room:
            list(room.map(self._run, job.children))
        job.status = "FAILED" if any(child.status == "FAILED" for child in job.children) else "SUCCEEDED"

    def _run(self, job: Job) -> None:
        faults = self.faults.get(job.index, [])
        for number in range(1, ATTEMPTS + 1):
            fault = faults[number - 1] if number <= len(faults) else ""
            job.status = "RUNNING"
            code, reason = self._attempt(job, number, fault)
            if code == 0:
                job.status = "SUCCEEDED"
                return
            if job.ended_by_user or not retried(code, reason):
                break
        job.status, job.reason = "FAILED", reason or "Essential container in task exited"

    def _attempt(self, job: Job, number: int, fault: str) -> tuple[int, str]:
        hold = self.root / f"{job.id}-{number}.hold"
        more = {}
        if fault in {KILLED, SIGTERM, NODE_LOST}:
            hold.touch()
            more = {"TEST_HOLD": str(hold)}
        started = milliseconds()
        job.processes = [self._start(job, number, copy, more) for copy in range(2 if fault == TWICE else 1)]
        job.processes += self._start_nodes(job, number)
        if more:
            self._strike(job.processes, hold, fault)
        codes = [process.wait(SECONDS) for process in job.processes[: 2 if fault == TWICE else 1]]
        for node in job.processes[len(codes) :]:
            with contextlib.suppress(subprocess.TimeoutExpired):
                node.wait(15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(node.pid, signal.SIGKILL)
        code = max(codes, key=abs)
        reason = LOST_MACHINE if fault == KILLED else ""
        container = {"exitCode": code, "logStreamName": f"pulse/default/{job.id}-{number}-0"}
        job.attempts.append(
            {"startedAt": started, "stoppedAt": milliseconds(), "container": container, "statusReason": reason}
        )
        return code, reason

    def _strike(self, processes: Sequence[subprocess.Popen[bytes]], hold: Path, fault: str) -> None:
        process = processes[0]
        while not hold.with_suffix(".reached").exists():
            if process.poll() is not None:  # the test sees it by the attempts
                return
            time.sleep(0.01)
        if fault in {KILLED, NODE_LOST}:
            os.killpg(processes[1 if fault == NODE_LOST else 0].pid, signal.SIGKILL)
        else:
            process.terminate()
        hold.unlink()

    def _start_nodes(self, job: Job, number: int) -> list[subprocess.Popen[bytes]]:
        count = job.request.get("nodeOverrides", {}).get("numNodes", 1)
        return [self._start(job, number, node, {}, node) for node in range(1, count)]

    def _start(
        self, job: Job, number: int, copy: int, more: Mapping[str, str], node: int = 0
    ) -> subprocess.Popen[bytes]:
        folder = self.root / f"{job.id.replace(':', '_')}-{number}-{copy}"  # a colon would cut PYTHONPATH in two
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(HOLD)
        stream = folder / "log"
        self.streams[f"pulse/default/{job.id}-{number}-{copy}"] = stream
        variables = {**self._variables(job, number, node), **more, "PYTHONPATH": str(folder)}
        program = {"pulse-batch": [sys.executable, "-m", "pulse_entrypoints.batch"]}[job.command[0]]
        with stream.open("wb") as log:
            return subprocess.Popen(
                [*program, *job.command[1:]], cwd=folder, env=variables, stdout=log, stderr=log, start_new_session=True
            )

    def _variables(self, job: Job, number: int, node: int) -> dict[str, str]:
        count = job.request.get("nodeOverrides", {}).get("numNodes")
        told = {
            "JOB_ID": job.id if count is None else f"{job.id}#{node}",
            "JOB_ATTEMPT": str(number),
            "JQ_NAME": job.request["jobQueue"],
            "CE_NAME": "machines",
        }
        if job.index is not None:
            told |= {"JOB_ARRAY_INDEX": str(job.index), "JOB_ARRAY_SIZE": str(job.request["arrayProperties"]["size"])}
        if count is not None:
            told |= {"JOB_NODE_INDEX": str(node), "JOB_NUM_NODES": str(count), "JOB_MAIN_NODE_INDEX": "0"}
        if node:
            told["JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS"] = "127.0.0.1"
        nodes = {} if count is None else {"PULSE_NODE_ADDRESS": "127.0.0.1", "PULSE_NODE_PORT": str(self.node_port)}
        return {**self.environment, **nodes, **{f"AWS_BATCH_{name}": value for name, value in told.items()}}


def retried(code: int, reason: str) -> bool:
    """Whether Batch tries again, by the rules of the job definition."""
    for rule in RULES:
        matched = {
            "onStatusReason": reason.startswith(rule.get("onStatusReason", "-").rstrip("*")),
            "onExitCode": str(code) == rule.get("onExitCode"),
            "onReason": True,
        }
        if all(matched[name] for name in rule if name != "action"):
            return rule["action"] == "RETRY"
    return True


def milliseconds() -> int:
    """The time as Batch tells it."""
    return int(time.time() * 1000)
