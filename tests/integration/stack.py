"""The stack of deploy/aws-batch.yaml, created in moto's server from the template itself."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
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


def client(server: S3Server, service: str) -> Any:
    """Return boto3's client for a service of moto's server."""
    keys = {"aws_access_key_id": server.access_key, "aws_secret_access_key": server.secret_key}
    return boto3.client(service, endpoint_url=server.endpoint, region_name=REGION, **keys)


def for_moto() -> str:
    """Return the template without what moto cannot create, and with its list parameters filled in."""
    document = template()
    for name in NOT_IN_MOTO:
        del document["Resources"][name]
    return json.dumps(document)


def create(server: S3Server) -> Mapping[str, str]:
    """Create the stack in an account that is empty but for its default network; return its outputs."""
    ec2 = client(server, "ec2")
    default = {"Name": "default-for-az", "Values": ["true"]}
    subnets = ec2.describe_subnets(Filters=[default])["Subnets"]
    make_service_role(server)
    client(server, "cloudformation").create_stack(
        StackName=NAME,
        TemplateBody=for_moto(),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=parameters(
            VpcId=subnets[0]["VpcId"],
            SubnetIds=",".join(each["SubnetId"] for each in subnets),
            InstanceTypes=template()["Parameters"]["InstanceTypes"]["Default"],  # moto splits no default
        ),
    )
    register_nodes(server)
    return outputs(server)


def parameters(**values: str) -> list[dict[str, str]]:
    """Return parameters as CloudFormation wants them."""
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def outputs(server: S3Server) -> Mapping[str, str]:
    """Return what the stack says of itself."""
    (stack,) = client(server, "cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def make_service_role(server: S3Server) -> None:
    """Make the role that `create-service-linked-role` makes, whose name moto spells otherwise."""
    client(server, "iam").create_role(
        Path="/aws-service-role/batch.amazonaws.com/", RoleName="AWSServiceRoleForBatch", AssumeRolePolicyDocument="{}"
    )


def register_nodes(server: S3Server) -> None:
    """Register the definition of multi-node jobs as the template has it."""
    (nodes,) = template()["Resources"][NODES]["Properties"]["NodeProperties"]["NodeRangeProperties"]
    (single,) = client(server, "batch").describe_job_definitions(jobDefinitionName=NAME)["jobDefinitions"]
    assert nodes["Container"] == template()["Resources"]["JobDefinition"]["Properties"]["ContainerProperties"]
    client(server, "batch").register_job_definition(
        jobDefinitionName=f"{NAME}-nodes",
        type="multinode",
        nodeProperties={
            "mainNode": 0,
            "numNodes": 3,
            "nodeRangeProperties": [{"targetNodes": nodes["TargetNodes"], "container": single["containerProperties"]}],
        },
    )
