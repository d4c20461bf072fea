"""Places by name: a folder, or s3://bucket/folder; and what the adapters to S3 need to know from the settings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from pulse_adapters.aws.clients import AwsSettings, region_here
from pulse_adapters.stores.formats.registry import suffix_of
from pulse_adapters.stores.object_cache import ObjectCache
from pulse_entrypoints.settings.locations import DataSettings, ResultsSettings
from pulse_entrypoints.settings.s3 import S3DataSettings, S3Settings

_BUCKET: Final = re.compile(r"[A-Za-z0-9._-]{3,255}")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)


@attrs.frozen
class S3Location:
    """A bucket, and what stands before every key in it, as it is; or the key of one long file."""

    bucket: str
    prefix: str

    @property
    def is_long_file(self) -> bool:
        """Whether it is one file of many variables."""
        return suffix_of(self.prefix) is not None


def scheme_of(place: str) -> str:
    """Return what stands before `://`, and `folder` where nothing does."""
    match = _SCHEME.fullmatch(place)
    return match[1].lower() if match else "folder"


def s3_place(place: str) -> S3Location:
    """Return the bucket and folder, or file, of `s3://bucket/folder`. Raises ValueError."""
    bucket, _, key = place.partition("://")[2].partition("/")  # no URL: `?` and `#` may stand in a key
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("expected s3://bucket/folder, the bucket of letters, digits, '.' and '-'")
    if key and not key.endswith("/") and suffix_of(key) is None:
        key += "/"
    return S3Location(bucket, key)


def data_in_s3(settings: DataSettings) -> S3Location | None:
    """Return where in S3 the data are, or None where they are in a folder. Raises ValueError."""
    if settings.s3_data_bucket is not None:
        return S3Location(settings.s3_data_bucket, settings.s3_data_prefix)
    return s3_place(settings.data) if scheme_of(settings.data) == "s3" else None


def results_in_s3(settings: ResultsSettings) -> S3Location | None:
    """Return where in S3 the results belong, or None where they belong in a folder. Raises ValueError."""
    if settings.s3_results_bucket is not None:
        return S3Location(settings.s3_results_bucket, settings.s3_results_prefix)
    place = s3_place(settings.results) if scheme_of(settings.results) == "s3" else None
    if place is not None and place.is_long_file:
        raise ValueError("is a file; name a folder in the bucket")
    return place


def aws_of(settings: S3Settings) -> AwsSettings:
    """Return how to reach S3."""
    return AwsSettings(
        region=settings.aws_region or region_here(),
        endpoint_url=settings.s3_endpoint_url,
        addressing_style=settings.s3_addressing_style,
        checksums=settings.s3_checksums,
        max_workers=settings.s3_max_workers,
        retry_attempts=settings.s3_retry_attempts,
        retry_mode=settings.s3_retry_mode,
    )


def cache_of(settings: S3DataSettings, environment: Mapping[str, str] = os.environ) -> ObjectCache | None:
    """Return the cache of fetched objects, or None where it has no room."""
    if not settings.cache_max_size:
        return None
    home = Path(environment.get("XDG_CACHE_HOME") or "~/.cache")
    folder = settings.cache_dir or home / "pulse"
    return ObjectCache(folder.expanduser(), settings.cache_max_size)
