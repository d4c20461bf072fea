"""Clients of AWS: one for each process, service and settings, with fixed retries, time limits and pool size.

Threads may share a client, but not a session, and neither may enter another process. So adapters hold `AwsSettings`,
which pickle, and call `client` whenever they need one.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import Any, Final

import attrs

from pulse_adapters.aws.responses import refuse_foreign
from pulse_adapters.aws.transfers import limit_transfers

DEFAULT_REGION: Final = "us-east-1"
_BESIDE: Final = 8
"""Connections beside those of the workers: uploads of a unit, the renewal of a claim, the main thread."""

_clients: Final[dict[tuple[int, str, AwsSettings], Any]] = {}
_lock: Final = Lock()


def region_here() -> str:
    """Return the region of the environment. boto3 itself reads AWS_DEFAULT_REGION only."""
    names = ("AWS_REGION", "AWS_DEFAULT_REGION")
    return next((os.environ[name] for name in names if os.environ.get(name)), DEFAULT_REGION)


@attrs.frozen(kw_only=True)
class AwsSettings:
    """How to reach a service of AWS, or a server with its interface.

    The region is resolved when the settings are created, not in the worker that unpickles them. Credentials are no part
    of them: each process finds its own, as every tool of AWS does. `retry_attempts` counts the first attempt too.
    Times are in seconds; `transfer_timeout` is for a whole request with its answer, 0 for no limit. `addressing_style`
    and `checksums` concern S3.
    """

    region: str = attrs.field(factory=region_here)
    endpoint_url: str | None = None
    addressing_style: str = "auto"
    checksums: str = "when_supported"
    max_workers: int = 16
    retry_attempts: int = 3
    retry_mode: str = "standard"
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    transfer_timeout: float = 300.0


def client(service: str, settings: AwsSettings) -> Any:
    """Return this process's client of a service such as `s3` or `batch`. Raises errors of botocore: see errors.py."""
    key = (os.getpid(), service, settings)
    with _lock:
        if key not in _clients:
            _clients[key] = _new_client(service, settings)
        return _clients[key]


def _new_client(service: str, settings: AwsSettings) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=settings.max_workers + _BESIDE,
        retries={"mode": settings.retry_mode, "total_max_attempts": settings.retry_attempts},
        request_checksum_calculation=settings.checksums,
        response_checksum_validation=settings.checksums,
        s3={"addressing_style": settings.addressing_style},
        tcp_keepalive=True,
    )
    created = boto3.Session().client(
        service, region_name=settings.region, endpoint_url=settings.endpoint_url, config=config
    )
    limit_transfers(created, settings.transfer_timeout)
    if service == "s3":
        created.meta.events.register("after-call.s3", refuse_foreign)
    return created
