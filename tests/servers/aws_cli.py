"""The command line tool of AWS, as far as docs/how-to/aws-batch.md uses it, over boto3: `python aws_cli.py ec2 …`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import jmespath
from botocore import xform_name


def main(words: Sequence[str]) -> int:
    service, operation, *rest = words
    if (service, operation) == ("s3", "cp"):
        return copy(*[word for word in rest if word != "--recursive"])
    options = options_of(rest)
    if (service, operation) == ("cloudformation", "deploy"):
        return deploy(options)
    return call(service, operation, options)


def options_of(words: Sequence[str]) -> dict[str, list[str]]:
    """Options and their values; an option may have many."""
    options: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            options[word[2:]] = []
        else:
            options[list(options)[-1]].append(word)
    return options


def call(service: str, operation: str, options: dict[str, list[str]]) -> int:
    """Call an operation by the names of the tool, and print what is asked for of its answer."""
    query, _ = options.pop("query", None), options.pop("output", None)
    if (service, operation) == ("ecr", "get-login-password"):
        say("password-of-the-registry")
        return 0
    client = boto3.client(service)
    method = operation.replace("-", "_")
    name = client.meta.method_to_api_mapping[method]
    members = client.meta.service_model.operation_model(name).input_shape.members
    named = {xform_name(member, "-"): (member, shape) for member, shape in members.items()}
    request = {named[option][0]: value_of(named[option][1], values) for option, values in options.items()}
    answer = getattr(client, method)(**request)
    if query is not None:
        say(text_of(jmespath.search(query[0], answer)))
    return 0


def value_of(shape: Any, values: list[str]) -> Any:
    """A value by its shape: `Name=…,Values=…` is a structure."""
    if shape.type_name != "list":
        return values[0]
    if shape.member.type_name != "structure":
        return values
    pairs = [dict(pair.split("=", 1) for pair in value.split(",")) for value in values]
    return [{"Name": pair["Name"], "Values": [pair["Values"]]} for pair in pairs]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def text_of(found: Any) -> str:
    return "\t".join(map(str, found)) if isinstance(found, list) else str(found)


def deploy(options: dict[str, list[str]]) -> int:
    """Create a stack, unless it is there; what moto cannot create is registered beside it."""
    from tests.integration import stack

    assert Path(options["template-file"][0]).resolve() == stack.TEMPLATE.resolve()
    (name,) = options["stack-name"]
    assert name == stack.NAME
    stack.deploy(boto3.client, dict(each.split("=", 1) for each in options["parameter-overrides"]))
    return 0


def copy(source: str, target: str) -> int:
    """Copy a folder to a bucket, or back."""
    s3 = boto3.client("s3")
    if bucket := re.fullmatch(r"s3://([^/]+)/(.*)", target):
        for path in (path for path in Path(source).rglob("*") if path.is_file()):
            s3.put_object(Bucket=bucket[1], Key=f"{bucket[2]}{path.relative_to(source)}", Body=path.read_bytes())
        return 0
    bucket = re.fullmatch(r"s3://([^/]+)/(.*)", source)
    assert bucket is not None
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket[1], Prefix=bucket[2]):
        for found in page.get("Contents", ()):
            path = Path(target) / found["Key"].removeprefix(bucket[2])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(s3.get_object(Bucket=bucket[1], Key=found["Key"])["Body"].read())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
