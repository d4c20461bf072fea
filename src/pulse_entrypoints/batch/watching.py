"""Watching jobs to their end: what changed is told, and the exit status is that of the run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pulse_adapters.aws_batch.jobs import Jobs
from pulse_adapters.aws_batch.states import FAILED, SUCCEEDED, JobState
from pulse_entrypoints.batch.accounts import account
from pulse_entrypoints.batch.asking import RUN_TAG, UNITS_TAG, Asked, place_of, show
from pulse_entrypoints.cli.exits import Exit
from pulse_entrypoints.commands.train.marks import done_of
from pulse_entrypoints.wiring.results_archive import ResultsArchive

FIRST_PAUSE: Final = 2.0
PAUSE_GROWS: Final = 1.5
LONGEST_PAUSE: Final = 60.0
MOST_FAILED: Final = 100
"""Of failed children, how many are looked at for their exit status."""

Pause = Callable[[float], object]


def watched(
    services: Asked, ids: Sequence[str], environment: Mapping[str, str], price: float | None, pause: Pause = time.sleep
) -> Exit:
    """Watch jobs to their end, the last of which publishes; return the run's status. Raises PulseError."""
    seconds, last = FIRST_PAUSE, None
    while True:
        states = services.jobs.describe(ids)
        place = place_of(states[0], environment)
        seen = look(services, states, place)
        if seen != last:
            show(seen)
            seconds, last = FIRST_PAUSE, seen
        if all(state.ended for state in states):
            break
        pause(seconds)
        seconds = min(seconds * PAUSE_GROWS, LONGEST_PAUSE)
    status = status_of(services.jobs, states)
    show(account(services.jobs, states, place, price) | {"status": int(status)})
    return status


def look(services: Asked, states: Sequence[JobState], place: ResultsArchive) -> dict[str, Any]:
    """Say how jobs stand, and how many units of the run are done."""
    count = int(states[0].tags.get(UNITS_TAG, 0))
    run_id = states[0].tags[RUN_TAG]
    reasons = [reason for reason in map(services.queues.reason, states) if reason is not None]
    return {
        "run_id": run_id,
        "units": count,
        "units_done": _units_done(states, place.marks(run_id), count),
        "jobs": [_job(state) for state in states],
        **({"waits_for": reasons[0]} if reasons else {}),
    }


def _units_done(states: Sequence[JobState], marks: frozenset[str], count: int) -> int:
    """Return how many of `count` units are done; the job that publishes takes the marks away before it ends."""
    shared = [state.status == SUCCEEDED for state in states[:-1]]
    published = states[-1].status == SUCCEEDED or (bool(shared) and all(shared) and not marks)
    return count if published else done_of(marks, count)


def status_of(jobs: Jobs, states: Sequence[JobState]) -> Exit:
    """Return the exit status of the run: that of the job that publishes, or of those that failed before it."""
    publisher = states[-1]
    if publisher.status == SUCCEEDED:
        return Exit.DONE
    failed = [state for state in states if state.status == FAILED]
    arrays = [state for state in failed if state.size is not None]
    children = [child for array in arrays for child in jobs.children(array.id, [FAILED])[:MOST_FAILED]]
    codes = Counter(_code(state) for state in (*jobs.describe(children), *failed))
    known = {code for code in codes if code in set(Exit) and code != Exit.DONE}
    return Exit(known.pop()) if len(known) == 1 else Exit.FAILED


def _code(state: JobState) -> int | None:
    """Return the exit status of a job's last attempt, which Batch tells in one place or the other."""
    return (
        state.exit_code
        if state.exit_code is not None
        else next((attempt.exit_code for attempt in reversed(state.attempts) if attempt.exit_code is not None), None)
    )


def _job(state: JobState) -> dict[str, Any]:
    told: dict[str, Any] = {"id": state.id, "name": state.name, "status": state.status, "attempts": len(state.attempts)}
    if state.children:
        told["children"] = dict(state.children)
    if state.reason:
        told["reason"] = state.reason
    if state.exit_code is not None:
        told["exit_code"] = state.exit_code
    return told
