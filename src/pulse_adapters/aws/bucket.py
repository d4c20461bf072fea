"""A bucket of S3: objects, listings page by page, and every error of boto3 translated into one of ours.

Three things go beyond botocore: no response is believed that does not prove itself (see responses.py), a body that
breaks off is fetched again, and of colliding writers the winner is found.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import islice
from typing import IO, Any, Final, TypeVar
from urllib.parse import urlsplit

import attrs

from pulse_adapters.aws.clients import AwsSettings, client
from pulse_adapters.aws.errors import Kind, UnusableResponse, aws_faults, code_of, is_absent, status_of
from pulse_adapters.aws.responses import (
    SHA256_METADATA,
    Head,
    base64_of,
    contradicts_etag,
    etag_of,
    head_of,
    require_length,
    require_stored,
)
from pulse_adapters.aws.retries import attempts
from pulse_adapters.aws.transfers import cut_off
from pulse_core.errors import PulseError

_DELETED_AT_ONCE: Final = 1_000
_PART_BYTES: Final = 16 * 2**20

_without_md5: Final[set[tuple[int, str, str]]] = set()
"""Buckets, by process and server, whose ETags were found to be no MD5."""

T = TypeVar("T")


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

    def get(self, key: str, listed: Listed | None = None) -> Fetched | None:
        """Return an object, or None where there is none.

        Its length must be that of the response and, while the ETag is the `listed` one, that of the listing.
        """
        return self._unless_absent(key, lambda: self._body_of(key, listed))

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Return so many bytes of an object from a position on, fewer at its end; None where there is no object."""
        return self._unless_absent(key, lambda: self._tried(lambda: self._range_of(key, start, length)))

    def head(self, key: str) -> Head | None:
        """Return what is known of an object without its content, or None where there is none."""
        return self._unless_absent(key, lambda: self._tried(lambda: self._head_of(key)))

    def _unless_absent(self, key: str, request: Callable[[], T]) -> T | None:
        from botocore.exceptions import ClientError

        with self.faults(key):
            try:
                return request()
            except ClientError as error:
                if is_absent(error):
                    return None
                raise

    def _tried(self, request: Callable[[], T]) -> T:
        """Return what a request returns, and repeat it where its response breaks off or cannot be believed."""
        for attempt in attempts(self.aws.retry_attempts, _broken()):
            with attempt:
                return request()
        raise AssertionError("the last attempt returns or raises")

    def _body_of(self, key: str, listed: Listed | None) -> Fetched:
        """Return an object; content that contradicts its ETag twice in the same way is that of a server without MD5."""
        contradictions: set[bytes] = set()
        for attempt in attempts(self.aws.retry_attempts, _broken()):
            with attempt:
                response, content = self._response_of(key, listed)
                if self._server not in _without_md5 and contradicts_etag(response, content):
                    digest = hashlib.sha256(content).digest()
                    if self.is_aws or (digest not in contradictions and attempt.num < self.aws.retry_attempts):
                        contradictions.add(digest)
                        raise UnusableResponse(f"arrived damaged: {len(content)} bytes that contradict its ETag")
                    _without_md5.add(self._server)
                return Fetched(response["ETag"], content)
        raise AssertionError("the last attempt returns or raises")

    def _response_of(self, key: str, listed: Listed | None) -> tuple[dict[str, Any], bytes]:
        response = self.client.get_object(Bucket=self.name, Key=key)
        content, etag = _body(response), etag_of(response)
        require_length(content, response.get("ContentLength"), "Content-Length")
        if listed is not None and etag == listed.etag:
            require_length(content, listed.size, "listing")
        elif listed is not None or "ContentLength" not in response:  # replaced since, or a stream without a length
            head = self._head_of(key)
            if head.etag == etag:
                require_length(content, head.size, "HEAD")
        return response, content

    def _range_of(self, key: str, start: int, length: int) -> bytes:
        from botocore.exceptions import ClientError

        try:
            response = self.client.get_object(Bucket=self.name, Key=key, Range=f"bytes={start}-{start + length - 1}")
        except ClientError as error:
            if status_of(error) == 416:  # it begins behind the end
                return b""
            raise
        content = _body(response)
        etag_of(response)
        require_length(content, response.get("ContentLength"), "Content-Length")
        total = response.get("ContentRange", "").rpartition("/")[2]
        if not total:  # a server that knows no ranges sends all of it
            return content[start : start + length]
        require_length(content, min(length, int(total) - start), "range")
        return content

    def _head_of(self, key: str) -> Head:
        mode = {"ChecksumMode": "ENABLED"} if self.aws.checksums == "when_supported" else {}
        return head_of(self.client.head_object(Bucket=self.name, Key=key, **mode))

    @property
    def _server(self) -> tuple[int, str, str]:
        return os.getpid(), self.client.meta.endpoint_url, self.name

    def put(self, key: str, content: bytes, sha256: str = "") -> str:
        """Store an object, replacing an older one; return its ETag.

        `sha256`, of the content and in hexadecimal, is kept with the object, and `head` tells it.
        """
        with self.faults(key):
            return self._tried(lambda: self._put(key, content, sha256))

    def _put(self, key: str, content: bytes | IO[bytes], sha256: str, **options: Any) -> str:
        if sha256:
            options["Metadata"] = {SHA256_METADATA: sha256}
            if self.aws.checksums == "when_supported":
                options["ChecksumSHA256"] = base64_of(sha256)
        response = self.client.put_object(Bucket=self.name, Key=key, Body=content, **options)
        return require_stored(response, sha256)

    def create(self, key: str, content: bytes) -> bool:
        """Store an object unless the key is taken; return whether it was free. Needs conditional writes.

        The SHA-256 of the content is kept with it, as with what `exchange` stores, and `head` tells it.
        """
        with self.faults(key):
            for attempt in attempts(self.aws.retry_attempts, _is_undecided):
                with attempt:
                    return self._created(key, content, repeated=attempt.num > 1)
        raise AssertionError("the last attempt returns or raises")

    def _created(self, key: str, content: bytes, *, repeated: bool) -> bool:
        from botocore.exceptions import ClientError

        try:
            self._put(key, content, hashlib.sha256(content).hexdigest(), IfNoneMatch="*")
        except ClientError as error:
            if status_of(error) != 412:
                raise
            return self._succeeded_before(error, key, content, repeated=repeated)
        return True

    def exchange(self, key: str, content: bytes, etag: str) -> bool:
        """Store an object in place of one with this ETag, or of any with an empty one; return whether it was there."""
        with self.faults(key):
            for attempt in attempts(self.aws.retry_attempts, _is_undecided):
                with attempt:
                    return self._exchanged(key, content, etag, repeated=attempt.num > 1)
        raise AssertionError("the last attempt returns or raises")

    def _exchanged(self, key: str, content: bytes, etag: str, *, repeated: bool) -> bool:
        from botocore.exceptions import ClientError

        condition = {"IfMatch": etag} if etag else {}
        try:
            self._put(key, content, hashlib.sha256(content).hexdigest(), **condition)
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

    def upload(self, key: str, file: IO[bytes], sha256: str = "") -> None:
        """Store the content of a file from its first byte, in parts where it is large; `sha256` as for `put`."""
        size = file.seek(0, os.SEEK_END)
        with self.faults(key):
            if size <= _PART_BYTES:
                self._tried(lambda: self._put(key, _rewound(file), sha256))
            else:
                self._upload_parts(key, _rewound(file), size, sha256)

    def _upload_parts(self, key: str, file: IO[bytes], size: int, sha256: str) -> None:
        from boto3.s3.transfer import TransferConfig

        config = TransferConfig(
            multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, max_concurrency=self.aws.max_workers
        )
        metadata = {"Metadata": {SHA256_METADATA: sha256}} if sha256 else {}
        try:
            self.client.upload_fileobj(_Unclosable(file), self.name, key, Config=config, ExtraArgs=metadata)
        except KeyError as error:
            raise UnusableResponse.foreign(f"its answer to an upload in parts has no {error}") from error
        stored = self._tried(lambda: self._head_of(key))
        if (stored.size, stored.sha256 or sha256) != (size, sha256 or stored.sha256):
            message = f"was not stored as it was sent: {size} bytes were, {stored.size} are there"
            raise UnusableResponse(message)

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
            page = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1)
            return bool(_required_listing(page).get("Contents"))

    def _pages(self, prefix: str, *, below: bool) -> Iterator[dict[str, Any]]:
        options = {"Bucket": self.name, "Prefix": prefix, **({} if below else {"Delimiter": "/"})}
        with self.faults(prefix, resource=""):
            yield from map(_required_listing, self.client.get_paginator("list_objects_v2").paginate(**options))

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
            for attempt in attempts(self.aws.retry_attempts, _is_undecided):
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
                response = self._tried(partial(self._deletion_of, objects))
            for failure in response.get("Errors", ()):
                message = f"cannot be removed: {failure.get('Code')}, {failure.get('Message')}"
                raise self.unavailable(message, self.address(failure.get("Key", "")), "Allow s3:DeleteObject there")

    def _deletion_of(self, objects: Sequence[dict[str, str]]) -> dict[str, Any]:
        response: dict[str, Any] = self.client.delete_objects(
            Bucket=self.name, Delete={"Objects": objects, "Quiet": True}
        )
        return response

    def uploads(self, prefix: str, before: datetime) -> Sequence[dict[str, Any]]:
        """Return the uploads in parts that began before a moment: their writers have ended."""
        with self.faults(prefix, resource=""):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.name, Prefix=prefix)
            uploads = [upload for page in pages for upload in page.get("Uploads", ())]
        return [upload for upload in uploads if upload["Initiated"] < before]

    def abort_uploads(self, prefixes: Sequence[str], before: datetime) -> None:
        """Abort the uploads in parts to keys with any of these prefixes that began before a moment."""
        common = os.path.commonprefix(prefixes)  # noqa: RUF071  # keys are texts; one listing: there are few of them
        uploads = (upload for upload in self.uploads(common, before) if upload["Key"].startswith(tuple(prefixes)))
        for upload in uploads:
            with self.faults(common, resource=""):
                self.client.abort_multipart_upload(Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"])

    @contextmanager
    def faults(self, key: str, resource: str | None = None) -> Iterator[None]:
        """Translate the errors of boto3; `resource` is the one that a policy must allow, unless it is the key."""
        path = key if resource is None else resource
        arn = f"arn:aws:s3:::{self.name}{f'/{path}' if path else ''}"
        cut_before = cut_off()
        try:
            with aws_faults(self.unavailable, self.address(key), resource=arn, region=self.aws.region):
                yield
        except PulseError as error:
            if cut_off() == cut_before or not isinstance(error.__cause__, _ended_early()):
                raise
            message = f"a transfer took longer than {self.aws.transfer_timeout:g} s, at every attempt, and was cut off"
            hint = "Check the network, or give transfers more time with --s3-transfer-timeout"
            raise self.unavailable(message, self.address(key), hint) from error.__cause__


def _broken() -> tuple[type[Exception], ...]:
    """Return the errors of responses that break off or cannot be believed."""
    from botocore.exceptions import FlexibleChecksumError, IncompleteReadError, ResponseStreamingError

    return UnusableResponse, FlexibleChecksumError, IncompleteReadError, ResponseStreamingError


def _ended_early() -> tuple[type[Exception], ...]:
    """Return the errors that a connection meets whose socket was shut."""
    from botocore import exceptions as botocore

    return botocore.HTTPClientError, botocore.ConnectionError, botocore.IncompleteReadError, botocore.SSLError


def _required_listing(page: dict[str, Any]) -> dict[str, Any]:
    """Return a page of a listing, in which the bucket is named. Raises UnusableResponse."""
    if "Name" not in page and "IsTruncated" not in page:
        raise UnusableResponse.foreign("its answer to ListObjectsV2 is no listing")
    return page


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


def _rewound(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    return file


def _is_undecided(error: Exception) -> bool:
    """Whether two writers collided at a key, so that neither has won yet, or nobody knows what was stored."""
    from botocore.exceptions import ClientError

    if isinstance(error, UnusableResponse):
        return True
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
