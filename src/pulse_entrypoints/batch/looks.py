"""`pulse batch logs`, `cancel` and `list`: small questions and the one small order."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from pulse_adapters.aws_batch.jobs import Jobs
from pulse_adapters.aws_batch.states import FAILED, JobState
from pulse_core.errors import PulseError
from pulse_entrypoints.batch.asking import RUN_TAG, answered, asked, checked, logs_of, parent, show
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Exit
from pulse_entrypoints.cli.layers import layered
from pulse_entrypoints.settings.batch import CancelSettings, JobLogSettings, ListJobSettings


def logs(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Show what attempts said, each under a line that names it; return the exit status."""
    return answered("pulse batch logs", environment, lambda: _logs(command_line, environment))


def cancel(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """End a job and return the exit status."""
    return answered("pulse batch cancel", environment, lambda: _cancel(command_line, environment))


def list_jobs(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """List the jobs that Pulse has submitted, newest first, and return the exit status."""
    return answered("pulse batch list", environment, lambda: _list(command_line, environment))


def _logs(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    settings: JobLogSettings = checked(layered(command_line, environment, JobLogSettings))
    group = logs_of(settings)
    for state, number, stream in _streams(asked(settings).jobs, settings):
        sys.stdout.write(f"== {state.id} attempt {number}: {stream}\n")
        sys.stdout.writelines(f"{line.text}\n" for line in group.lines(stream))
    return Exit.DONE


def _streams(jobs: Jobs, settings: JobLogSettings) -> Iterator[tuple[JobState, int, str]]:
    """Yield job, attempt and stream of each attempt that was asked for. Raises PulseError where there is none."""
    found = False
    for state in _meant(jobs, settings):
        for number, attempt in enumerate(state.attempts, 1):
            if attempt.log_stream is not None and settings.attempt in {None, number}:
                found = True
                yield state, number, attempt.log_stream
    if not found:
        raise PulseError("it has no log yet", f"job {settings.job}", "Wait until it runs: pulse batch status tells")


def _meant(jobs: Jobs, settings: JobLogSettings) -> tuple[JobState, ...]:
    """Return the jobs whose logs are meant: of an array, the child that was named, else those that failed, else all."""
    (state,) = jobs.describe([settings.job])
    if state.size is None:
        return (state,)
    if settings.child is not None:
        return jobs.describe([f"{state.id}:{settings.child}"])
    return jobs.describe(jobs.children(state.id, [FAILED]) or jobs.children(state.id))


def _cancel(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    settings: CancelSettings = checked(layered(command_line, environment, CancelSettings))
    jobs = asked(settings).jobs
    (state,) = jobs.describe([settings.job])
    if not state.ended:
        jobs.end(state.id, settings.reason)
    show({"job": state.id, "was": state.status, "ended": not state.ended})
    return Exit.DONE


def _list(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    settings: ListJobSettings = checked(layered(command_line, environment, ListJobSettings))
    jobs = asked(settings).jobs
    states = jobs.describe(jobs.named(str(settings.queue), "pulse-"))
    for state in sorted(states, key=_newest_first):
        ours = {"id": state.id, "name": state.name, "status": state.status, "run_id": state.tags.get(RUN_TAG)}
        show(ours | {"created": state.created.isoformat() if state.created else None, "children": dict(state.children)})
    return Exit.DONE


def _newest_first(state: JobState) -> tuple[float, str]:
    return (-state.created.timestamp() if state.created else 0.0, parent(state.id))
