"""`pulse batch collect`: collect and publish here, instead of in a job, what an array's children have recorded."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from pulse_adapters.aws_batch.environment import BatchJob
from pulse_entrypoints.batch.accounts import write_account
from pulse_entrypoints.batch.clients import (
    archive_of,
    command_line_of,
    run_job_command,
    services_of,
    sound_settings,
    write_document,
)
from pulse_entrypoints.batch.run import run_job
from pulse_entrypoints.batch.status import submission_jobs
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Exit
from pulse_entrypoints.cli.layers import read_settings
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.output import report_ending
from pulse_entrypoints.settings.batch import CollectSettings

COMMAND = "pulse batch collect"


def collect(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Collect, and return the run's status."""
    return run_job_command(COMMAND, environment, lambda: _collect(command_line, environment))


def _collect(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    settings: CollectSettings = sound_settings(read_settings(command_line, environment, CollectSettings))
    services, mask = services_of(settings), Masker.of(environment)
    states = services.jobs.describe(submission_jobs(services, settings.job))
    first = states[0]
    stored = command_line_of(first)
    options = {"collect": ["true"]} | ({"keep_going": ["true"]} if settings.keep_going else {})
    here = BatchJob(id=first.id, name=first.id, attempt=1, queue=first.queue, compute_environment="")
    ending = run_job(attrs.evolve(stored, values=stored.values | options), environment, here, mask)
    if ending.status in {Exit.DONE, Exit.PARTLY}:
        write_document(
            write_account(services.jobs, states, archive_of(first, environment), settings.price_per_vcpu_hour)
        )
    return report_ending(ending, mask)
