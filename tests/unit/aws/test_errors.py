"""Every error of botocore that people meet becomes one of ours, with what to do about it."""

from __future__ import annotations

import re

import pytest
from botocore import exceptions as botocore
from botocore.exceptions import ClientError

from pulse_adapters.aws.errors import aws_faults
from pulse_core.errors import SinkUnavailable, StoreUnavailable

ARN = "arn:aws:s3:::bucket/key"


def answer(
    code: str, operation: str = "GetObject", status: int = 400, retries: int = 0, region: str = ""
) -> ClientError:
    headers = {"x-amz-bucket-region": region} if region else {}
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers, "RetryAttempts": retries}
    return ClientError({"Error": {"Code": code, "Message": "As it is."}, "ResponseMetadata": metadata}, operation)


def translated(error: Exception, service: str = "s3") -> StoreUnavailable:
    with (
        pytest.raises(StoreUnavailable) as caught,
        aws_faults(StoreUnavailable, "s3://bucket/key", service=service, resource=ARN, region="eu-west-1"),
    ):
        raise error
    assert caught.value.__cause__ is error
    assert caught.value.context == "s3://bucket/key"
    assert caught.value.hint
    assert not caught.value.hint.endswith(".")
    return caught.value


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (botocore.NoCredentialsError(), "there are no credentials", "AWS_ACCESS_KEY_ID"),
        (botocore.PartialCredentialsError(provider="env", cred_var="x"), "there are no credentials", "AWS_PROFILE"),
        (botocore.ProfileNotFound(profile="nobody"), "no credentials: .*nobody", "AWS_PROFILE"),
        (botocore.UnauthorizedSSOTokenError(), "have expired", "aws sso login"),
        (answer("ExpiredToken"), "have expired", "aws sso login"),
        (
            answer("AccessDenied", status=403),
            f"access is denied: s3:GetObject on {ARN}",
            f"Allow s3:GetObject on {ARN}",
        ),
        (answer("AccessDenied", "ListObjectsV2", 403), "s3:ListBucket", "Allow s3:ListBucket"),
        (answer("AccessDenied", "UploadPart", 403), "s3:PutObject", "Allow s3:PutObject"),
        (answer("AccessDenied", "CopyObject", 403), "s3:PutObject", "Allow s3:PutObject"),
        (answer("403", "HeadObject", 403), "s3:GetObject", "Allow s3:GetObject"),
        (answer("NoSuchBucket", status=404), "no such bucket", "Check its name"),
        (answer("NoSuchKey", status=404), "no such object", "Check bucket and key"),
        (answer("InvalidAccessKeyId", status=403), "access key is not known", "Give credentials"),
        (answer("SignatureDoesNotMatch", status=403), "secret key does not belong", "Give credentials"),
        (answer("RequestTimeTooSkewed", status=403), "clock is more than 15 minutes wrong", "Set the clock"),
        (
            answer("PermanentRedirect", status=301, region="us-west-2"),
            "in the region us-west-2, not eu-west-1",
            "--aws-region us-west-2",
        ),
        (answer("AuthorizationHeaderMalformed"), "another region", "Set --aws-region"),
        (
            answer("SlowDown", status=503, retries=2),
            "too many requests, and still so after 3 attempts",
            "fewer workers",
        ),
        (answer("InternalError", status=500, retries=2), "still so after 3 attempts", "Run the same command again"),
        (answer("Strange"), r"GetObject failed: Strange, As it is \(status 400\)", "Look up Strange"),
        (botocore.EndpointConnectionError(endpoint_url="http://x"), "cannot be reached", "--s3-endpoint-url"),
        (botocore.ConnectTimeoutError(endpoint_url="http://x"), "cannot be reached", "--s3-endpoint-url"),
        (botocore.ReadTimeoutError(endpoint_url="http://x"), "broke off", "Check the network"),
        (botocore.ConnectionClosedError(endpoint_url="http://x"), "broke off", "Check the network"),
        (botocore.ResponseStreamingError(error="cut"), "broke off", "Check the network"),
        (botocore.SSLError(endpoint_url="https://x", error="self signed"), "not secure", "AWS_CA_BUNDLE"),
        (botocore.ParamValidationError(report="bad bucket"), "refused before it is sent", "Check bucket and key"),
        (botocore.InvalidRegionError(region_name="x y"), "InvalidRegionError", "settings of AWS"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_has_a_message_and_a_hint(error, message, hint):
    error_of_ours = translated(error)
    assert re.search(message, error_of_ours.message)
    assert hint in error_of_ours.hint


def test_another_service_names_its_own_action():
    error_of_ours = translated(answer("AccessDeniedException", "SubmitJob", 403), service="batch")
    assert error_of_ours.message == f"access is denied: batch:SubmitJob on {ARN}"


def test_errors_of_others_pass_through():
    with pytest.raises(ZeroDivisionError), aws_faults(SinkUnavailable, "s3://bucket/key"):
        raise ZeroDivisionError
