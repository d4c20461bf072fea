"""`pulse batch status`: the progress of a job, its cost, and with --watch its end."""

from __future__ import annotations

from collections.abc import Mapping

from pulse_adapters.aws_batch.costs import usage, workers
from pulse_entrypoints.batch.clients import (
    COLLECTS_TAG,
    Services,
    archive_of,
    array_of,
    run_job_command,
    services_of,
    sound_settings,
    write_document,
)
from pulse_entrypoints.batch.watch import progress_document, watch
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Exit
from pulse_entrypoints.cli.layers import read_settings
from pulse_entrypoints.settings.batch import StatusSettings

COMMAND = "pulse batch status"


def status(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Print the status and return 0, or the run's own exit status where the command waits for its end."""
    return run_job_command(COMMAND, environment, lambda: _status(command_line, environment))


def _status(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    settings: StatusSettings = sound_settings(read_settings(command_line, environment, StatusSettings))
    services = services_of(settings)
    ids = submission_jobs(services, settings.job)
    if settings.watch:
        return watch(services, ids, environment, settings.price_per_vcpu_hour)
    states = services.jobs.describe(ids)
    used = usage(workers(services.jobs, states), settings.price_per_vcpu_hour)
    write_document(
        progress_document(services, states, archive_of(states[0], environment)) | {"used": used.to_document()}
    )
    return Exit.DONE


def submission_jobs(services: Services, job: str) -> tuple[str, ...]:
    """Return the ids of the jobs of one submission: the array before the job that collects it. Raises PulseError."""
    (state,) = services.jobs.describe([array_of(job)])
    array = state.tags.get(COLLECTS_TAG)
    return (state.id,) if array is None else (array, state.id)
