"""Clients: one a process and settings, with everything pinned that decides how they behave."""

from __future__ import annotations

import multiprocessing
import pickle

import pytest

from pulse_adapters.aws.clients import AwsSettings, client, region_here

KEYS = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK"}


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({}, "us-east-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-2"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
    ],
)
def test_the_region_is_the_first_that_the_environment_names(monkeypatch, environment, region):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert region_here() == region
    assert client("s3", AwsSettings()).meta.region_name == region


def test_the_region_travels_with_the_settings(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    packed = pickle.dumps(AwsSettings())
    monkeypatch.setenv("AWS_REGION", "us-west-1")
    assert pickle.loads(packed).region == "eu-west-3"


def test_what_decides_how_a_client_behaves_is_pinned():
    settings = AwsSettings(
        endpoint_url="http://127.0.0.1:1",
        retry_attempts=5,
        retry_mode="adaptive",
        max_workers=32,
        addressing_style="path",
        checksums="when_required",
    )
    config = client("s3", settings).meta.config
    assert config.retries["mode"] == "adaptive"
    assert config.retries["total_max_attempts"] == 5
    assert config.max_pool_connections == 32 + 8  # beside the workers: uploads, the claim, the main thread
    assert config.s3["addressing_style"] == "path"
    assert config.request_checksum_calculation == config.response_checksum_validation == "when_required"
    assert (config.connect_timeout, config.read_timeout) == (10.0, 30.0)


def test_a_process_has_one_client_of_the_same_settings():
    assert client("s3", AwsSettings(region="eu-west-1")) is client("s3", AwsSettings(region="eu-west-1"))
    assert client("s3", AwsSettings(region="eu-west-1")) is not client("s3", AwsSettings(region="eu-west-2"))


def _identity(queue) -> None:
    queue.put(id(client("s3", AwsSettings(region="eu-west-1"))))


def test_a_forked_process_makes_a_client_of_its_own():
    mine = client("s3", AwsSettings(region="eu-west-1"))
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=_identity, args=(queue,))
    process.start()
    theirs = queue.get()
    process.join()
    assert theirs != id(mine)
