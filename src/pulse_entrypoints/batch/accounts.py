"""What a run's jobs have used, beside its result: `batch.json`, one entry a submission, and their sum."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from pulse_adapters.aws_batch.costs import attempted_jobs, usage
from pulse_adapters.aws_batch.jobs import Jobs
from pulse_adapters.aws_batch.states import JobState
from pulse_core.errors import RunNotFound
from pulse_entrypoints.batch.asking import RUN_TAG
from pulse_entrypoints.wiring.results_archive import ResultsArchive

ACCOUNT: Final = "batch.json"


def account(jobs: Jobs, states: Sequence[JobState], place: ResultsArchive, price: float | None) -> dict[str, Any]:
    """Add up what the jobs of a submission have used, write it beside the run's result, return it. Raises PulseError.

    Earlier submissions of the run, of which Batch may know nothing any more, stay as they were written.
    """
    run_id = states[0].tags[RUN_TAG]
    used = usage(attempted_jobs(jobs, states), price).to_document()
    submissions = [each for each in _written(place, run_id) if each["jobs"][0] != states[0].id]
    submissions.append({"jobs": [state.id for state in states], **used})
    document = {"run_id": run_id, **_sum(submissions), "submissions": submissions}
    place.attach(run_id, ACCOUNT, f"{json.dumps(document, indent=2)}\n".encode())
    return document


def _written(place: ResultsArchive, run_id: str) -> list[dict[str, Any]]:
    try:
        written: list[dict[str, Any]] = json.loads(place.read(run_id, ACCOUNT))["submissions"]
    except RunNotFound:
        return []
    return written


def _sum(submissions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Add submissions up; without a cost where one of them has none."""
    costs = [each["estimated_cost"] for each in submissions]
    return {
        "attempts": sum(each["attempts"] for each in submissions),
        "vcpu_hours": round(sum(each["vcpu_hours"] for each in submissions), 6),
        "estimated_cost": None if None in costs else round(sum(costs), 6),
    }
