"""What every command about jobs begins with: clients, the job that is meant, and where its run's results are."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from pulse_adapters.aws.clients import AwsSettings, client, region_here
from pulse_adapters.aws_batch.jobs import Jobs
from pulse_adapters.aws_batch.logs import Logs
from pulse_adapters.aws_batch.states import JobState
from pulse_adapters.aws_batch.waiting import Queues
from pulse_core.errors import PulseError, SettingsError
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Exit, failed
from pulse_entrypoints.cli.layers import layered
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.options import is_flag, options_of
from pulse_entrypoints.commands.train.command import told
from pulse_entrypoints.settings.batch import JobLogSettings, RunJobSettings
from pulse_entrypoints.settings.s3 import RegionSettings
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.results_archive import ResultsArchive

RUN_TAG: Final = "pulse:run-id"
UNITS_TAG: Final = "pulse:units"
COLLECTS_TAG: Final = "pulse:collects"
PROGRAM: Final = "pulse-batch"
ATTEMPTS_A_CALL: Final = 8
"""Of calls to Batch, which throttles those who poll: with growing pauses between them, by botocore."""

_FLAGS: Final = {option.flag: option for option in options_of(RunJobSettings)}


@attrs.frozen
class Asked:
    """The services that are asked."""

    jobs: Jobs
    queues: Queues


def asked(settings: RegionSettings) -> Asked:
    """Return the services. Raises PulseError."""
    batch = client("batch", _aws(settings))
    return Asked(Jobs(batch), Queues(batch))


def logs_of(settings: JobLogSettings) -> Logs:
    """Return the logs of the group that was named. Raises PulseError."""
    return Logs(client("logs", _aws(settings)), settings.log_group)


def answered(command: str, environment: Mapping[str, str], answer: Callable[[], Exit]) -> Exit:
    """Return the status of an answer; faults, and the end of whoever watches, are told and have theirs."""
    mask = Masker.of(environment)
    try:
        return answer()
    except PulseError as error:
        return told(failed(error, command), mask)
    except KeyboardInterrupt:
        sys.stderr.write("pulse: no longer watching; the job goes on\n")
        return Exit.INTERRUPTED


def checked(read: Any) -> Any:
    """Return the settings that were read. Raises SettingsError."""
    if read.problems:
        raise SettingsError(read.problems)
    return read.settings


def parent(job: str) -> str:
    """Return the id of a child's array; any other as it is."""
    return job.partition(":")[0].partition("#")[0]


def typed_for(state: JobState) -> CommandLine:
    """Return the command of a job of ours as it was put together. Raises PulseError where it is no such job."""
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


def place_of(state: JobState, environment: Mapping[str, str]) -> ResultsArchive:
    """Return where the results of a job's run are. Raises PulseError."""
    read = layered(typed_for(state), environment, RunJobSettings)
    problems = [*read.problems, *composition.location_problems(read)]
    if problems:
        raise SettingsError(problems)
    return composition.sink_of(read.settings)


def show(document: Mapping[str, Any]) -> None:
    """Write an answer to stdout: a line of JSON for programs, indented for people."""
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(f"{json.dumps(document, indent=indent, ensure_ascii=False)}\n")
    sys.stdout.flush()


def _aws(settings: RegionSettings) -> AwsSettings:
    return AwsSettings(region=settings.aws_region or region_here(), retry_attempts=ATTEMPTS_A_CALL)
