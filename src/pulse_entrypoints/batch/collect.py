"""`pulse batch collect`: put together here, instead of in a job, what an array's children have recorded."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from pulse_adapters.aws_batch.environment import BatchJob
from pulse_entrypoints.batch.accounts import account
from pulse_entrypoints.batch.asking import answered, asked, checked, place_of, show, typed_for
from pulse_entrypoints.batch.run import as_job
from pulse_entrypoints.batch.status import together
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Exit
from pulse_entrypoints.cli.layers import layered
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.commands.train.command import told
from pulse_entrypoints.settings.batch import CollectSettings

COMMAND = "pulse batch collect"


def collect(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Collect, and return the run's status."""
    return answered(COMMAND, environment, lambda: _collect(command_line, environment))


def _collect(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    settings: CollectSettings = checked(layered(command_line, environment, CollectSettings))
    services, mask = asked(settings), Masker.of(environment)
    states = services.jobs.describe(together(services, settings.job))
    first = states[0]
    typed = typed_for(first)
    more = {"collect": ["true"]} | ({"keep_going": ["true"]} if settings.keep_going else {})
    here = BatchJob(id=first.id, name=first.id, attempt=1, queue=first.queue, compute_environment="")
    ending = as_job(attrs.evolve(typed, values=typed.values | more), environment, here, mask)
    if ending.status in {Exit.DONE, Exit.PARTLY}:
        show(account(services.jobs, states, place_of(first, environment), settings.price_per_vcpu_hour))
    return told(ending, mask)
