"""`pulse batch status`: how a job stands, what it has cost, and with --watch its end."""

from __future__ import annotations

from collections.abc import Mapping

from pulse_adapters.aws_batch.costs import usage, workers
from pulse_entrypoints.batch.asking import COLLECTS_TAG, Asked, answered, asked, checked, parent, place_of, show
from pulse_entrypoints.batch.watching import look, watched
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Exit
from pulse_entrypoints.cli.layers import layered
from pulse_entrypoints.settings.batch import StatusSettings

COMMAND = "pulse batch status"


def status(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Say it and return 0, or the run's own status where its end is waited for."""
    return answered(COMMAND, environment, lambda: _status(command_line, environment))


def _status(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    settings: StatusSettings = checked(layered(command_line, environment, StatusSettings))
    services = asked(settings)
    ids = together(services, settings.job)
    if settings.watch:
        return watched(services, ids, environment, settings.price_per_vcpu_hour)
    states = services.jobs.describe(ids)
    used = usage(workers(services.jobs, states), settings.price_per_vcpu_hour)
    show(look(services, states, place_of(states[0], environment)) | {"used": used.to_document()})
    return Exit.DONE


def together(services: Asked, job: str) -> tuple[str, ...]:
    """Return the ids of the jobs of one submission: the array before the job that collects it. Raises PulseError."""
    (state,) = services.jobs.describe([parent(job)])
    array = state.tags.get(COLLECTS_TAG)
    return (state.id,) if array is None else (array, state.id)
