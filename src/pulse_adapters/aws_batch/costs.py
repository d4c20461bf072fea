"""Usage of jobs, all attempts and children together, and its cost at a price that the user gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from pulse_adapters.aws_batch.jobs import Jobs
from pulse_adapters.aws_batch.states import JobState


@attrs.frozen(kw_only=True)
class Usage:
    """vCPU hours of ended attempts, their number, and the cost where a price for the vCPU hour is known."""

    attempts: int
    vcpu_hours: float
    price_per_vcpu_hour: float | None

    @property
    def estimated_cost(self) -> float | None:
        """The hours times the price: without storage, traffic, and the time of machines that start or idle."""
        return None if self.price_per_vcpu_hour is None else self.vcpu_hours * self.price_per_vcpu_hour

    def to_document(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "attempts": self.attempts,
            "vcpu_hours": round(self.vcpu_hours, 6),
            "price_per_vcpu_hour": self.price_per_vcpu_hour,
            "estimated_cost": None if self.estimated_cost is None else round(self.estimated_cost, 6),
        }


def attempted_jobs(jobs: Jobs, states: Iterable[JobState]) -> tuple[JobState, ...]:
    """Return the jobs that have attempts: of an array its children, which have them. Raises PulseError."""
    single = [state for state in states if state.size is None]
    arrays = [state for state in states if state.size is not None]
    children = [child for array in arrays for child in jobs.describe(jobs.children(array.id))]
    return (*children, *single)


def usage(states: Iterable[JobState], price: float | None) -> Usage:
    """Add up the usage of jobs without children."""
    jobs = tuple(states)
    return Usage(
        attempts=sum(len(state.attempts) for state in jobs),
        vcpu_hours=sum(state.vcpu_hours for state in jobs),
        price_per_vcpu_hour=price,
    )
