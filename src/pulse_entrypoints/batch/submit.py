"""`pulse batch submit`: store the settings with the run, submit an array and the job that collects, perhaps watch."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from pulse_adapters.aws_batch.jobs import Jobs, Submission
from pulse_adapters.aws_batch.states import FAILED, JobState
from pulse_core.errors import PulseError, SettingsError
from pulse_entrypoints.batch.accounts import account
from pulse_entrypoints.batch.asking import (
    COLLECTS_TAG,
    PROGRAM,
    RUN_TAG,
    UNITS_TAG,
    Asked,
    answered,
    asked,
    parent,
    place_of,
    show,
    typed_for,
)
from pulse_entrypoints.batch.plan import children
from pulse_entrypoints.batch.stored import NOT_FOR_JOBS, for_jobs, is_place, store, to_toml
from pulse_entrypoints.batch.watching import watched
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Exit
from pulse_entrypoints.cli.layers import Layered, layered
from pulse_entrypoints.cli.options import options_of
from pulse_entrypoints.commands.train.command import judged
from pulse_entrypoints.settings.batch import SubmitSettings
from pulse_entrypoints.settings.places import SAMPLE
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import composition

MOST_ATTEMPTS: Final = 10
COMMAND: Final = "pulse batch submit"


def submit(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Submit, and return 0, or the run's own status where its end is waited for."""
    return answered(COMMAND, environment, lambda: _submit(command_line, environment))


def _submit(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    read = layered(command_line, environment, SubmitSettings)
    settings, services = read.settings, asked(read.settings)
    if settings.failed_only is None:
        ids = first(read, services.jobs)
    else:
        if read.problems:
            raise SettingsError(read.problems)
        ids = again(read, services, environment)
    array, *collecting = ids
    show({"job": array, "collect_job": collecting[0] if collecting else None})
    return watched(services, ids, environment, settings.price_per_vcpu_hour) if settings.watch else Exit.DONE


def first(read: Layered[SubmitSettings], jobs: Jobs) -> tuple[str, ...]:
    """Submit a training; return the ids, last that of the job that publishes. Raises PulseError."""
    problems = list(_problems(read))
    if problems:
        raise SettingsError([*read.problems, *problems])
    order, settings = judged(read), read.settings
    units = order.units
    size = 1 if settings.nodes is not None else children(units, settings)
    sink = composition.sink_of(settings)
    sink.claim(order.run_id, order.spec)
    stored = store(sink, order.run_id, order.spec.run_id, to_toml(for_jobs(read, order.spec)))
    command = (PROGRAM, *_places(read), "--stored-settings", stored)
    job = _submission(settings, order.run_id, command, len(units))
    return _submit_all(jobs, attrs.evolve(job, size=size if size > 1 else None), collect=settings.collect_job)


def again(read: Layered[SubmitSettings], services: Asked, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Submit an array's failed children again; return the ids as `first` does. Raises PulseError."""
    settings, jobs = read.settings, services.jobs
    (state,) = jobs.describe([parent(str(settings.failed_only))])
    typed = typed_for(state)
    if state.size is None:
        raise PulseError("it is no array", f"job {state.id}", "Submit the training again: what is recorded is recalled")
    indices = [int(each.rpartition(":")[2]) for each in jobs.children(state.id, [FAILED])]
    if not indices:
        hint = f"Collect what there is: pulse batch collect {state.id}"
        raise PulseError("none of its children has failed", f"job {state.id}", hint)
    sink = place_of(state, environment)
    run_id, _, name = typed.values["stored_settings"][0].partition("/")
    options = tomllib.loads(sink.read(run_id, name).decode())
    before = options.get("children", range(state.size))
    options |= {"children": [before[index] for index in indices], "shares": options.get("shares", state.size)}
    content = to_toml({key: tuple(value) if isinstance(value, list) else value for key, value in options.items()})
    stored = store(sink, run_id, name.split("-")[1], content)
    words = [stored if word == f"{run_id}/{name}" else word for word in state.command]
    account(jobs, [state], sink, settings.price_per_vcpu_hour)
    job = _like(state, settings, run_id, tuple(words))
    size = len(indices) if len(indices) > 1 else None
    return _submit_all(jobs, attrs.evolve(job, size=size), collect=settings.collect_job)


def _submit_all(jobs: Jobs, job: Submission, *, collect: bool) -> tuple[str, ...]:
    """Submit a job and, after an array or a share of one, the job that collects."""
    done = jobs.submit(job)
    stands_alone = job.size is None and not job.name.endswith("-again")
    if stands_alone or not collect:
        return (done,)
    collecting = attrs.evolve(
        job,
        name=f"{job.name}-collect",
        command=(*job.command, "--collect"),
        size=None,
        after=done,
        tags=(*job.tags, (COLLECTS_TAG, done)),
    )
    return done, jobs.submit(collecting)


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


def _like(state: JobState, settings: SubmitSettings, run_id: str, command: tuple[str, ...]) -> Submission:
    """Return a submission as an earlier one was, save what is said otherwise now."""
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


def _problems(read: Layered[SubmitSettings]) -> list[str]:
    settings = read.settings
    problems = [f"--{name}: is missing" for name in ("queue", "definition") if getattr(settings, name) is None]
    if settings.attempts is not None and settings.attempts > MOST_ATTEMPTS:
        problems.append(f"{read.source('attempts')}: {settings.attempts} is more than {MOST_ATTEMPTS}")
    if settings.nodes is not None and settings.array_size is not None:
        problems.append(f"{read.source('nodes')}: a multi-node job is no array; leave out it or --array-size")
    if settings.nodes == 1:
        problems.append(f"{read.source('nodes')}: one node is a single job; leave it out")
    if "slice" in read.sources:
        problems.append(f"{read.source('slice')}: children have their shares; leave it out")
    problems += [_out_of_reach(read, name) for name in ("data", "results") if not _in_reach(settings, name)]
    return problems


def _in_reach(settings: Any, name: str) -> bool:
    """Whether jobs may find a place: a bucket, the sample, or a folder that every container mounts at one path."""
    place = getattr(settings, name)
    bucket = getattr(settings, f"s3_{name}_bucket", None)
    return bool(bucket) or "://" in place or place == SAMPLE or Path(place).is_absolute()


def _out_of_reach(read: Layered[SubmitSettings], name: str) -> str:
    place = getattr(read.settings, name)
    hint = f"name a bucket (--s3-{name}-bucket), or the absolute path of a folder that every container mounts"
    return f"{read.source(name)}: jobs do not see the folder '{place}'; {hint}"


def _places(read: Layered[SubmitSettings]) -> tuple[str, ...]:
    """Return the words that tell a job where data and results are."""
    said = [
        (option.flag, str(getattr(read.settings, option.name)))
        for option in options_of(TrainSettings)
        if is_place(option.name) and option.name in read.sources and option.name not in NOT_FOR_JOBS
    ]
    return tuple(word for pair in said for word in pair)
