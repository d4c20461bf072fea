"""Translation of boto3's errors into ours: message, context and hint; the cause stays attached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from pulse_core.errors import PulseError

Explained = tuple[str, str]
"""A message and a hint."""

Kind = Callable[[str, str, str], PulseError]
"""Makes one of our errors of message, context and hint."""

_ACTIONS: Final = {
    "HeadObject": "GetObject",
    "HeadBucket": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
}
"""The permission for an operation of S3, where their names differ."""

_REPEAT: Final = "Run the same command again; what is done is kept"
_CREDENTIALS: Final = (
    "Give credentials as for any tool of AWS: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, "
    "'aws sso login', or a role of the machine or container"
)
_NEW_CREDENTIALS: Final = "Get new credentials, e.g. by 'aws sso login', and run the same command again"

_CODES: Final[dict[str, Explained]] = {
    "NoSuchBucket": ("there is no such bucket", "Check its name and the endpoint, or create it"),
    "NoSuchKey": ("there is no such object", "Check bucket and key"),
    "ExpiredToken": ("the credentials have expired", _NEW_CREDENTIALS),
    "ExpiredTokenException": ("the credentials have expired", _NEW_CREDENTIALS),
    "TokenRefreshRequired": ("the credentials have expired", _NEW_CREDENTIALS),
    "RequestExpired": ("the request came too late", "Set this machine's clock: AWS allows 15 minutes"),
    "RequestTimeTooSkewed": (
        "this machine's clock is more than 15 minutes wrong, so that no request is accepted",
        "Set the clock, e.g. by 'timedatectl set-ntp true'",
    ),
    "InvalidAccessKeyId": ("the access key is not known there", _CREDENTIALS),
    "InvalidClientTokenId": ("the access key is not known there", _CREDENTIALS),
    "UnrecognizedClientException": ("the access key is not known there", _CREDENTIALS),
    "InvalidToken": ("the session token is not valid there", _CREDENTIALS),
    "SignatureDoesNotMatch": ("the secret key does not belong to the access key", _CREDENTIALS),
    "InvalidBucketName": ("is no name that a bucket can have", "Check the bucket's name"),
    "EntityTooLarge": ("the object is larger than S3 takes", "Use smaller units (--unit-size)"),
    "InvalidObjectState": ("the object is archived", "Restore it from its archive first"),
}
_WRONG_REGION: Final = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301", "400"}
)
_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled", "403"}
)
_THROTTLED: Final = frozenset(
    {"SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "TooManyRequests"}
    | {"TooManyRequestsException", "BandwidthLimitExceeded", "RequestThrottled", "503"}
)
_ABSENT: Final = frozenset({"NoSuchKey", "404", "NotFound"})


FOREIGN_HINT: Final = (
    "Check the endpoint (--s3-endpoint-url, AWS_ENDPOINT_URL_S3), the proxies (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), and "
    "whether this network wants a login first"
)
FOREIGN: Final = "what answered is no S3 server"
_FOREIGN_STATUSES: Final = frozenset({302, 303, 305, 307, 308, 407, 511})
"""Redirections to a page, and proxies that want a login; S3 redirects with a code of its own in the body."""


class UnusableResponse(Exception):
    """A response without a fault in it that cannot be believed: what is wrong, and a hint."""

    def __init__(self, message: str, hint: str = _REPEAT) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    @classmethod
    def foreign(cls, description: str) -> UnusableResponse:
        """Return the error of an answer that no S3 server gives."""
        return cls(f"{FOREIGN}: {description}", FOREIGN_HINT)


@contextmanager
def aws_faults(
    kind: Kind, context: str, *, service: str = "s3", resource: str = "", region: str = ""
) -> Iterator[None]:
    """Translate an error of boto3 into one of this kind, about `context`.

    `service` and `resource` (an ARN) name what a policy may lack; `region` is the region of the request.
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        message, hint = _of_response(error, service, resource or context, region)
        raise kind(message, context, hint) from error
    except UnusableResponse as error:
        raise kind(error.message, context, error.hint) from error
    except (BotoCoreError, Boto3Error) as error:
        message, hint = _of_library(error)
        raise kind(message, context, hint) from error


def code_of(error: Any) -> str:
    """Return the code of a ClientError: a word, or the HTTP status where the response had no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: Any) -> int:
    """Return the HTTP status of a ClientError."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_absent(error: Any) -> bool:
    """Whether a ClientError says that the bucket has no such object."""
    return code_of(error) in _ABSENT


