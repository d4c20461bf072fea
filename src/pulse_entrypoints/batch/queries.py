"""`pulse batch logs`, `cancel` and `list`: queries about jobs, and their cancellation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pulse_adapters.aws_batch.jobs import Jobs
from pulse_adapters.aws_batch.states import FAILED, JobState
from pulse_core.errors import PulseError
from pulse_entrypoints.batch.clients import (
    RUN_TAG,
    array_of,
    logs_of,
    run_job_command,
    services_of,
    sound_settings,
    write_document,
)
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Exit
from pulse_entrypoints.cli.layers import read_settings
from pulse_entrypoints.cli.printing import write_text
from pulse_entrypoints.settings.batch import CancelSettings, JobLogSettings, ListJobSettings


def logs(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Print the logs of attempts, each under a line that names it; return the exit status."""
    return run_job_command("pulse batch logs", environment, lambda: _logs(command_line, environment))


def cancel(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """End a job and return the exit status."""
    return run_job_command("pulse batch cancel", environment, lambda: _cancel(command_line, environment))


def list_jobs(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """List the jobs that Pulse has submitted, newest first, and return the exit status."""
    return run_job_command("pulse batch list", environment, lambda: _list(command_line, environment))


def _logs(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    settings: JobLogSettings = sound_settings(read_settings(command_line, environment, JobLogSettings))
    group = logs_of(settings)
    for state, number, stream in _streams(services_of(settings).jobs, settings):
        write_text(f"== {state.id} attempt {number}: {stream}")
        for line in group.lines(stream):
            write_text(line.text)
    return Exit.DONE


def _streams(jobs: Jobs, settings: JobLogSettings) -> Iterator[tuple[JobState, int, str]]:
    """Yield job, attempt and log stream of each attempt that the settings select. Raises PulseError without any."""
    logged = False
    for state in _logged_jobs(jobs, settings):
        for number, attempt in enumerate(state.attempts, 1):
            if attempt.log_stream is not None and settings.attempt in {None, number}:
                logged = True
                yield state, number, attempt.log_stream
    if not logged:
        raise PulseError("it has no log yet", f"job {settings.job}", "Wait until it runs: see pulse batch status")


def _logged_jobs(jobs: Jobs, settings: JobLogSettings) -> tuple[JobState, ...]:
    """Return the jobs to show: of an array the named child, else those that failed, else all."""
    (state,) = jobs.describe([settings.job])
    if state.size is None:
        return (state,)
    if settings.child is not None:
        return jobs.describe([f"{state.id}:{settings.child}"])
    return jobs.describe(jobs.children(state.id, [FAILED]) or jobs.children(state.id))


def _cancel(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    settings: CancelSettings = sound_settings(read_settings(command_line, environment, CancelSettings))
    jobs = services_of(settings).jobs
    (state,) = jobs.describe([settings.job])
    if not state.ended:
        jobs.end(state.id, settings.reason)
    write_document({"job": state.id, "status": state.status, "ended": not state.ended})
    return Exit.DONE


def _list(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    settings: ListJobSettings = sound_settings(read_settings(command_line, environment, ListJobSettings))
    jobs = services_of(settings).jobs
    states = jobs.describe(jobs.named(str(settings.queue), "pulse-"))
    for state in sorted(states, key=_newest_first):
        ours = {"id": state.id, "name": state.name, "status": state.status, "run_id": state.tags.get(RUN_TAG)}
        write_document(
            ours | {"created": state.created.isoformat() if state.created else None, "children": dict(state.children)}
        )
    return Exit.DONE


def _newest_first(state: JobState) -> tuple[float, str]:
    return (-state.created.timestamp() if state.created else 0.0, array_of(state.id))
