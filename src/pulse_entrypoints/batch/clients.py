"""The clients of AWS Batch, and what every command about jobs needs: the job's settings, and its run's archive."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import attrs

from pulse_adapters.aws.clients import AwsSettings, client, region_here
from pulse_adapters.aws_batch.jobs import Jobs
from pulse_adapters.aws_batch.logs import Logs
from pulse_adapters.aws_batch.states import JobState
from pulse_adapters.aws_batch.waiting import Queues
from pulse_core.errors import PulseError, SettingsError
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Exit, failed
from pulse_entrypoints.cli.layers import Layered, read_settings
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.options import is_flag, options_of
from pulse_entrypoints.cli.output import report_ending
from pulse_entrypoints.cli.printing import write_stderr, write_text
from pulse_entrypoints.settings.batch import JobLogSettings, RunJobSettings
from pulse_entrypoints.settings.s3 import RegionSettings
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.results_archive import ResultsArchive

S = TypeVar("S", bound=attrs.AttrsInstance)

RUN_TAG: Final = "pulse:run-id"
UNITS_TAG: Final = "pulse:units"
COLLECTS_TAG: Final = "pulse:collects"
PROGRAM: Final = "pulse-batch"
ATTEMPTS_A_CALL: Final = 8
"""Attempts of a call to Batch, which throttles callers that poll; botocore pauses longer before each."""

_FLAGS: Final = {option.flag: option for option in options_of(RunJobSettings)}


@attrs.frozen
class Services:
    """The clients of AWS Batch."""

    jobs: Jobs
    queues: Queues


def services_of(settings: RegionSettings) -> Services:
    """Return the clients. Raises PulseError."""
    batch = client("batch", _aws(settings))
    return Services(Jobs(batch), Queues(batch))


def logs_of(settings: JobLogSettings) -> Logs:
    """Return the logs of the named group. Raises PulseError."""
    return Logs(client("logs", _aws(settings)), settings.log_group)


def run_job_command(command: str, environment: Mapping[str, str], action: Callable[[], Exit]) -> Exit:
    """Run the action of a command and return its status; report an error, or Ctrl-C while it watches a job."""
    mask = Masker.of(environment)
    try:
        return action()
    except PulseError as error:
        return report_ending(failed(error, command), mask)
    except KeyboardInterrupt:
        write_stderr("pulse: no longer watching; the job goes on")
        return Exit.INTERRUPTED


def sound_settings(layered: Layered[S]) -> S:
    """Return the settings. Raises SettingsError with their problems."""
    if layered.problems:
        raise SettingsError(layered.problems)
    return layered.settings


def array_of(job: str) -> str:
    """Return the id of a child's array; any other as it is."""
    return job.partition(":")[0].partition("#")[0]


def command_line_of(state: JobState) -> CommandLine:
    """Return the command line of a job that Pulse submitted. Raises PulseError for any other job."""
    words = list(state.command)
    if words[:1] != [PROGRAM] or RUN_TAG not in state.tags:
        raise PulseError("it was not submitted by pulse batch submit", f"job {state.id}", "Name one that was")
    values: dict[str, list[str]] = {}
    for word in words[1:]:
        if word in _FLAGS:
            option = _FLAGS[word]
            values[option.name] = ["true"] if is_flag(option) else []
        else:
            values[list(values)[-1]].append(word)
    return CommandLine(values, command="pulse batch run")


def archive_of(state: JobState, environment: Mapping[str, str]) -> ResultsArchive:
    """Return the archive with the results of a job's run. Raises PulseError."""
    layered = read_settings(command_line_of(state), environment, RunJobSettings)
    problems = [*layered.problems, *composition.location_problems(layered)]
    if problems:
        raise SettingsError(problems)
    return composition.sink_of(layered.settings)


def write_document(document: Mapping[str, Any]) -> None:
    """Write a document to stdout: a line of JSON for programs, indented for people."""
    indent = 2 if sys.stdout.isatty() else None
    write_text(json.dumps(document, indent=indent, ensure_ascii=False))


def _aws(settings: RegionSettings) -> AwsSettings:
    return AwsSettings(region=settings.aws_region or region_here(), retry_attempts=ATTEMPTS_A_CALL)