def _of_response(error: Any, service: str, resource: str, region: str) -> Explained:
    """Return message and hint for an error response."""
    code, operation = code_of(error), error.operation_name
    if code in _CODES:
        return _CODES[code]
    if code in _DENIED:
        action = f"{service}:{_ACTIONS.get(operation, operation) if service == 's3' else operation}"
        return f"access is denied: {action} on {resource}", f"Allow {action} on {resource} to these credentials"
    if code in _WRONG_REGION and (code != "400" or operation.startswith("Head")):
        return _wrong_region(error, region)
    if code in _THROTTLED:
        hint = f"Use fewer workers, or more attempts (--s3-retry-attempts, --s3-retry-mode adaptive). {_REPEAT}"
        return f"too many requests, and still so after {_attempts(error)} attempts", hint
    return _other(error)


def _other(error: Any) -> Explained:
    """Return message and hint for an error response whose code has no entry here."""
    code, operation = code_of(error), error.operation_name
    message = str(error.response.get("Error", {}).get("Message", "")).strip().rstrip(".")
    if status_of(error) in _FOREIGN_STATUSES and not code.isalpha():
        return f"{FOREIGN}: it answered {operation} with status {status_of(error)}", FOREIGN_HINT
    failure = f"{operation} failed: {code}{f', {message}' if message else ''} (status {status_of(error)})"
    if status_of(error) >= 500:
        return f"{failure}, and still so after {_attempts(error)} attempts", _REPEAT
    return failure, f"Look up {code} in the documentation of {operation}"


def _wrong_region(error: Any, region: str) -> Explained:
    requested = f"not {region}" if region else "another one"
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    actual = headers.get("x-amz-bucket-region") or error.response.get("Error", {}).get("Region")
    if actual:
        return (
            f"the bucket is in the region {actual}, {requested}",
            f"Set --aws-region {actual}, or AWS_REGION={actual}",
        )
    return f"the bucket is in another region, {requested}", "Set --aws-region, or AWS_REGION, to the bucket's region"


def _attempts(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)) + 1


def _of_library(error: Exception) -> Explained:
    """Return message and hint for an error on this side, or on the way."""
    for kinds, (message, hint) in _library_kinds():
        if isinstance(error, kinds):
            return message.format(error=_one_line(error)), hint
    return f"{type(error).__name__}: {_one_line(error)}", "Check the settings of AWS on this machine"


def _library_kinds() -> tuple[tuple[tuple[type[Exception], ...], Explained], ...]:
    from botocore import exceptions as botocore
    from botocore import parsers as botocore_parsers

    expired = (botocore.UnauthorizedSSOTokenError, botocore.SSOTokenLoadError, botocore.TokenRetrievalError)
    lacking = (botocore.NoCredentialsError, botocore.NoAuthTokenError, botocore.PartialCredentialsError)
    unreachable = (botocore.EndpointConnectionError, botocore.ConnectTimeoutError, botocore.ProxyConnectionError)
    broken = (
        *(botocore.ReadTimeoutError, botocore.ConnectionClosedError, botocore.ResponseStreamingError),
        *(botocore.IncompleteReadError, botocore.HTTPClientError),
    )
    network = "Check the endpoint (--s3-endpoint-url, AWS_ENDPOINT_URL_S3), the region and the network"
    return (
        (expired, ("the credentials have expired: {error}", _NEW_CREDENTIALS)),
        (lacking, ("there are no credentials: {error}", _CREDENTIALS)),
        ((botocore.CredentialRetrievalError, botocore.ProfileNotFound), ("no credentials: {error}", _CREDENTIALS)),
        ((botocore.SSLError,), ("the connection is not secure: {error}", "Check the endpoint and AWS_CA_BUNDLE")),
        (unreachable, ("cannot be reached: {error}", network)),
        (broken, ("the connection broke off, at every attempt: {error}", f"Check the network. {_REPEAT}")),
        ((botocore_parsers.ResponseParserError,), (f"{FOREIGN}: its answer cannot be read: {{error}}", FOREIGN_HINT)),
        ((botocore.ParamValidationError,), ("is refused before it is sent: {error}", "Check bucket and key")),
        ((botocore.FlexibleChecksumError, botocore.ChecksumError), ("arrived damaged: {error}", _REPEAT)),
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")[:300]
