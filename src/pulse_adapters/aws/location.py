"""Locations in S3: a bucket and the start of its keys; and the options that say how to reach it."""

from __future__ import annotations

import re
from typing import Final, Protocol

import attrs

from pulse_adapters.aws.clients import AwsSettings, region_here
from pulse_adapters.location import Location
from pulse_core.errors import SettingsError

SCHEME: Final = "s3"

_BUCKET: Final = re.compile(r"[A-Za-z0-9._-]{3,255}")


class S3Options(Protocol):
    """The options that say how to reach S3; docs/reference/settings.md explains them."""

    @property
    def aws_region(self) -> str | None: ...  # noqa: D102 - the settings document each option
    @property
    def s3_endpoint_url(self) -> str | None: ...  # noqa: D102
    @property
    def s3_addressing_style(self) -> str: ...  # noqa: D102
    @property
    def s3_checksums(self) -> str: ...  # noqa: D102
    @property
    def s3_max_workers(self) -> int: ...  # noqa: D102
    @property
    def s3_retry_attempts(self) -> int: ...  # noqa: D102
    @property
    def s3_retry_mode(self) -> str: ...  # noqa: D102
    @property
    def s3_transfer_timeout(self) -> float: ...  # noqa: D102


@attrs.frozen
class S3Location:
    """A bucket, and a key or the start of keys in it."""

    bucket: str
    key: str

    @property
    def folder(self) -> S3Location:
        """The location with a slash at its end, unless it is the whole bucket."""
        return self if not self.key or self.key.endswith("/") else attrs.evolve(self, key=f"{self.key}/")


def s3_location(location: Location) -> S3Location:
    """Return bucket and key of `s3://bucket/key`. Raises SettingsError for an invalid bucket."""
    bucket, _, key = location.path.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise SettingsError(["expected s3://bucket/folder, the bucket of letters, digits, '.' and '-'"])
    return S3Location(bucket, key)


def s3_folder(location: Location) -> S3Location:
    """Return bucket and start of the keys below a location, with a slash at its end unless it is exact.

    Raises SettingsError for an invalid bucket.
    """
    source = s3_location(location)
    return source if location.exact else source.folder


def aws_settings(options: S3Options) -> AwsSettings:
    """Return the settings of the clients that the options ask for."""
    return AwsSettings(
        region=options.aws_region or region_here(),
        endpoint_url=options.s3_endpoint_url,
        addressing_style=options.s3_addressing_style,
        checksums=options.s3_checksums,
        max_workers=options.s3_max_workers,
        retry_attempts=options.s3_retry_attempts,
        retry_mode=options.s3_retry_mode,
        transfer_timeout=options.s3_transfer_timeout,
    )
