"""Faults of botocore become ours here, with the mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pulse_core.errors import PulseError

_MENDS: Final = {
    "AccessDeniedException": "Let the role or user do that: deploy/aws-batch.yaml has a policy for operators",
    "ClientException": "Look at the names of queue and job definition, and at the region",
    "ExpiredTokenException": "Sign in again",
    "ResourceNotFoundException": "It is not there (yet): look at the name and the region",
    "TooManyRequestsException": "The service is asked too often: wait a while and try again",
    "UnrecognizedClientException": "Look at the credentials",
}
_OTHER: Final = "See to it and try again"


@contextmanager
def translated(action: str, where: str = "") -> Iterator[None]:
    """Turn botocore's errors into PulseError: `action` could not be done."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        what = f"cannot {action}: {told.get('Message') or told.get('Code') or error}"
        raise PulseError(what.rstrip("."), where, _MENDS.get(told.get("Code", ""), _OTHER)) from error
    except BotoCoreError as error:
        raise PulseError(
            f"cannot {action}: {error}".rstrip("."), where, "Look at credentials, region, network"
        ) from error
