"""A bucket of S3: objects, listings page by page, and every error of boto3 translated into one of ours.

Two things go beyond botocore: a body that breaks off is fetched again, and of colliding writers the winner is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    """An object in a listing."""

    key: str
    size: int
    etag: str
    modified: datetime


@attrs.frozen
class Fetched:
    """A fetched object."""

    etag: str
    content: bytes


@attrs.frozen
class Bucket:
    """A bucket by name; `unavailable` makes its errors. It survives pickling and opens a client in each process."""

    name: str
    aws: AwsSettings
    unavailable: Kind

    @property
    def client(self) -> Any:
        """This process's client."""
        return client("s3", self.aws)

    @property
    def is_aws(self) -> bool:
        """Whether this is S3 of AWS, not another server with its interface."""
        host = urlsplit(self.client.meta.endpoint_url).hostname or ""
        return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))

    def address(self, key: str) -> str:
        """Return an object's full name: `s3://bucket/key`."""
        return f"s3://{self.name}/{key}"

    def get(self, key: str, part: tuple[int, int] | None = None) -> Fetched | None:
        """Return an object, or so many bytes from a first one on, `part`; None where there is no such object."""
        from botocore.exceptions import ClientError

        with self.faults(key):
            try:
                return self._body_of(key, part)
            except ClientError as error:
                if is_absent(error):
                    return None
                raise

    def _body_of(self, key: str, part: tuple[int, int] | None = None) -> Fetched:
        from botocore.exceptions import FlexibleChecksumError, IncompleteReadError, ResponseStreamingError

        broken = (FlexibleChecksumError, IncompleteReadError, ResponseStreamingError)
        option = {} if part is None else {"Range": f"bytes={part[0]}-{part[0] + part[1] - 1}"}
        for attempt in attempts(self.aws.retry_attempts, broken):
            with attempt:
                response = self.client.get_object(Bucket=self.name, Key=key, **option)
                return Fetched(response["ETag"], _body(response))
        raise AssertionError("the last attempt returns or raises")

    def put(self, key: str, content: bytes) -> None:
        """Store an object, replacing an older one."""
        with self.faults(key):
            self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def create(self, key: str, content: bytes) -> bool:
        """Store an object unless the key is taken; return whether it was free. Needs conditional writes."""
        with self.faults(key):
            for attempt in attempts(self.aws.retry_attempts, _is_conflict):
                with attempt:
                    return self._created(key, content, repeated=attempt.num > 1)
        raise AssertionError("the last attempt returns or raises")

    def _created(self, key: str, content: bytes, *, repeated: bool) -> bool:
        from botocore.exceptions import ClientError

        try:
            self.client.put_object(Bucket=self.name, Key=key, Body=content, IfNoneMatch="*")
        except ClientError as error:
            if status_of(error) != 412:
                raise
            return self._succeeded_before(error, key, content, repeated=repeated)
        return True

    def exchange(self, key: str, content: bytes, etag: str) -> bool:
        """Store an object in place of one with this ETag, or of any with an empty one; return whether it was there."""
        with self.faults(key):
            for attempt in attempts(self.aws.retry_attempts, _is_conflict):
                with attempt:
                    return self._exchanged(key, content, etag, repeated=attempt.num > 1)
        raise AssertionError("the last attempt returns or raises")

    def _exchanged(self, key: str, content: bytes, etag: str, *, repeated: bool) -> bool:
        from botocore.exceptions import ClientError

        condition = {"IfMatch": etag} if etag else {}
        try:
            self.client.put_object(Bucket=self.name, Key=key, Body=content, **condition)
        except ClientError as error:
            if status_of(error) != 412 and not is_absent(error):
                raise
            return self._succeeded_before(error, key, content, repeated=repeated)
        return True

    def _succeeded_before(self, refusal: Any, key: str, content: bytes | None, *, repeated: bool) -> bool:
        """Whether an earlier attempt to make this the content has succeeded, although its response was lost."""
        if not repeated and not refusal.response["ResponseMetadata"].get("RetryAttempts"):
            return False
        stored = self.get(key)
        return (None if stored is None else stored.content) == content

    def upload(self, key: str, file: IO[bytes]) -> None:
        """Store the content of a file from its first byte, in parts where it is large."""
        from boto3.s3.transfer import TransferConfig

        config = TransferConfig(
            multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, max_concurrency=self.aws.max_workers
        )
        file.seek(0)
        with self.faults(key):
            self.client.upload_fileobj(_Unclosable(file), self.name, key, Config=config)

    def list(self, prefix: str, *, below: bool = True) -> Iterator[Listed]:
        """Yield the objects whose keys have this prefix, sorted; without `below`, only those of this folder."""
        for page in self._pages(prefix, below=below):
            for entry in page.get("Contents", ()):
                yield Listed(entry["Key"], entry["Size"], entry["ETag"], entry["LastModified"])

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the prefixes of the folders in this folder, each with its slash."""
        for page in self._pages(prefix, below=False):
            for entry in page.get("CommonPrefixes", ()):
                if self.is_aws or self.has_any(entry["Prefix"]):  # other servers list emptied folders
                    yield entry["Prefix"]

    def has_any(self, prefix: str) -> bool:
        """Whether an object's key has this prefix."""
        with self.faults(prefix, resource=""):
            return bool(self.client.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1).get("Contents"))

    def _pages(self, prefix: str, *, below: bool) -> Iterator[dict[str, Any]]:
        options = {"Bucket": self.name, "Prefix": prefix, **({} if below else {"Delimiter": "/"})}
        with self.faults(prefix, resource=""):
            yield from self.client.get_paginator("list_objects_v2").paginate(**options)

    def delete(self, key: str) -> None:
        """Remove an object if it exists."""
        from botocore.exceptions import ClientError

        with self.faults(key):
            try:
                self.client.delete_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if not is_absent(error):
                    raise

    def delete_exact(self, key: str, etag: str) -> bool:
        """Remove the object that has this ETag; return whether it was there. Needs conditional writes."""
        with self.faults(key):
            for attempt in attempts(self.aws.retry_attempts, _is_conflict):
                with attempt:
                    return self._deleted(key, etag, repeated=attempt.num > 1)
        raise AssertionError("the last attempt returns or raises")

    def _deleted(self, key: str, etag: str, *, repeated: bool) -> bool:
        from botocore.exceptions import ClientError

        try:
            self.client.delete_object(Bucket=self.name, Key=key, IfMatch=etag)
        except ClientError as error:
            if status_of(error) != 412 and not is_absent(error):
                raise
            return self._succeeded_before(error, key, None, repeated=repeated)
        return True

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove objects, up to 1,000 in a request."""
        remaining = iter(keys)
        while batch := list(islice(remaining, _DELETED_AT_ONCE)):
            with self.faults(batch[0]):
                objects = [{"Key": key} for key in batch]
                response = self.client.delete_objects(Bucket=self.name, Delete={"Objects": objects, "Quiet": True})
            for failure in response.get("Errors", ()):
                message = f"cannot be removed: {failure.get('Code')}, {failure.get('Message')}"
                raise self.unavailable(message, self.address(failure.get("Key", "")), "Allow s3:DeleteObject there")

    def uploads(self, prefix: str, before: datetime) -> Sequence[dict[str, Any]]:
        """Return the uploads in parts that began before a moment: their writers have ended."""
        with self.faults(prefix, resource=""):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.name, Prefix=prefix)
            uploads = [upload for page in pages for upload in page.get("Uploads", ())]
        return [upload for upload in uploads if upload["Initiated"] < before]

    def abort_uploads(self, prefix: str, before: datetime) -> None:
        """Abort these uploads."""
        for upload in self.uploads(prefix, before):
            with self.faults(prefix, resource=""):
                self.client.abort_multipart_upload(Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"])

    def faults(self, key: str, resource: str | None = None) -> AbstractContextManager[None]:
        """Translate the errors of boto3; `resource` is the one that a policy must allow, unless it is the key."""
        path = key if resource is None else resource
        arn = f"arn:aws:s3:::{self.name}{f'/{path}' if path else ''}"
        return aws_faults(self.unavailable, self.address(key), resource=arn, region=self.aws.region)


def _body(response: dict[str, Any]) -> bytes:
    """Return the body of a response. Raises ResponseStreamingError where it breaks off."""
    from botocore.exceptions import ReadTimeoutError, ResponseStreamingError

    try:
        content: bytes = response["Body"].read()
    except ReadTimeoutError as error:
        raise ResponseStreamingError(error=error) from error
    finally:
        response["Body"].close()
    return content


def _is_conflict(error: Exception) -> bool:
    """Whether two writers collided at a key, so that neither has won yet."""
    from botocore.exceptions import ClientError

    return isinstance(error, ClientError) and code_of(error) in {"ConditionalRequestConflict", "OperationAborted"}


@attrs.frozen
class _Unclosable:
    """A file that stays open: boto3's transfer closes its file, and the content of a failed one is still needed."""

    _file: IO[bytes]

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, *offset: int) -> int:
        return self._file.seek(*offset)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        """Leave it open."""
