"""`pulse batch submit`: store the settings with the run, submit an array and the job that collects, watch them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from pulse_adapters.aws_batch.jobs import Jobs, Submission
from pulse_adapters.aws_batch.states import FAILED, JobState
from pulse_core.errors import PulseError, SettingsError
from pulse_entrypoints.batch.accounts import write_account
from pulse_entrypoints.batch.clients import (
    COLLECTS_TAG,
    PROGRAM,
    RUN_TAG,
    UNITS_TAG,
    Services,
    archive_of,
    array_of,
    command_line_of,
    run_job_command,
    services_of,
    write_document,
)
from pulse_entrypoints.batch.plan import children
from pulse_entrypoints.batch.stored_settings import NOT_FOR_JOBS, for_jobs, is_location, store_settings, to_toml
from pulse_entrypoints.batch.watch import watch
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Exit
from pulse_entrypoints.cli.layers import Layered, read_settings
from pulse_entrypoints.cli.options import options_of
from pulse_entrypoints.commands.train.command import validated
from pulse_entrypoints.settings.batch import SubmitSettings
from pulse_entrypoints.settings.locations import SAMPLE
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import composition

MOST_ATTEMPTS: Final = 10
COMMAND: Final = "pulse batch submit"


def submit(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Submit and return 0, or the run's own exit status where the command waits for its end."""
    return run_job_command(COMMAND, environment, lambda: _submit(command_line, environment))


