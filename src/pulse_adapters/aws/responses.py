"""What a response of S3 must be before it is believed: from an S3 server, and with a body that is the whole object."""

from __future__ import annotations

import base64
import hashlib
import re
from contextlib import suppress
from typing import Any, Final

import attrs

from pulse_adapters.aws.errors import UnusableResponse

_MD5: Final = re.compile(r'"?([0-9a-f]{32})"?')
_PAGE: Final = re.compile(rb"\s*<(!doctype )?html", re.IGNORECASE)

SHA256_METADATA: Final = "sha256"
"""The user metadata of an object (`x-amz-meta-sha256`) that hold the SHA-256 of its content, as its writer knew it."""


@attrs.frozen
class Head:
    """What HEAD tells of an object; `sha256` is of its content, in hexadecimal, "" where nobody has noted it."""

    size: int
    etag: str
    sha256: str = ""


def refuse_foreign(http_response: Any, parsed: Any, model: Any, **further: Any) -> None:
    """Refuse a page where S3 answers with XML or nothing; for botocore's event `after-call.s3`.

    Raises UnusableResponse.
    """
    del parsed, further
    streams = model.name == "GetObject"  # its body is the object's, which may be a page
    if http_response.status_code >= 300 or streams:
        return
    if _PAGE.match(http_response.content):
        raise UnusableResponse.foreign(f"it answered {model.name} with a page")
    if model.name == "DeleteObjects" and b"DeleteResult" not in http_response.content:
        raise UnusableResponse.foreign("its answer to DeleteObjects is none")


def etag_of(response: dict[str, Any]) -> str:
    """Return the ETag, which every object of S3 has. Raises UnusableResponse."""
    etag: str = response.get("ETag", "")
    if not etag:
        details = response.get("ResponseMetadata", {})
        kind = details.get("HTTPHeaders", {}).get("content-type", "") or "no content type"
        raise UnusableResponse.foreign(f"its answer has status {details.get('HTTPStatusCode')}, {kind} and no ETag")
    return etag


def head_of(response: dict[str, Any]) -> Head:
    """Return what a response to HEAD tells. Raises UnusableResponse."""
    sha256 = response.get("Metadata", {}).get(SHA256_METADATA, "")
    checksum = response.get("ChecksumSHA256", "")
    with suppress(ValueError):  # that of an object in parts, `<checksum of the checksums>-<parts>`, is no Base64
        sha256 = base64.b64decode(checksum, validate=True).hex() or sha256
    return Head(int(response.get("ContentLength", -1)), etag_of(response), sha256)


def require_length(content: bytes, expected: int | None, source: str) -> None:
    """Require so many bytes, where the number is known, from `source`. Raises UnusableResponse."""
    if expected is not None and len(content) != expected:
        raise UnusableResponse(f"arrived cut: {expected} bytes were expected by its {source}, {len(content)} received")


def contradicts_etag(response: dict[str, Any], content: bytes) -> bool:
    """Whether the ETag has the form of an MD5 and is not that of the content.

    S3 of AWS promises the MD5 for objects that were not stored in parts, unless they are encrypted with keys of KMS or
    of the client. Other servers may put anything there.
    """
    match = _MD5.fullmatch(response.get("ETag", ""))
    encrypted = response.get("ServerSideEncryption", "AES256") != "AES256" or "SSECustomerAlgorithm" in response
    if match is None or encrypted:
        return False
    return hashlib.md5(content, usedforsecurity=False).hexdigest() != match[1]


def require_stored(response: dict[str, Any], sha256: str) -> str:
    """Return the ETag of what was stored; where the response tells a checksum, it must be this one, if one is given.

    Raises UnusableResponse.
    """
    etag = etag_of(response)
    checksum = response.get("ChecksumSHA256", "")
    if sha256 and checksum and checksum != base64_of(sha256):
        raise UnusableResponse("was stored with another checksum than that of its content")
    return etag


def base64_of(sha256: str) -> str:
    """Return a hexadecimal checksum as S3 writes it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()
