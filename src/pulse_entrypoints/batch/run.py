"""`pulse batch run`, alias `pulse-batch`: the process of an attempt of a job, a child, or a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from pulse_adapters.aws_batch.environment import BatchJob, batch_job
from pulse_core.errors import PulseError, SettingsError
from pulse_entrypoints.batch.nodes import main_node, other_node
from pulse_entrypoints.batch.stored_settings import refuse_other_spec, with_stored_settings
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit, failed
from pulse_entrypoints.cli.layers import Layered, read_settings
from pulse_entrypoints.cli.logging import JSON
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.output import report_ending
from pulse_entrypoints.commands.train.command import TrainRequest, run_training, validated
from pulse_entrypoints.settings.batch import RunJobSettings
from pulse_entrypoints.settings.locations import SAMPLE
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.locations import results_in_s3

NOT_A_JOB: Final = (
    "AWS_BATCH_JOB_ID in the environment: is not set, so this is no job of AWS Batch; outside of it the command is "
    "pulse train, with the same options"
)
DATA_FAILURES: Final = frozenset(
    {"DataError", "ForecasterFailed", "MalformedData", "TooLittleData", "VariableNotFound"}
)
"""Failures that come from a variable itself, and would come again."""


def run(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Do this job's share and return the exit status."""
    mask = Masker.of(environment)
    try:
        job = batch_job(environment)
        if job is None:
            raise SettingsError([NOT_A_JOB])
        ending = run_job(command_line, environment, job, mask)
    except PulseError as error:
        ending = failed(error, "pulse batch run")
    return report_ending(ending, mask)


def run_job(command_line: CommandLine, environment: Mapping[str, str], job: BatchJob, mask: Masker) -> Ending:
    """Do the share of a job. Raises PulseError."""
    layered = read_settings(command_line, environment, RunJobSettings)
    stored = layered.settings.stored_settings
    if stored is None:
        return _share(layered, job, mask)
    problems = [*layered.problems, *composition.location_problems(layered)]
    if problems:
        raise SettingsError(problems)
    with with_stored_settings(command_line, composition.sink_of(layered.settings), stored) as complete:
        return _share(read_settings(complete, environment, RunJobSettings), job, mask)


def _share(layered: Layered[RunJobSettings], job: BatchJob, mask: Masker) -> Ending:
    request = job_request(layered, job)
    if job.node is None:
        return _child_ending(request, run_training(request, mask), job)
    if job.node.is_main:
        return main_node(request, job.node, mask)
    return other_node(request, job.node, mask)


def job_request(layered: Layered[RunJobSettings], job: BatchJob) -> TrainRequest:
    """Return the training that is this job's share. Raises SettingsError."""
    share = slice_of(layered, job)
    settings = layered.settings
    if settings.log_format == "auto":
        settings = attrs.evolve(settings, log_format=JSON)
    if share is not None:
        settings = attrs.evolve(settings, slice=share)
    if settings.collect:
        settings = attrs.evolve(settings, fresh=False)
    request = validated(attrs.evolve(layered, settings=settings))
    if share is None:
        settings = attrs.evolve(settings, **outputs(settings, f"batch_{job.name}.json"))
        request = attrs.evolve(request, settings=settings)
    if settings.stored_settings is not None:
        refuse_other_spec(settings.stored_settings, request.spec)
    return attrs.evolve(request, job=job_fields(job), recorded_only=settings.collect, marked=not settings.collect)


def outputs(settings: RunJobSettings, name: str) -> dict[str, Any]:
    """Return the further outputs of the result: those of the settings, else named after the job, here and in S3."""
    in_s3 = results_in_s3(settings)
    remote = None if in_s3 is None else (in_s3.bucket, f"{in_s3.key}{name}")
    return {
        "output_file": settings.output_file or f"results/{name}",
        "s3_output_file": settings.s3_output_file or remote,
    }


def slice_of(layered: Layered[RunJobSettings], job: BatchJob) -> tuple[int, int] | None:
    """Return the share of this job; None for all of the work. Raises SettingsError."""
    problems = list(_share_problems(layered, job))
    if problems:
        raise SettingsError([*layered.problems, *problems])
    settings, child = layered.settings, job.child
    if settings.collect:  # also after children that did their shares by a list
        return None
    if settings.children is not None:
        return settings.children[child.index if child else 0], settings.shares or 0
    return settings.slice if child is None else (child.index, child.size)


def _share_problems(layered: Layered[RunJobSettings], job: BatchJob) -> list[str]:
    """Return the options that contradict a job's share, or that would differ between the children."""
    settings, child = layered.settings, job.child
    in_parts = child is not None or settings.collect or settings.children is not None
    problems = []
    if in_parts and "slice" in layered.sources:
        problems.append(f"{layered.source('slice')}: a job's share follows from its index; leave it out")
    if settings.collect and child is not None:
        problems.append(f"{layered.source('collect')}: is for a job of its own, after the array")
    if (settings.children is None) != (settings.shares is None):
        problems.append("--children and --shares go together")
    elif settings.children is not None and not settings.collect:
        problems += _children_problems(settings, job)
    if in_parts and settings.end_date is None and settings.data != SAMPLE:
        message = "is missing; jobs that share a run, and their attempts after midnight, must agree on its last day"
        problems.append(f"{layered.source('end_date')}: {message}")
    return problems


def _children_problems(settings: RunJobSettings, job: BatchJob) -> list[str]:
    children, shares = settings.children or (), settings.shares or 0
    jobs = 1 if job.child is None else job.child.size
    if len(children) != jobs:
        return [f"--children: names {len(children)} shares for {jobs} jobs"]
    return [f"--children: there is no share {child} of {shares}" for child in children if child >= shares]


def job_fields(job: BatchJob) -> dict[str, Any]:
    """Return the fields of the job in every event."""
    fields: dict[str, Any] = {"job": job.name, "attempt": job.attempt}
    if job.child is not None:
        fields["index"] = job.child.index
    if job.node is not None:
        fields["node"] = job.node.index
    return fields


def _child_ending(request: TrainRequest, ending: Ending, job: BatchJob) -> Ending:
    """Return the ending of a child: with --keep-going, variables that failed by their own fault do not fail it.

    Batch would otherwise never start the job that collects; that job names the variables, and ends with 3.
    """
    part = job.child is not None or request.settings.slice is not None
    if part and request.settings.keep_going and (ending.status == Exit.PARTLY or _by_their_own_fault(ending)):
        return attrs.evolve(ending, status=Exit.DONE)
    return ending


def _by_their_own_fault(ending: Ending) -> bool:
    return bool(ending.kinds) and ending.kinds <= DATA_FAILURES
