"""AWS Batch and CloudWatch Logs on loopback, as far as `pulse batch` asks them, over the launcher's real processes."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.batch_jobs import Launcher

Answer = Callable[[Launcher, dict[str, Any]], dict[str, Any]]


def submit(launcher: Launcher, request: dict[str, Any]) -> dict[str, Any]:
    job = launcher.submit(request)
    return {"jobId": job.id, "jobName": request["jobName"]}


def describe(launcher: Launcher, request: dict[str, Any]) -> dict[str, Any]:
    assert len(request["jobs"]) <= 100
    return {"jobs": [launcher.jobs[each].told() for each in request["jobs"] if each in launcher.jobs]}


def listed(launcher: Launcher, request: dict[str, Any]) -> dict[str, Any]:
    if "arrayJobId" in request:
        children = launcher.jobs[request["arrayJobId"]].children
        found = [child for child in children if child.status == request.get("jobStatus", "RUNNING")]
    else:
        start = request["filters"][0]["values"][0].rstrip("*")
        found = [
            job for job in launcher.jobs.values() if job.index is None and job.request["jobName"].startswith(start)
        ]
    return {"jobSummaryList": [{"jobId": job.id, "jobName": job.request["jobName"]} for job in found]}


def end(launcher: Launcher, request: dict[str, Any]) -> dict[str, Any]:
    launcher.end(launcher.jobs[request["jobId"]])
    return {}


def queues(launcher: Launcher, request: dict[str, Any]) -> dict[str, Any]:
    return {"jobQueues": []}


def environments(launcher: Launcher, request: dict[str, Any]) -> dict[str, Any]:
    return {"computeEnvironments": []}


def log_events(launcher: Launcher, request: dict[str, Any]) -> dict[str, Any]:
    lines = launcher.streams[request["logStreamName"]].read_text().splitlines() if "nextToken" not in request else []
    events = [{"timestamp": 1_750_000_000_000, "message": line} for line in lines]
    return {"events": events, "nextForwardToken": "f/end"}


ANSWERS: dict[str, Answer] = {
    "/v1/submitjob": submit,
    "/v1/describejobs": describe,
    "/v1/listjobs": listed,
    "/v1/terminatejob": end,
    "/v1/describejobqueues": queues,
    "/v1/describecomputeenvironments": environments,
    "/": log_events,
}


@contextlib.contextmanager
def serving(launcher: Launcher) -> Iterator[dict[str, str]]:
    """Serve, and hand out the variables by which a process finds the server; end all jobs in the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
            content = json.dumps(ANSWERS[self.path](launcher, request)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield {"AWS_ENDPOINT_URL_BATCH": address, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": address}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        launcher.close()
