"""The stack of deploy/aws-batch.yaml, created in moto's server from the template itself."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import boto3

from tests.servers.s3 import REGION, S3Server

ROOT: Final = Path(__file__).parents[2]
TEMPLATE: Final = ROOT / "deploy" / "aws-batch.yaml"
NAME: Final = "pulse"
NODES: Final = "NodesJobDefinition"

NOT_IN_MOTO: Final = {
    "DataBucketPolicy": "AWS::S3::BucketPolicy is not known to its CloudFormation",
    "ResultsBucketPolicy": "AWS::S3::BucketPolicy is not known to its CloudFormation",
    "NodesOut": "AWS::EC2::SecurityGroupEgress is not known to its CloudFormation",
    NODES: "a job definition is taken for one of containers; it is registered through Batch itself instead",
}
"""Resources that moto cannot create, and why. CloudFormation's own rules are cfn-lint's affair."""


def template() -> dict[str, Any]:
    """Return the template as plain values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cfn-lint's own imports
        from cfnlint.decode import decode

        decoded, faults = decode(str(TEMPLATE))
    assert not faults
    plain: dict[str, Any] = json.loads(json.dumps(decoded, default=str))
    return plain


Clients = Callable[[str], Any]
"""Makes a client of a service, by its name."""


def clients_of(server: S3Server) -> Clients:
    """Return what makes clients of a server's services."""
    keys = {"aws_access_key_id": server.access_key, "aws_secret_access_key": server.secret_key}
    return partial(boto3.client, endpoint_url=server.endpoint, region_name=REGION, **keys)


def for_moto() -> str:
    """Return the template without what moto cannot create, and with its list parameters filled in."""
    document = template()
    for name in NOT_IN_MOTO:
        del document["Resources"][name]
    return json.dumps(document)


def deploy(client: Clients, given: Mapping[str, str]) -> None:
    """Create the stack with these parameters unless it is there."""
    formation = client("cloudformation")
    if any(each["StackName"] == NAME for each in formation.describe_stacks()["Stacks"]):
        return
    make_service_role(client)
    # moto splits no default
    types = template()["Parameters"]["InstanceTypes"]["Default"]
    formation.create_stack(
        StackName=NAME,
        TemplateBody=for_moto(),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=parameters(InstanceTypes=types, **given),
    )
    register_nodes(client)


def create(client: Clients) -> Mapping[str, str]:
    """Create the stack in the account's default network; return its outputs."""
    subnets = client("ec2").describe_subnets()["Subnets"]
    deploy(client, {"VpcId": subnets[0]["VpcId"], "SubnetIds": ",".join(each["SubnetId"] for each in subnets)})
    return outputs(client)


def parameters(**values: str) -> list[dict[str, str]]:
    """Return parameters as CloudFormation wants them."""
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def outputs(client: Clients) -> Mapping[str, str]:
    """Return what the stack says of itself."""
    (stack,) = client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def make_service_role(client: Clients) -> None:
    """Make the role that `create-service-linked-role` makes, whose name moto spells otherwise.

    An account has one, and other tests may have made it in theirs.
    """
    iam = client("iam")
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(
            Path="/aws-service-role/batch.amazonaws.com/",
            RoleName="AWSServiceRoleForBatch",
            AssumeRolePolicyDocument="{}",
        )


def register_nodes(client: Clients) -> None:
    """Register the definition of multi-node jobs as the template has it."""
    (nodes,) = template()["Resources"][NODES]["Properties"]["NodeProperties"]["NodeRangeProperties"]
    (single,) = client("batch").describe_job_definitions(jobDefinitionName=NAME)["jobDefinitions"]
    container = single["containerProperties"]
    # moto makes numbers of parameters that CloudFormation hands on as texts
    container["resourceRequirements"] = [
        {**each, "value": str(each["value"])} for each in container["resourceRequirements"]
    ]
    assert nodes["Container"] == template()["Resources"]["JobDefinition"]["Properties"]["ContainerProperties"]
    client("batch").register_job_definition(
        jobDefinitionName=f"{NAME}-nodes",
        type="multinode",
        nodeProperties={
            "mainNode": 0,
            "numNodes": 3,
            "nodeRangeProperties": [{"targetNodes": nodes["TargetNodes"], "container": container}],
        },
    )
