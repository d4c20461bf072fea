"""The watch over jobs until they end: each change is printed, and the exit status is that of the run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pulse_adapters.aws_batch.jobs import Jobs
from pulse_adapters.aws_batch.states import FAILED, SUCCEEDED, JobState
from pulse_entrypoints.batch.accounts import write_account
from pulse_entrypoints.batch.clients import RUN_TAG, UNITS_TAG, Services, archive_of, write_document
from pulse_entrypoints.cli.exits import Exit
from pulse_entrypoints.commands.train.marks import count_finished
from pulse_entrypoints.wiring.results_archive import ResultsArchive

FIRST_PAUSE: Final = 2.0
PAUSE_GROWS: Final = 1.5
LONGEST_PAUSE: Final = 60.0
MOST_FAILED: Final = 100
"""The failed children whose exit status is read, at most."""

Pause = Callable[[float], object]


def watch(
    services: Services,
    ids: Sequence[str],
    environment: Mapping[str, str],
    price: float | None,
    pause: Pause = time.sleep,
) -> Exit:
    """Watch jobs to their end, the last of which publishes; return the run's status. Raises PulseError."""
    pause_seconds, last = FIRST_PAUSE, None
    while True:
        states = services.jobs.describe(ids)
        archive = archive_of(states[0], environment)
        progress = progress_document(services, states, archive)
        if progress != last:
            write_document(progress)
            pause_seconds, last = FIRST_PAUSE, progress
        if all(state.ended for state in states):
            break
        pause(pause_seconds)
        pause_seconds = min(pause_seconds * PAUSE_GROWS, LONGEST_PAUSE)
    status = exit_status(services.jobs, states)
    write_document(write_account(services.jobs, states, archive, price) | {"status": int(status)})
    return status


def progress_document(services: Services, states: Sequence[JobState], archive: ResultsArchive) -> dict[str, Any]:
    """Return the state of the jobs, and how many units of the run are finished."""
    count = int(states[0].tags.get(UNITS_TAG, 0))
    run_id = states[0].tags[RUN_TAG]
    reasons = [reason for reason in map(services.queues.reason, states) if reason is not None]
    return {
        "run_id": run_id,
        "units": count,
        "units_finished": _units_finished(states, archive.marks(run_id), count),
        "jobs": [_job(state) for state in states],
        **({"waits_for": reasons[0]} if reasons else {}),
    }


def _units_finished(states: Sequence[JobState], marks: frozenset[str], count: int) -> int:
    """Return how many of `count` units are finished; the job that publishes takes the marks away before it ends."""
    shared = [state.status == SUCCEEDED for state in states[:-1]]
    published = states[-1].status == SUCCEEDED or (bool(shared) and all(shared) and not marks)
    return count if published else count_finished(marks, count)


def exit_status(jobs: Jobs, states: Sequence[JobState]) -> Exit:
    """Return the exit status of the run: that of the job that publishes, or of those that failed before it."""
    publisher = states[-1]
    if publisher.status == SUCCEEDED:
        return Exit.DONE
    failed = [state for state in states if state.status == FAILED]
    arrays = [state for state in failed if state.size is not None]
    children = [child for array in arrays for child in jobs.children(array.id, [FAILED])[:MOST_FAILED]]
    codes = Counter(_code(state) for state in (*jobs.describe(children), *failed))
    statuses = {code for code in codes if code in set(Exit) and code != Exit.DONE}
    return Exit(statuses.pop()) if len(statuses) == 1 else Exit.FAILED


def _code(state: JobState) -> int | None:
    """Return the exit status of a job's last attempt, which Batch gives for the job or for the attempt."""
    return (
        state.exit_code
        if state.exit_code is not None
        else next((attempt.exit_code for attempt in reversed(state.attempts) if attempt.exit_code is not None), None)
    )


def _job(state: JobState) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": state.id,
        "name": state.name,
        "status": state.status,
        "attempts": len(state.attempts),
    }
    if state.children:
        document["children"] = dict(state.children)
    if state.reason:
        document["reason"] = state.reason
    if state.exit_code is not None:
        document["exit_code"] = state.exit_code
    return document
