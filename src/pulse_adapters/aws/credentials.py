"""Whether there are credentials, and where they come from; never what they are."""

from __future__ import annotations

from pulse_adapters.aws.errors import Kind, aws_faults


def credentials_source(unavailable: Kind) -> str:
    """Return where the credentials come from, e.g. `env` or `iam-role`. Raises the error that `unavailable` makes."""
    import boto3
    from botocore.exceptions import NoCredentialsError

    with aws_faults(unavailable, "credentials"):
        found = boto3.Session().get_credentials()
        if found is None:
            raise NoCredentialsError
        return str(found.method)
