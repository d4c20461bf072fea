"""deploy/aws-batch.yaml: sound for cfn-lint, created in moto, and giving nobody more than is written beside it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pulse_adapters.aws_batch.jobs import RULES
from tests.integration import stack
from tests.servers.moto_server import empty

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    found: dict[str, Any] = stack.template()["Resources"]
    return found


def statements(resources: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy that allows something, with the name of its resource."""
    for name, each in resources.items():
        properties = each["Properties"]
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
        documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
        for document in documents:
            yield from ((name, one) for one in document["Statement"] if one["Effect"] == "Allow")


def test_cfn_lint_has_nothing_to_say() -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, str(stack.TEMPLATE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_statement_says_beside_it_what_it_is_for() -> None:
    lines = stack.TEMPLATE.read_text().splitlines()
    first = [number for number, line in enumerate(lines) if re.match(r"\s+- (Sid|Effect): ", line)]
    assert len(first) > 15
    assert [lines[number] for number in first if not lines[number - 1].lstrip().startswith("# ")] == []


def test_only_actions_that_know_no_resource_are_allowed_on_all(resources) -> None:
    on_all = {one["Sid"] for _, one in statements(resources) if one.get("Resource") == "*"}
    assert on_all == {"ServeTheCluster", "SignInToTheRegistry", "Watch"}


def test_no_action_has_a_wildcard(resources) -> None:
    actions = [one["Action"] for _, one in statements(resources)]
    assert "*" not in str(actions)


def test_a_job_may_not_write_data(resources) -> None:
    written = [
        one["Resource"] for name, one in statements(resources) if name == "JobRole" and "s3:PutObject" in one["Action"]
    ]
    assert written == [{"Fn::Sub": "${ResultsBucket.Arn}/*"}]


def test_buckets_are_encrypted_and_closed(resources) -> None:
    for name in ("DataBucket", "ResultsBucket"):
        properties = resources[name]["Properties"]
        assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert resources[f"{name}Policy"]["Properties"]["Bucket"] == {"Ref": name}


@pytest.mark.parametrize("name", ["JobDefinition", "NodesJobDefinition"])
def test_both_definitions_retry_by_the_rules_of_submissions_and_run_without_rights(resources, name) -> None:
    properties = resources[name]["Properties"]
    rules = properties["RetryStrategy"]["EvaluateOnExit"]
    assert [{key[0].lower() + key[1:]: value for key, value in rule.items()} for rule in rules] == list(RULES)
    (container,) = (
        [properties["ContainerProperties"]]
        if "ContainerProperties" in properties
        else [each["Container"] for each in properties["NodeProperties"]["NodeRangeProperties"]]
    )
    assert container == resources["JobDefinition"]["Properties"]["ContainerProperties"]
    assert (container["ReadonlyRootFilesystem"], container["Privileged"]) == (True, False)
    assert container["User"] == "10001:10001"


@pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")
def test_the_stack_is_created_and_its_outputs_name_what_a_submission_needs(moto_server) -> None:
    empty(moto_server)  # another test may have made the stack, and taken only parts of it down
    client = stack.clients_of(moto_server)
    outputs = stack.create(client)
    batch, s3 = client("batch"), client("s3")
    queues = {each["jobQueueName"]: each for each in batch.describe_job_queues()["jobQueues"]}
    assert {outputs["Queue"], outputs["OnDemandQueue"]} <= queues.keys()
    assert [len(queues[outputs[name]]["computeEnvironmentOrder"]) for name in ("Queue", "OnDemandQueue")] == [2, 1]
    definitions = {each["jobDefinitionName"] for each in batch.describe_job_definitions()["jobDefinitions"]}
    assert {outputs["JobDefinition"], outputs["NodesJobDefinition"]} <= definitions
    buckets = {each["Name"] for each in s3.list_buckets()["Buckets"]}
    assert {outputs["DataBucket"], outputs["ResultsBucket"]} <= buckets
    (group,) = client("logs").describe_log_groups(logGroupNamePrefix=outputs["LogGroup"])["logGroups"]
    assert group["retentionInDays"] == 30