def _submit(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    layered = read_settings(command_line, environment, SubmitSettings)
    settings, services = layered.settings, services_of(layered.settings)
    if settings.failed_only is None:
        ids = submit_training(layered, services.jobs)
    else:
        if layered.problems:
            raise SettingsError(layered.problems)
        ids = resubmit_failed(layered, services, environment)
    array, *collecting = ids
    write_document({"job": array, "collect_job": collecting[0] if collecting else None})
    return watch(services, ids, environment, settings.price_per_vcpu_hour) if settings.watch else Exit.DONE


def submit_training(layered: Layered[SubmitSettings], jobs: Jobs) -> tuple[str, ...]:
    """Submit a training; return the ids, last that of the job that publishes. Raises PulseError."""
    problems = list(_problems(layered))
    if problems:
        raise SettingsError([*layered.problems, *problems])
    request, settings = validated(layered), layered.settings
    units = request.units
    size = 1 if settings.nodes is not None else children(units, settings)
    sink = composition.sink_of(settings)
    sink.check_run_id(request.run_id, request.spec)
    stored = store_settings(sink, request.run_id, request.spec.run_id, to_toml(for_jobs(layered, request.spec)))
    command = (PROGRAM, *_location_words(layered), "--stored-settings", stored)
    job = _submission(settings, request.run_id, command, len(units))
    return _submit_all(jobs, attrs.evolve(job, size=size if size > 1 else None), collect=settings.collect_job)


def resubmit_failed(
    layered: Layered[SubmitSettings], services: Services, environment: Mapping[str, str]
) -> tuple[str, ...]:
    """Submit an array's failed children again; return the ids as `submit_training` does. Raises PulseError."""
    settings, jobs = layered.settings, services.jobs
    (state,) = jobs.describe([array_of(str(settings.failed_only))])
    command_line = command_line_of(state)
    if state.size is None:
        raise PulseError("it is no array", f"job {state.id}", "Submit the training again: what is recorded is recalled")
    indices = [int(child.rpartition(":")[2]) for child in jobs.children(state.id, [FAILED])]
    if not indices:
        hint = f"Collect what there is: pulse batch collect {state.id}"
        raise PulseError("none of its children has failed", f"job {state.id}", hint)
    sink = archive_of(state, environment)
    run_id, _, name = command_line.values["stored_settings"][0].partition("/")
    options = tomllib.loads(sink.read(run_id, name).decode())
    before = options.get("children", range(state.size))
    options |= {"children": [before[index] for index in indices], "shares": options.get("shares", state.size)}
    content = to_toml({key: tuple(value) if isinstance(value, list) else value for key, value in options.items()})
    stored = store_settings(sink, run_id, name.split("-")[1], content)
    words = [stored if word == f"{run_id}/{name}" else word for word in state.command]
    write_account(jobs, [state], sink, settings.price_per_vcpu_hour)
    job = _submission_like(state, settings, run_id, tuple(words))
    size = len(indices) if len(indices) > 1 else None
    return _submit_all(jobs, attrs.evolve(job, size=size), collect=settings.collect_job)


def _submit_all(jobs: Jobs, job: Submission, *, collect: bool) -> tuple[str, ...]:
    """Submit a job and, after an array or a share of one, the job that collects."""
    job_id = jobs.submit(job)
    stands_alone = job.size is None and not job.name.endswith("-again")
    if stands_alone or not collect:
        return (job_id,)
    collecting = attrs.evolve(
        job,
        name=f"{job.name}-collect",
        command=(*job.command, "--collect"),
        size=None,
        after=job_id,
        tags=(*job.tags, (COLLECTS_TAG, job_id)),
    )
    return job_id, jobs.submit(collecting)


def _submission(settings: SubmitSettings, run_id: str, command: tuple[str, ...], units: int) -> Submission:
    return Submission(
        name=f"pulse-{run_id.replace('.', '_')}",
        queue=str(settings.queue),
        definition=str(settings.definition),
        command=command,
        nodes=settings.nodes,
        vcpus=settings.vcpus,
        memory_mib=settings.memory_mib,
        minutes=settings.timeout_minutes,
        attempts=settings.attempts,
        tags=((RUN_TAG, run_id), (UNITS_TAG, str(units))),
    )


def _submission_like(state: JobState, settings: SubmitSettings, run_id: str, command: tuple[str, ...]) -> Submission:
    """Return a submission like an earlier job, with the options that are set now."""
    units = int(state.tags[UNITS_TAG])
    same = attrs.evolve(
        settings,
        queue=settings.queue or state.queue,
        definition=settings.definition or state.definition,
        vcpus=settings.vcpus or int(state.vcpus) or None,
        memory_mib=settings.memory_mib or state.memory_mib,
        nodes=None,
    )
    job = _submission(same, run_id, command, units)
    return attrs.evolve(job, name=f"{job.name}-again")


def _problems(layered: Layered[SubmitSettings]) -> list[str]:
    settings = layered.settings
    problems = [f"--{name}: is missing" for name in ("queue", "definition") if getattr(settings, name) is None]
    if settings.attempts is not None and settings.attempts > MOST_ATTEMPTS:
        problems.append(f"{layered.source('attempts')}: {settings.attempts} is more than {MOST_ATTEMPTS}")
    if settings.nodes is not None and settings.array_size is not None:
        problems.append(f"{layered.source('nodes')}: a multi-node job is no array; leave out it or --array-size")
    if settings.nodes == 1:
        problems.append(f"{layered.source('nodes')}: one node is a single job; leave it out")
    if "slice" in layered.sources:
        problems.append(f"{layered.source('slice')}: children have their shares; leave it out")
    problems += [_out_of_reach(layered, name) for name in ("data", "results") if not _in_reach(settings, name)]
    return problems


def _in_reach(settings: Any, name: str) -> bool:
    """Whether jobs can reach a location: a bucket, the sample, or a folder that every container mounts at one path."""
    location = getattr(settings, name)
    bucket = getattr(settings, f"s3_{name}_bucket", None)
    return bool(bucket) or "://" in location or location == SAMPLE or Path(location).is_absolute()


def _out_of_reach(layered: Layered[SubmitSettings], name: str) -> str:
    location = getattr(layered.settings, name)
    hint = f"name a bucket (--s3-{name}-bucket), or the absolute path of a folder that every container mounts"
    return f"{layered.source(name)}: jobs do not see the folder '{location}'; {hint}"


def _location_words(layered: Layered[SubmitSettings]) -> tuple[str, ...]:
    """Return the options with the locations of data and results."""
    pairs = [
        (option.flag, str(getattr(layered.settings, option.name)))
        for option in options_of(TrainSettings)
        if is_location(option.name) and option.name in layered.sources and option.name not in NOT_FOR_JOBS
    ]
    return tuple(word for pair in pairs for word in pair)
