"""`pulse check`: whether a training could begin, without beginning it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pulse_core.errors import PulseError, SettingsError
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.cli.layers import read_settings
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.output import show, stderr_width, write_json
from pulse_entrypoints.cli.printing import write_stderr
from pulse_entrypoints.commands.train.command import TrainRequest, read_request
from pulse_entrypoints.commands.train.preflight import (
    Check,
    credentials_checks,
    data_checks,
    kernel_checks,
    results_checks,
)
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import composition


def check(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Check everything that a training of these settings needs; return 0, 1, or 2 where settings are wrong."""
    mask = Masker.of(environment)
    checks = list(_checks(command_line, environment))
    failed = [check for check in checks if check.error is not None]
    if sys.stdout.isatty():
        from pulse_entrypoints.commands.check.table import table

        show(table(checks, mask))
    else:
        write_json({"ready": not failed, "checks": [_document(check, mask) for check in checks]})
    if not failed:
        return Exit.DONE
    status = Exit.USAGE if any(check.subject == "settings" for check in failed) else Exit.FAILED
    title = f"pulse: not ready, for {len(failed)} {'reason' if len(failed) == 1 else 'reasons'}"
    write_stderr(Ending(status, title).report(stderr_width()))
    return status


def _checks(command_line: CommandLine, environment: Mapping[str, str]) -> Iterator[Check]:
    request: TrainRequest | None = None
    try:
        request = read_request(command_line, environment)
        yield Check("settings", "", "can be used")
    except SettingsError as error:
        yield from (Check("settings", "", problem, error) for problem in error.problems)
    except PulseError as error:
        yield Check("settings", "", f"variables and period cannot be taken from the data: {error.message}", error)
    yield from kernel_checks()
    layered = read_settings(command_line, environment, TrainSettings)
    if composition.unserved_locations(layered):
        return
    yield from credentials_checks(layered.settings)
    variables = request.spec.variables if request is not None else layered.settings.variables or ()
    predictors = () if request is None else request.spec.predictors
    yield from data_checks(layered.settings, tuple(dict.fromkeys([*variables, *predictors])))
    sink = composition.sink_of_run(layered.settings)
    yield from results_checks(sink)
    if request is not None:
        try:
            sink.check_run_id(request.run_id, request.spec)
        except PulseError as error:
            yield Check("run id", error.context, error.message, error)


def _document(check: Check, mask: Masker) -> dict[str, Any]:
    return {
        "check": check.subject,
        "passed": check.error is None,
        "context": mask(check.context),
        "message": mask(check.message),
        "hint": mask(check.error.hint) if check.error is not None else "",
    }
