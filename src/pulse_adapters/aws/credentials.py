"""The source of the credentials for AWS, never the credentials themselves."""

from __future__ import annotations

from pulse_adapters.aws.errors import Kind, aws_faults


def credentials_source(unavailable: Kind) -> str:
    """Return the source of the credentials, e.g. `env` or `iam-role`. Raises the error that `unavailable` makes."""
    import boto3
    from botocore.exceptions import NoCredentialsError

    with aws_faults(unavailable, "credentials"):
        credentials = boto3.Session().get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return str(credentials.method)
