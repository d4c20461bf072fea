"""Parts and results in S3: what was confirmed is there, and what is there is told by HEAD."""

from __future__ import annotations

import numpy as np
import pytest

from pulse.testing.results import publish, run_result
from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.sinks.storage_sink import StorageSink
from pulse_adapters.storage.s3 import S3Storage
from pulse_core.errors import SinkUnavailable
from pulse_core.tables import Labels, PartFacts
from tests.servers.faults import Answer, Proxy
from tests.servers.s3 import BUCKET

pytestmark = pytest.mark.integration

NAME = "scores/part-00000-of-00001"
FOREIGN = {"a page": Answer(200, b"<!doctype html><html>Please log in</html>"), "nothing": Answer(200)}
"""What something else than S3 may answer where it is asked to store an object."""


@pytest.fixture
def sink(fault_proxy: Proxy, in_seaweedfs, tmp_path) -> StorageSink:
    settings = AwsSettings(endpoint_url=fault_proxy.endpoint)
    return StorageSink(S3Storage(BUCKET, in_seaweedfs.corner(), settings, tmp_path / "kept"))


def written(sink: StorageSink, value: float = 1.0) -> PartFacts:
    with sink.part("nightly", NAME) as writer:
        writer.write({"variable": Labels(("a",), np.zeros(1, dtype=np.int32)), "mae": np.array([value])})
    assert writer.facts is not None
    return writer.facts


def test_that_a_part_stands_there_is_asked_by_head_alone(sink, fault_proxy) -> None:
    part = written(sink)
    before = len(fault_proxy.seen)
    assert sink.has_part("nightly", part)
    assert [seen.method for seen in fault_proxy.seen[before:]] == ["HEAD"]


def test_another_object_in_its_place_is_not_the_part(sink) -> None:
    part = written(sink)
    name = f"nightly/{part.name}.parquet"
    content = sink.storage.read(name)
    sink.storage.replace(name, content[:-1] + bytes([content[-1] ^ 1]))
    assert not sink.has_part("nightly", part)
    sink.storage.bucket.client.put_object(Bucket=BUCKET, Key=sink.storage.prefix + name, Body=content)
    assert sink.has_part("nightly", part)  # without a checksum noted, its bytes are


@pytest.mark.parametrize("answer", FOREIGN.values(), ids=FOREIGN)
def test_a_part_that_something_else_than_s3_took_is_an_error(sink, fault_proxy, answer) -> None:
    fault_proxy.choose(lambda seen: answer if seen.method == "PUT" else None)
    with pytest.raises(SinkUnavailable, match="cannot be stored"):
        written(sink)


@pytest.mark.parametrize("answer", FOREIGN.values(), ids=FOREIGN)
def test_a_result_that_something_else_than_s3_took_is_an_error(sink, fault_proxy, answer) -> None:
    fault_proxy.choose(lambda seen: answer if seen.method == "PUT" and seen.path.endswith("result.json") else None)
    with pytest.raises(SinkUnavailable, match="cannot be stored"):
        publish(sink, run_result())
    assert sink.storage.read("nightly/result.json") is None
