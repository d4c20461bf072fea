"""What a test needs of an S3 server: where it is, who may use it, and a corner that nobody else uses."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import attrs

BUCKET: Final = "pulse-tests"
REGION: Final = "us-east-1"
_corners: Final = itertools.count()


@attrs.frozen
class S3Server:
    """A server that is up, with the bucket `BUCKET` in it."""

    endpoint: str
    access_key: str = "AKTEST"
    secret_key: str = "SKTEST"  # noqa: S105  # of a server on loopback that lives as long as the tests

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which a process finds the server and is let in."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, **settings: Any) -> Any:
        """Return a plain boto3 client, for looking at the server past Pulse."""
        import boto3
        from botocore.config import Config

        session = boto3.Session(
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key, region_name=REGION
        )
        config = Config(
            s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": 2}, **settings
        )
        return session.client("s3", endpoint_url=self.endpoint, config=config)

    def corner(self) -> str:
        """Return a prefix that nothing else of this process uses: `corner-<pid>-<n>/`."""
        return f"corner-{os.getpid()}-{next(_corners)}/"

    def put(self, prefix: str, files: dict[str, bytes]) -> None:
        """Store files under a prefix."""
        client = self.client()
        for name, content in files.items():
            client.put_object(Bucket=BUCKET, Key=f"{prefix}{name}", Body=content)

    def keys(self, prefix: str) -> list[str]:
        """Return what there is under a prefix, without it."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [found["Key"].removeprefix(prefix) for page in pages for found in page.get("Contents", ())]


@functools.cache
def _client(server: S3Server, settings: tuple[tuple[str, float], ...]) -> Any:
    import boto3
    from botocore.config import Config

    session = boto3.Session(
        aws_access_key_id=server.access_key, aws_secret_access_key=server.secret_key, region_name=REGION
    )
    config = Config(
        s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": 2}, **dict(settings)
    )
    return session.client("s3", endpoint_url=server.endpoint, config=config)


@contextmanager
def environment_of(server: S3Server, **more: str) -> Iterator[None]:
    """Let this process find the server and be let in, and nothing of what was set before."""
    before = {name: os.environ[name] for name in os.environ if name.startswith("AWS_")}
    for name in before:
        del os.environ[name]
    os.environ.update(server.environment | more)
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(before)
