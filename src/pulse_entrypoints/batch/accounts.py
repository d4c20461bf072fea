"""The account of a run's jobs, `batch.json` beside its result: the usage of each submission, and the sum."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from pulse_adapters.aws_batch.costs import usage, workers
from pulse_adapters.aws_batch.jobs import Jobs
from pulse_adapters.aws_batch.states import JobState
from pulse_core.errors import RunNotFound
from pulse_entrypoints.batch.clients import RUN_TAG
from pulse_entrypoints.wiring.results_archive import ResultsArchive

ACCOUNT: Final = "batch.json"


def write_account(
    jobs: Jobs, states: Sequence[JobState], archive: ResultsArchive, price: float | None
) -> dict[str, Any]:
    """Add up the usage of a submission's jobs, write it beside the run's result, return it. Raises PulseError.

    Earlier submissions of the run, which Batch may have forgotten, stay as they were written.
    """
    run_id = states[0].tags[RUN_TAG]
    used = usage(workers(jobs, states), price).to_document()
    submissions = [
        submission for submission in _earlier_submissions(archive, run_id) if submission["jobs"][0] != states[0].id
    ]
    submissions.append({"jobs": [state.id for state in states], **used})
    document = {"run_id": run_id, **_sum(submissions), "submissions": submissions}
    archive.attach(run_id, ACCOUNT, f"{json.dumps(document, indent=2)}\n".encode())
    return document


def _earlier_submissions(archive: ResultsArchive, run_id: str) -> list[dict[str, Any]]:
    try:
        submissions: list[dict[str, Any]] = json.loads(archive.read(run_id, ACCOUNT))["submissions"]
    except RunNotFound:
        return []
    return submissions


def _sum(submissions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Add submissions up; without a cost where one of them has none."""
    costs = [submission["estimated_cost"] for submission in submissions]
    return {
        "attempts": sum(submission["attempts"] for submission in submissions),
        "vcpu_hours": round(sum(submission["vcpu_hours"] for submission in submissions), 6),
        "estimated_cost": None if None in costs else round(sum(costs), 6),
    }
