"""`pulse batch run`, alias `pulse-batch`: the process of one attempt of a job, of a child, or of a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from pulse_adapters.aws_batch.environment import BatchJob, batch_job
from pulse_core.errors import PulseError, SettingsError
from pulse_entrypoints.batch.nodes import main_node, other_node
from pulse_entrypoints.batch.stored import refuse_other_spec, with_stored
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit, failed
from pulse_entrypoints.cli.layers import Layered, layered
from pulse_entrypoints.cli.logging import JSON
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.commands.train.command import Order, carry_out, judged, told
from pulse_entrypoints.settings.batch import RunJobSettings
from pulse_entrypoints.settings.places import SAMPLE
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.locations import results_in_s3

OUTSIDE: Final = (
    "AWS_BATCH_JOB_ID in the environment: is not set, so this is no job of AWS Batch; outside of it the command is "
    "pulse train, with the same options"
)
OF_DATA: Final = frozenset({"DataError", "ForecasterFailed", "MalformedData", "TooLittleData", "VariableNotFound"})
"""Failures that belong to a variable, and would come again."""


def run(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Do this job's share and return the exit status."""
    mask = Masker.of(environment)
    try:
        job = batch_job(environment)
        if job is None:
            raise SettingsError([OUTSIDE])
        ending = as_job(command_line, environment, job, mask)
    except PulseError as error:
        ending = failed(error, "pulse batch run")
    return told(ending, mask)


def as_job(command_line: CommandLine, environment: Mapping[str, str], job: BatchJob, mask: Masker) -> Ending:
    """Do the share of a job. Raises PulseError."""
    read = layered(command_line, environment, RunJobSettings)
    stored = read.settings.stored_settings
    if stored is None:
        return _share(read, job, mask)
    problems = [*read.problems, *composition.location_problems(read)]
    if problems:
        raise SettingsError(problems)
    with with_stored(command_line, composition.sink_of(read.settings), stored) as all_told:
        return _share(layered(all_told, environment, RunJobSettings), job, mask)


def _share(read: Layered[RunJobSettings], job: BatchJob, mask: Masker) -> Ending:
    order = order_of(read, job)
    if job.node is None:
        return _of_child(order, carry_out(order, mask), job)
    if job.node.is_main:
        return main_node(order, job.node, mask)
    return other_node(order, job.node, mask)


def order_of(read: Layered[RunJobSettings], job: BatchJob) -> Order:
    """Return what this job is to do. Raises SettingsError."""
    share = slice_of(read, job)
    settings = read.settings
    if settings.log_format == "auto":
        settings = attrs.evolve(settings, log_format=JSON)
    if share is not None:
        settings = attrs.evolve(settings, slice=share)
    if settings.collect:
        settings = attrs.evolve(settings, fresh=False)
    order = judged(attrs.evolve(read, settings=settings))
    if share is None:
        settings = attrs.evolve(settings, **outputs(settings, f"batch_{job.name}.json"))
        order = attrs.evolve(order, settings=settings)
    if settings.stored_settings is not None:
        refuse_other_spec(settings.stored_settings, order.spec)
    return attrs.evolve(order, job=facts(job), recorded_only=settings.collect, marked=not settings.collect)


def outputs(settings: RunJobSettings, name: str) -> dict[str, Any]:
    """Return where else the result goes: where it was said, or under the job's name here and in the results' bucket."""
    in_s3 = results_in_s3(settings)
    remote = None if in_s3 is None else (in_s3.bucket, f"{in_s3.key}{name}")
    return {
        "output_file": settings.output_file or f"results/{name}",
        "s3_output_file": settings.s3_output_file or remote,
    }


def slice_of(read: Layered[RunJobSettings], job: BatchJob) -> tuple[int, int] | None:
    """Return the share of this job; None for the whole. Raises SettingsError."""
    problems = list(_share_problems(read, job))
    if problems:
        raise SettingsError([*read.problems, *problems])
    settings, child = read.settings, job.child
    if settings.collect:  # also after children that did their shares by a list
        return None
    if settings.children is not None:
        return settings.children[child.index if child else 0], settings.shares or 0
    return settings.slice if child is None else (child.index, child.size)


def _share_problems(read: Layered[RunJobSettings], job: BatchJob) -> list[str]:
    """Say what does not fit together in a job's share, or could not be the same for all of its children."""
    settings, child = read.settings, job.child
    in_parts = child is not None or settings.collect or settings.children is not None
    problems = []
    if in_parts and "slice" in read.sources:
        problems.append(f"{read.source('slice')}: a job's share follows from its index; leave it out")
    if settings.collect and child is not None:
        problems.append(f"{read.source('collect')}: is for a job of its own, after the array")
    if (settings.children is None) != (settings.shares is None):
        problems.append("--children and --shares go together")
    elif settings.children is not None and not settings.collect:
        problems += _children_problems(settings, job)
    if in_parts and settings.end_date is None and settings.data != SAMPLE:
        message = "is missing; jobs that share a run, and their attempts after midnight, must agree on its last day"
        problems.append(f"{read.source('end_date')}: {message}")
    return problems


def _children_problems(settings: RunJobSettings, job: BatchJob) -> list[str]:
    children, shares = settings.children or (), settings.shares or 0
    jobs = 1 if job.child is None else job.child.size
    if len(children) != jobs:
        return [f"--children: names {len(children)} shares for {jobs} jobs"]
    return [f"--children: there is no share {each} of {shares}" for each in children if each >= shares]


def facts(job: BatchJob) -> dict[str, Any]:
    """Return what every event says of the job."""
    told: dict[str, Any] = {"job": job.name, "attempt": job.attempt}
    if job.child is not None:
        told["index"] = job.child.index
    if job.node is not None:
        told["node"] = job.node.index
    return told


def _of_child(order: Order, ending: Ending, job: BatchJob) -> Ending:
    """With --keep-going a child whose variables failed by their own fault has done its share.

    Batch would count it as failed, and never start the job that collects; that one names them, and ends with 3.
    """
    part = job.child is not None or order.settings.slice is not None
    if part and order.settings.keep_going and (ending.status == Exit.PARTLY or _by_their_own_fault(ending)):
        return attrs.evolve(ending, status=Exit.DONE)
    return ending


def _by_their_own_fault(ending: Ending) -> bool:
    return bool(ending.kinds) and ending.kinds <= OF_DATA
