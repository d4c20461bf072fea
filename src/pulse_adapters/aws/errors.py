"""botocore's errors as ours, at the border: what is wrong, where, and the mend; the cause is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from pulse_core.errors import PulseError

Explained = tuple[str, str]
"""What is wrong, and the mend."""

Kind = Callable[[str, str, str], PulseError]
"""Makes one of our errors of what, where and mend."""

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
"""The permission that an operation of S3 needs, where it has another name."""

_SAME_AGAIN: Final = "Run the same command again; what is done is kept"
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


@contextmanager
def aws_faults(
    kind: Kind, context: str, *, service: str = "s3", resource: str = "", region: str = ""
) -> Iterator[None]:
    """Translate what boto3 raises into an error of this kind at `where`.

    `service` and `resource` (an ARN) say what may be missing from a policy; `region` is the one that was asked.
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        message, hint = _of_answer(error, service, resource or context, region)
        raise kind(message, context, hint) from error
    except (BotoCoreError, Boto3Error) as error:
        message, hint = _of_library(error)
        raise kind(message, context, hint) from error


def code_of(error: Any) -> str:
    """Return the code of a ClientError: a word, or the HTTP status where the answer had no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: Any) -> int:
    """Return the HTTP status of a ClientError."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_absent(error: Any) -> bool:
    """Whether a ClientError says that there is no such object, while there is such a bucket."""
    return code_of(error) in _ABSENT


def _of_answer(error: Any, service: str, resource: str, region: str) -> Explained:
    """Explain an answer that says no."""
    code, operation = code_of(error), error.operation_name
    if code in _CODES:
        return _CODES[code]
    if code in _DENIED:
        action = f"{service}:{_ACTIONS.get(operation, operation) if service == 's3' else operation}"
        return f"access is denied: {action} on {resource}", f"Allow {action} on {resource} to these credentials"
    if code in _WRONG_REGION and (code != "400" or operation.startswith("Head")):
        return _wrong_region(error, region)
    if code in _THROTTLED:
        hint = f"Use fewer workers, or more attempts (--s3-retry-attempts, --s3-retry-mode adaptive). {_SAME_AGAIN}"
        return f"too many requests, and still so after {_attempts(error)} attempts", hint
    message = str(error.response.get("Error", {}).get("Message", "")).strip().rstrip(".")
    told = f"{operation} failed: {code}{f', {message}' if message else ''} (status {status_of(error)})"
    if status_of(error) >= 500:
        return f"{told}, and still so after {_attempts(error)} attempts", _SAME_AGAIN
    return told, "See what the service means by it"


def _wrong_region(error: Any, region: str) -> Explained:
    asked = f"not {region}" if region else "another one"
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    right = headers.get("x-amz-bucket-region") or error.response.get("Error", {}).get("Region")
    if right:
        return f"the bucket is in the region {right}, {asked}", f"Set --aws-region {right}, or AWS_REGION={right}"
    return f"the bucket is in another region, {asked}", "Set --aws-region, or AWS_REGION, to the bucket's region"


def _attempts(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)) + 1


def _of_library(error: Exception) -> Explained:
    """Explain what went wrong on this side, or on the way."""
    for kinds, (message, hint) in _library_kinds():
        if isinstance(error, kinds):
            return message.format(error=_one_line(error)), hint
    return f"{type(error).__name__}: {_one_line(error)}", "See to the settings of AWS on this machine"


def _library_kinds() -> tuple[tuple[tuple[type[Exception], ...], Explained], ...]:
    from botocore import exceptions as botocore

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
        (broken, ("the connection broke off, at every attempt: {error}", f"Check the network. {_SAME_AGAIN}")),
        ((botocore.ParamValidationError,), ("is refused before it is sent: {error}", "Check bucket and key")),
        ((botocore.FlexibleChecksumError, botocore.ChecksumError), ("arrived damaged: {error}", _SAME_AGAIN)),
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")[:300]
