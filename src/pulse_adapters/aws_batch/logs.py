"""Logs of a job's attempts, from CloudWatch Logs: a stream for each attempt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from pulse_adapters.aws.errors import aws_faults
from pulse_core.errors import PulseError

GROUP: Final = "/aws/batch/job"
"""Where Batch writes unless the job's definition names another group."""


@attrs.frozen
class Line:
    """A line of a log and the time when it was written (UTC)."""

    time: datetime
    text: str


@attrs.frozen
class Logs:
    """Log streams of one group; `client` is boto3's for CloudWatch Logs. Raises PulseError."""

    client: Any
    group: str = GROUP

    def lines(self, stream: str) -> Iterator[Line]:
        """Yield a stream's lines from the first on."""
        token: dict[str, str] = {}
        while True:
            with aws_faults(PulseError, f"{self.group}/{stream}", service="logs"):
                response = self.client.get_log_events(
                    logGroupName=self.group, logStreamName=stream, startFromHead=True, **token
                )
            yield from (_line(event) for event in response["events"])
            next_token = response.get("nextForwardToken")
            # at the end of a stream the service returns the token of the request
            if next_token is None or next_token == token.get("nextToken"):
                return
            token = {"nextToken": next_token}


def _line(event: dict[str, Any]) -> Line:
    return Line(datetime.fromtimestamp(event["timestamp"] / 1000, UTC), event["message"].rstrip("\n"))
