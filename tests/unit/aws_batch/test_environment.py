"""What a container knows of its job."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_adapters.aws_batch.environment import ArrayChild, Node, batch_job
from pulse_core.errors import SettingsError

ID = "0a1b2c3d-4e5f-6789-abcd-ef0123456789"


def environment(job_id: str = ID, **variables: object) -> dict[str, str]:
    return {"AWS_BATCH_JOB_ID": job_id} | {f"AWS_BATCH_{name}": str(value) for name, value in variables.items()}


def child(index: object = 3, size: object = 5, job_id: str = f"{ID}:3") -> dict[str, str]:
    return environment(job_id, JOB_ATTEMPT=1, JOB_ARRAY_INDEX=index, JOB_ARRAY_SIZE=size)


def node(index: object, job_id: str, **more: object) -> dict[str, str]:
    return environment(job_id, JOB_NODE_INDEX=index, JOB_NUM_NODES=3, JOB_MAIN_NODE_INDEX=0, **more)


def test_outside_of_batch_there_is_no_job() -> None:
    assert batch_job({"PATH": "/bin", "AWS_BATCH_JQ_NAME": "queue"}) is None


def test_a_single_job_is_told() -> None:
    job = batch_job(environment(JOB_ATTEMPT=2, JQ_NAME="spot", CE_NAME="spot-1"))
    assert job is not None
    assert (job.id, job.name, job.attempt, job.queue, job.compute_environment) == (ID, ID, 2, "spot", "spot-1")
    assert (job.child, job.node) == (None, None)


def test_a_child_of_an_array_has_its_index_and_the_parents_name() -> None:
    job = batch_job(child())
    assert job is not None
    assert (job.id, job.name, job.child) == (f"{ID}:3", ID, ArrayChild(3, 5))


def test_nodes_know_the_main_node_and_the_main_node_need_not_know_its_address() -> None:
    main = batch_job(node(0, f"{ID}#0"))
    other = batch_job(node(2, f"{ID}#2", JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS="10.0.0.12"))
    assert main is not None
    assert other is not None
    assert main.node == Node(0, 3, 0, None)
    assert other.node == Node(2, 3, 0, "10.0.0.12")
    assert (main.node.is_main, other.node.is_main, other.name) == (True, False, ID)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (environment(""), ["AWS_BATCH_JOB_ID"]),
        (environment("../../etc"), ["AWS_BATCH_JOB_ID"]),
        (environment(f"{ID}:x"), ["AWS_BATCH_JOB_ID"]),
        (environment(JOB_ATTEMPT=0), ["AWS_BATCH_JOB_ATTEMPT"]),
        (environment(JOB_ATTEMPT="two"), ["AWS_BATCH_JOB_ATTEMPT"]),
        (child(index=-1), ["AWS_BATCH_JOB_ARRAY_INDEX"]),
        (child(index=5), ["AWS_BATCH_JOB_ARRAY_INDEX"]),
        (child(size=10_001), ["AWS_BATCH_JOB_ARRAY_SIZE"]),
        (child(index="x", size=""), ["AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"]),
        (child(index=2), ["AWS_BATCH_JOB_ARRAY_INDEX"]),
        (environment(f"{ID}:3"), ["AWS_BATCH_JOB_ARRAY_INDEX"]),
        (environment(f"{ID}#3"), ["AWS_BATCH_JOB_NODE_INDEX"]),
        (node(3, f"{ID}#3", JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS="10.0.0.12"), ["AWS_BATCH_JOB_NODE_INDEX"]),
        (node(2, f"{ID}#2"), ["AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS"]),
        (
            node(2, f"{ID}#2", JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS="10.0.0.12/x"),
            ["AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS"],
        ),
    ],
)
def test_what_cannot_be_is_refused_by_the_variables_name(variables, told) -> None:
    with pytest.raises(SettingsError) as refused:
        batch_job(variables)
    assert [problem.split()[0] for problem in refused.value.problems] == told


@given(st.text(max_size=40))
def test_no_id_whatever_becomes_a_name_that_is_not_one(job_id) -> None:
    try:
        job = batch_job(environment(job_id))
    except SettingsError:
        return
    assert job is not None
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", job.name)
