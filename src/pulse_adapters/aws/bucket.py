"""A bucket: objects whole, listings page by page, every fault translated into one of ours.

What botocore does not do is done here: a body that breaks off is fetched again, and writers that collide are told
apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import islice
from typing import IO, Any, Final
from urllib.parse import urlsplit

import attrs

from pulse_adapters.aws.clients import AwsSettings, client
from pulse_adapters.aws.errors import Kind, aws_faults, code_of, is_absent, status_of
from pulse_adapters.aws.retries import attempts

_DELETED_AT_ONCE: Final = 1_000
_PART_BYTES: Final = 16 * 2**20


@attrs.frozen
class Listed:
    """An object as a listing tells it."""

    key: str
    size: int
    etag: str
    modified: datetime


@attrs.frozen
class Fetched:
    """An object as it was fetched."""

    etag: str
    content: bytes


@attrs.frozen
class Bucket:
    """A bucket by name; `unavailable` makes the errors of whoever uses it. Pickles; opens clients where it is used."""

    name: str
    aws: AwsSettings
    unavailable: Kind

    @property
    def client(self) -> Any:
        """This process's client."""
        return client("s3", self.aws)

    @property
    def is_aws(self) -> bool:
        """Whether this is S3 itself, and not what speaks as it does."""
        host = urlsplit(self.client.meta.endpoint_url).hostname or ""
        return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))

    def address(self, key: str) -> str:
        """Return an object's name as people and their tools know it."""
        return f"s3://{self.name}/{key}"

    def get(self, key: str) -> Fetched | None:
        """Return an object, or None where there is none."""
        from botocore.exceptions import ClientError

        with self.faults(key):
            try:
                return self._got(key)
            except ClientError as error:
                if is_absent(error):
                    return None
                raise

    def _got(self, key: str) -> Fetched:
        from botocore.exceptions import FlexibleChecksumError, IncompleteReadError, ResponseStreamingError

        broken = (FlexibleChecksumError, IncompleteReadError, ResponseStreamingError)
        for attempt in attempts(self.aws.retry_attempts, broken):
            with attempt:
                answer = self.client.get_object(Bucket=self.name, Key=key)
                return Fetched(answer["ETag"], _body(answer))
        raise AssertionError("the last attempt returns or raises")

    def put(self, key: str, content: bytes) -> None:
        """Store an object in the place of any other."""
        with self.faults(key):
            self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def create(self, key: str, content: bytes) -> bool:
        """Store an object unless there is one; return whether there was none. Needs a server that heeds conditions."""
        with self.faults(key):
            for attempt in attempts(self.aws.retry_attempts, _is_conflict):
                with attempt:
                    return self._created(key, content, again=attempt.num > 1)
        raise AssertionError("the last attempt returns or raises")

    def _created(self, key: str, content: bytes, *, again: bool) -> bool:
        from botocore.exceptions import ClientError

        try:
            self.client.put_object(Bucket=self.name, Key=key, Body=content, IfNoneMatch="*")
        except ClientError as error:
            if status_of(error) != 412:
                raise
            if not again and not error.response["ResponseMetadata"].get("RetryAttempts"):
                return False
            there = self.get(key)  # an earlier attempt may have succeeded, and its answer been lost
            return there is not None and there.content == content
        return True

    def copy(self, source: str, key: str) -> bool:
        """Let the server copy an object of up to 5 GiB; return whether there is one to be copied."""
        from botocore.exceptions import ClientError

        with self.faults(key):
            try:
                self.client.copy_object(Bucket=self.name, Key=key, CopySource={"Bucket": self.name, "Key": source})
            except ClientError as error:
                if is_absent(error):
                    return False
                raise
        return True

    def upload(self, key: str, file: IO[bytes]) -> None:
        """Store a file's content, from its beginning, in parts where it is large."""
        from boto3.s3.transfer import TransferConfig

        config = TransferConfig(
            multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, max_concurrency=self.aws.max_workers
        )
        file.seek(0)
        with self.faults(key):
            self.client.upload_fileobj(_Unclosable(file), self.name, key, Config=config)

    def list(self, prefix: str, *, below: bool = True) -> Iterator[Listed]:
        """Yield the objects whose keys begin so, in the keys' order; without `below` those of this folder alone."""
        for page in self._pages(prefix, below=below):
            for each in page.get("Contents", ()):
                yield Listed(each["Key"], each["Size"], each["ETag"], each["LastModified"])

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the prefixes of the folders in this one, each ending in a slash."""
        for page in self._pages(prefix, below=False):
            for each in page.get("CommonPrefixes", ()):
                if self.is_aws or self.has_any(each["Prefix"]):  # others may tell of folders that are empty by now
                    yield each["Prefix"]

    def has_any(self, prefix: str) -> bool:
        """Whether there is an object whose key begins so."""
        with self.faults(prefix, resource=""):
            return bool(self.client.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1).get("Contents"))

    def _pages(self, prefix: str, *, below: bool) -> Iterator[dict[str, Any]]:
        options = {"Bucket": self.name, "Prefix": prefix, **({} if below else {"Delimiter": "/"})}
        with self.faults(prefix, resource=""):
            yield from self.client.get_paginator("list_objects_v2").paginate(**options)

    def delete(self, key: str, only: str = "") -> bool:
        """Remove an object if it is there, only where it has the ETag `only`; return False where it has another."""
        from botocore.exceptions import ClientError

        with self.faults(key):
            try:
                self.client.delete_object(Bucket=self.name, Key=key, **({"IfMatch": only} if only else {}))
            except ClientError as error:
                if status_of(error) == 412:
                    return False
                if not is_absent(error):
                    raise
        return True

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove objects, many at a time."""
        left = iter(keys)
        while some := list(islice(left, _DELETED_AT_ONCE)):
            with self.faults(some[0]):
                objects = [{"Key": key} for key in some]
                answer = self.client.delete_objects(Bucket=self.name, Delete={"Objects": objects, "Quiet": True})
            for failure in answer.get("Errors", ()):
                message = f"cannot be removed: {failure.get('Code')}, {failure.get('Message')}"
                raise self.unavailable(message, self.address(failure.get("Key", "")), "Allow s3:DeleteObject there")

    def abort_uploads(self, prefix: str, before: datetime) -> None:
        """Abort uploads in parts that were begun before a moment: whoever began them is gone."""
        with self.faults(prefix, resource=""):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.name, Prefix=prefix)
            for upload in [upload for page in pages for upload in page.get("Uploads", ())]:
                if upload["Initiated"] < before:
                    self.client.abort_multipart_upload(Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"])

    def faults(self, key: str, resource: str | None = None) -> AbstractContextManager[None]:
        """Translate what boto3 raises about an object, or with another resource than it about the bucket."""
        named = key if resource is None else resource
        arn = f"arn:aws:s3:::{self.name}{f'/{named}' if named else ''}"
        return aws_faults(self.unavailable, self.address(key), resource=arn, region=self.aws.region)


def _body(answer: dict[str, Any]) -> bytes:
    """Return the whole body of an answer. Raises ResponseStreamingError where it stops coming."""
    from botocore.exceptions import ReadTimeoutError, ResponseStreamingError

    try:
        content: bytes = answer["Body"].read()
    except ReadTimeoutError as error:
        raise ResponseStreamingError(error=error) from error
    finally:
        answer["Body"].close()
    return content


def _is_conflict(error: Exception) -> bool:
    """Whether another writer was at the same key at the same moment, so that neither has won yet."""
    from botocore.exceptions import ClientError

    return isinstance(error, ClientError) and code_of(error) in {"ConditionalRequestConflict", "OperationAborted"}


@attrs.frozen
class _Unclosable:
    """A file to read from that stays open: the transfer closes what it is given, and a failed one must be kept."""

    _file: IO[bytes]

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, *place: int) -> int:
        return self._file.seek(*place)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        """Leave it open."""
