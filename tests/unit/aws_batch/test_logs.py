"""What a job's attempts said."""

from __future__ import annotations

import pytest
from botocore.stub import Stubber

from pulse_adapters.aws_batch.logs import Logs
from pulse_core.errors import PulseError
from tests.unit.aws_batch.answers import NOON, client

FIXED = {"logGroupName": "/pulse", "logStreamName": "pulse/default/1", "startFromHead": True}


def answer(*texts: str, following: str) -> dict[str, object]:
    events = [{"timestamp": NOON, "message": text, "ingestionTime": NOON} for text in texts]
    return {"events": events, "nextForwardToken": following}


def test_a_stream_is_read_to_its_end() -> None:
    with Stubber(client("logs")) as stubber:
        stubber.add_response("get_log_events", answer("one\n", "two", following="f/1"), FIXED)
        stubber.add_response("get_log_events", answer(following="f/2"), FIXED | {"nextToken": "f/1"})
        stubber.add_response("get_log_events", answer("three", following="f/3"), FIXED | {"nextToken": "f/2"})
        stubber.add_response("get_log_events", answer(following="f/3"), FIXED | {"nextToken": "f/3"})
        lines = list(Logs(stubber.client, "/pulse").lines("pulse/default/1"))
        stubber.assert_no_pending_responses()
    assert [line.text for line in lines] == ["one", "two", "three"]
    assert lines[0].time.isoformat() == "2025-06-15T15:06:40+00:00"


def test_a_stream_that_is_not_there_is_named() -> None:
    with Stubber(client("logs")) as stubber:
        stubber.add_client_error("get_log_events", "ResourceNotFoundException", "no such stream")
        with pytest.raises(PulseError) as refused:
            list(Logs(stubber.client, "/pulse").lines("pulse/default/1"))
    assert refused.value.context == "/pulse/pulse/default/1"
