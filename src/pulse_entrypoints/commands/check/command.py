"""`pulse check`: look whether a training could begin, without beginning it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pulse_core.errors import PulseError, SettingsError
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.cli.layers import layered
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.output import show, tell, width_of_stderr, write_json
from pulse_entrypoints.commands.train.command import Order, order_of
from pulse_entrypoints.commands.train.preflight import Check, credentials_checks, data_checks, results_checks
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import composition


def check(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Look at everything that a training of these settings needs; return 0, 1, or 2 where settings are wrong."""
    mask = Masker.of(environment)
    made = list(_checks(command_line, environment))
    wrong = [each for each in made if each.error is not None]
    if sys.stdout.isatty():
        from pulse_entrypoints.commands.check.table import table

        show(table(made, mask))
    else:
        write_json({"ready": not wrong, "checks": [_plain(each, mask) for each in made]})
    if not wrong:
        return Exit.DONE
    status = Exit.USAGE if any(each.subject == "settings" for each in wrong) else Exit.FAILED
    title = f"pulse: not ready, for {len(wrong)} {'reason' if len(wrong) == 1 else 'reasons'}"
    tell(Ending(status, title).report(width_of_stderr()))
    return status


def _checks(command_line: CommandLine, environment: Mapping[str, str]) -> Iterator[Check]:
    order: Order | None = None
    try:
        order = order_of(command_line, environment)
        yield Check("settings", "", "can be used")
    except SettingsError as error:
        yield from (Check("settings", "", problem, error) for problem in error.problems)
    read = layered(command_line, environment, TrainSettings)
    if composition.unserved_locations(read):
        return
    yield from credentials_checks(read.settings)
    variables = order.spec.variables if order is not None else read.settings.variables or ()
    predictors = () if order is None else order.spec.predictors
    yield from data_checks(read.settings, tuple(dict.fromkeys([*variables, *predictors])))
    sink = composition.sink_of_run(read.settings)
    yield from results_checks(sink)
    if order is not None:
        try:
            sink.claim(order.run_id, order.spec)
        except PulseError as error:
            yield Check("run id", error.context, error.message, error)


def _plain(made: Check, mask: Masker) -> dict[str, Any]:
    return {
        "check": made.subject,
        "ok": made.error is None,
        "context": mask(made.context),
        "found": mask(made.found),
        "hint": mask(made.error.hint) if made.error is not None else "",
    }
