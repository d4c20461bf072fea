"""The servers as fixtures. Each is started once a session, when a test first asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.faults import Proxy, proxied
from tests.servers.moto_server import moto
from tests.servers.s3 import S3Server, environment_of
from tests.servers.seaweedfs import seaweedfs


@pytest.fixture(scope="session")
def seaweedfs_server() -> S3Server:
    """A real S3 server, which checks keys and signatures."""
    return seaweedfs()


@pytest.fixture(scope="session")
def moto_server() -> S3Server:
    """AWS imitated: S3, Batch, Logs, CloudFormation, IAM. It lets anybody in."""
    return moto()


@pytest.fixture
def fault_proxy(seaweedfs_server: S3Server) -> Iterator[Proxy]:
    """A proxy before the real server; sound until told otherwise."""
    with proxied(seaweedfs_server.endpoint) as proxy:
        yield proxy


@pytest.fixture
def in_seaweedfs(seaweedfs_server: S3Server) -> Iterator[S3Server]:
    """The real server, which this process finds and is let into by its environment."""
    with environment_of(seaweedfs_server):
        yield seaweedfs_server
