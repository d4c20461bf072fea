"""The servers that other tests stand on: that they store, and that the proxy does what it says, no more."""

from __future__ import annotations

import attrs
import botocore.exceptions
import pytest

from tests.servers.faults import Answer, CutBody, LoseAnswer, Reset, SlowDown, Stall
from tests.servers.s3 import BUCKET, S3Server

pytestmark = pytest.mark.integration


@pytest.fixture(params=["seaweedfs_server", "moto_server"])
def server(request: pytest.FixtureRequest) -> S3Server:
    asked: S3Server = request.getfixturevalue(request.param)
    return asked


@pytest.fixture
def through_proxy(seaweedfs_server, fault_proxy):
    return attrs.evolve(seaweedfs_server, endpoint=fault_proxy.endpoint)


def test_a_server_keeps_what_it_is_given(server):
    corner = server.corner()
    server.put(corner, {"a?#%2e/b": b"content"})
    assert server.keys(corner) == ["a?#%2e/b"]
    read = server.client().get_object(Bucket=BUCKET, Key=f"{corner}a?#%2e/b")["Body"].read()
    assert read == b"content"


def test_a_key_is_created_once(server):
    client, key = server.client(), f"{server.corner()}key"
    client.put_object(Bucket=BUCKET, Key=key, Body=b"one", IfNoneMatch="*")
    with pytest.raises(botocore.exceptions.ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"two", IfNoneMatch="*")


def test_the_real_server_lets_only_those_in_who_may(seaweedfs_server):
    stranger = attrs.evolve(seaweedfs_server, secret_key="wrong").client()  # noqa: S106  # is refused
    with pytest.raises(botocore.exceptions.ClientError, match="SignatureDoesNotMatch"):
        stranger.list_objects_v2(Bucket=BUCKET)


def test_the_proxy_passes_everything_on(through_proxy, fault_proxy):
    corner = through_proxy.corner()
    content = bytes(range(256)) * 4_000
    through_proxy.put(corner, {"large": content, "empty": b""})
    client = through_proxy.client()
    assert through_proxy.keys(corner) == ["empty", "large"]
    assert client.get_object(Bucket=BUCKET, Key=f"{corner}large")["Body"].read() == content
    assert client.head_object(Bucket=BUCKET, Key=f"{corner}large")["ContentLength"] == len(content)
    client.delete_object(Bucket=BUCKET, Key=f"{corner}large")
    assert through_proxy.keys(corner) == ["empty"]
    assert fault_proxy.count("GET", with_body=True) == 3
    assert {seen.status for seen in fault_proxy.seen} == {200, 204}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Reset(), botocore.exceptions.ConnectionClosedError),
        (Stall(), botocore.exceptions.ReadTimeoutError),
        (SlowDown(), botocore.exceptions.ClientError),
        (Answer(500, b"<Error><Code>InternalError</Code></Error>"), botocore.exceptions.ClientError),
    ],
)
def test_the_proxy_does_what_it_is_told_at_the_request_it_is_told(through_proxy, fault_proxy, fault, error):
    key = f"{through_proxy.corner()}key"
    through_proxy.client().put_object(Bucket=BUCKET, Key=key, Body=b"content")
    client = through_proxy.client(connect_timeout=2, read_timeout=0.5)
    fault_proxy.plan(None, fault, fault)
    read = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with pytest.raises(error):  # the client tries twice
        client.get_object(Bucket=BUCKET, Key=key)
    assert read == client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"content"


def test_a_body_is_cut_in_the_middle(through_proxy, fault_proxy):
    key = f"{through_proxy.corner()}key"
    through_proxy.client().put_object(Bucket=BUCKET, Key=key, Body=b"x" * 100_000)
    fault_proxy.plan(CutBody(50_000))
    answer = through_proxy.client().get_object(Bucket=BUCKET, Key=key)
    assert answer["ContentLength"] == 100_000
    with pytest.raises(botocore.exceptions.ResponseStreamingError):
        answer["Body"].read()


def test_an_answer_is_lost_after_the_deed(through_proxy, fault_proxy):
    key = f"{through_proxy.corner()}key"
    fault_proxy.plan(LoseAnswer())
    with pytest.raises(botocore.exceptions.ClientError, match="PreconditionFailed"):  # the client's second try
        through_proxy.client().put_object(Bucket=BUCKET, Key=key, Body=b"content", IfNoneMatch="*")
    assert through_proxy.client().get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"content"
