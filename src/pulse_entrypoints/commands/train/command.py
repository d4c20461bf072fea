"""`pulse train`: read the settings, wire the adapters, train, report the result, return the exit status."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs

from pulse_adapters.backends.host.allocator import keep_freed_memory
from pulse_adapters.published.result_writer import result_json
from pulse_core.errors import PulseError, RunInterrupted, SettingsError
from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.registry import resolve, with_custom_names
from pulse_core.plan import WorkUnit
from pulse_core.ports import DataStore
from pulse_core.results import RunResult
from pulse_core.runs.training import shared_units
from pulse_core.spec import RunSpec
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit, completed, failed, interrupted, slice_completed, unexpected
from pulse_entrypoints.cli.layers import Layered, read_settings
from pulse_entrypoints.cli.logging import (
    JSON,
    QUIET,
    RUN_FAILED,
    RUN_INTERRUPTED,
    STDERR,
    STDOUT,
    log_folder_problem,
    open_log,
)
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.output import report_ending
from pulse_entrypoints.cli.printing import finish_output, write_stderr, write_text
from pulse_entrypoints.cli.progress import Progress, show_line
from pulse_entrypoints.cli.signals import Interrupted, current, ignore, name_of
from pulse_entrypoints.commands.report import attach_report, report_problems
from pulse_entrypoints.commands.train.best import summary_of
from pulse_entrypoints.commands.train.marks import UnitMarker
from pulse_entrypoints.commands.train.preflight import NotReady, require_ready
from pulse_entrypoints.settings.locations import DEFAULT_RESULTS
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.backends import backend_name, backend_problems
from pulse_entrypoints.wiring.specification import run_spec

RUN_LOG: Final = "run.log"


@attrs.frozen
class TrainRequest:
    """A training that can run: valid settings, the spec, and the forecasters beside the core's.

    For a share of a job, `job` are the fields of the job in every event; with `recorded_only` the run collects what is
    recorded and computes nothing; with `marked` each finished unit is marked in the results. `notes` say which defaults
    were taken from the data.
    """

    settings: TrainSettings
    spec: RunSpec
    forecasters: tuple[Forecaster, ...]
    job: Mapping[str, Any] = attrs.field(factory=dict)
    recorded_only: bool = False
    marked: bool = False
    notes: tuple[str, ...] = ()

    @property
    def run_id(self) -> str:
        """The run's name."""
        return self.settings.run_id or self.spec.run_id

    @property
    def units(self) -> tuple[WorkUnit, ...]:
        """The units that slices divide."""
        return shared_units(self.spec, resolve(self.spec.forecasters, self.forecasters), self.settings.unit_size)

    @property
    def per_origin(self) -> tuple[str, ...]:
        """The forecasters that are fitted at each origin."""
        return tuple(forecaster.name for forecaster in resolve(self.spec.forecasters, self.forecasters).per_origin)

    @property
    def counted(self) -> str:
        """The noun of the progress: variables, or steps where forecasters per origin make a step of each batch."""
        return "steps" if self.per_origin else "variables"


def train(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Train as the settings say and return the exit status. An interruption before the run is raised."""
    mask = Masker.of(environment)
    try:
        request = read_request(command_line, environment)
        _tell_notes(request)
        ending = _dry_run(request) if request.settings.dry_run else run_training(request, mask)
    except PulseError as error:
        ending = failed(error)
    return report_ending(ending, mask)


def _tell_notes(request: TrainRequest) -> None:
    """Print which defaults were taken from the data, where a person reads along; elsewhere an event says so."""
    settings = request.settings
    if request.notes and not settings.quiet and (settings.dry_run or _form(settings) == QUIET):
        write_stderr(f"pulse: {', '.join(request.notes)}; --variables and --start-date say otherwise")


def read_request(command_line: CommandLine, environment: Mapping[str, str]) -> TrainRequest:
    """Read and validate the settings. Raises SettingsError with all problems."""
    return validated(read_settings(command_line, environment, TrainSettings))


def validated(layered: Layered[Any], store: DataStore | None = None, given: Sequence[Forecaster] = ()) -> TrainRequest:
    """Validate settings of TrainSettings or a subclass. Raises SettingsError with all problems.

    A caller in Python may have the `store` itself, and forecasters that are `given` as objects.
    """
    forecasters, forecaster_problems = composition.custom_forecasters(layered, given)
    problems = [*layered.problems, *forecaster_problems, *composition.location_problems(layered)]
    problems += backend_problems(layered)
    if layered.settings.report:
        problems += report_problems(layered.source("report"))
    folder_problem = log_folder_problem(layered.settings.log_dir)
    if folder_problem is not None:
        problems.append(f"{layered.source('log_dir')}: {folder_problem}")
    data = composition.data_defaults(layered.settings, store, is_sound=not problems)
    chosen = run_spec(layered, composition.utc_now().date(), composition.sample_facts, data)
    if problems or chosen.spec is None:
        raise SettingsError([*chosen.problems, *problems])
    spec = with_custom_names(chosen.spec, forecasters)
    return TrainRequest(layered.settings, spec, forecasters, notes=chosen.notes)


def _dry_run(request: TrainRequest) -> Ending:
    from pulse_entrypoints.commands.train.dry_run import dry_run  # a plan needs more than a run

    return dry_run(request.settings, request.spec, request.forecasters)


def run_training(request: TrainRequest, mask: Masker) -> Ending:
    """Train, and log how it ends; an interruption too is an ending."""
    keep_freed_memory()
    settings = request.settings
    form = _form(settings)
    stream = STDERR if settings.json else STDOUT
    log = open_log(settings.log_level, form, settings.log_dir, mask, show_line, stream)
    log.bind(run_id=request.run_id, **request.job)
    if request.notes:
        log.events.info("defaults_chosen", message="; ".join(request.notes))
    progress = Progress(
        log, _request_fields(request), form != JSON and not settings.quiet, request.counted, request.per_origin
    )
    current().log = partial(log.events.warning, RUN_INTERRUPTED)
    try:
        return _train(request, progress, form)
    except RunInterrupted as error:
        log.events.warning(RUN_INTERRUPTED, finished=progress.finished, **_error_fields(error))
        return interrupted(error.message, progress.finished, progress.planned, request.counted)
    except PulseError as error:
        log.events.error(RUN_FAILED, kind=type(error).__name__, **_error_fields(error))
        return error.ending if isinstance(error, NotReady) else failed(error)
    except KeyboardInterrupt as interruption:
        if not isinstance(interruption, Interrupted):  # no signal came: foreign code has raised it
            log.events.error(RUN_FAILED, kind="KeyboardInterrupt", message=str(interruption), exc_info=True)
            return unexpected(interruption, log.path)
        dropped = ", and what was under way was dropped" if progress.planned else ""
        message = f"it was ended by {name_of(interruption)}{dropped}"
        log.events.warning(RUN_INTERRUPTED, finished=progress.finished, message=message)
        return interrupted(message, progress.finished, progress.planned, request.counted)
    except Exception as error:  # noqa: BLE001 - the outermost frame: the error becomes exit status 1 and a traceback in the log
        log.events.error(RUN_FAILED, kind=type(error).__name__, message=str(error), exc_info=True)
        return unexpected(error, log.path)
    finally:
        current().log = ignore
        progress.close()
        log.close()


def _train(request: TrainRequest, progress: Progress, form: str) -> Ending:
    settings, spec, log = request.settings, request.spec, progress.log
    sink = composition.sink_of_run(settings)
    sink.check_run_id(request.run_id, spec)
    require_ready(settings, tuple(dict.fromkeys([*spec.variables, *spec.predictors])), sink)
    current().grace = settings.grace_seconds
    observer = UnitMarker(progress, sink, request.run_id, request.units) if request.marked else progress
    training = composition.training(
        settings, sink, request.forecasters, observer, composition.utc_now, progress.connected
    )
    result = attrs.evolve(training, recorded_only=request.recorded_only).execute(spec)
    progress.close()
    log.events.info("run_finished", **_result_fields(result), **progress.per_origin_fields())
    if settings.slice is not None:
        return slice_completed(result, settings.results_location, settings.slice, request.counted)
    addresses: dict[str, tuple[str, ...]] = {"Log": (sink.attach(result.run_id, RUN_LOG, log.of_run()), str(log.path))}
    if request.recorded_only and not result.failures:
        sink.remove_marks(result.run_id)
    if settings.report:
        addresses["Report"] = (attach_report(sink, result.run_id),)
        log.events.info("report_written", published=addresses["Report"])
    current().decide(Exit.PARTLY if result.failures else Exit.DONE)  # all that was asked for stands
    if settings.json:
        write_text(result_json(result).decode().rstrip("\n"))
    elif form != JSON and (settings.table or sys.stdout.isatty()) and not settings.quiet:
        addresses["Next"] = (_next_command(request, result.run_id),)
        _show_table(result, addresses, progress.per_origin_line())
    return completed(result)


def _show_table(result: RunResult, addresses: Mapping[str, Sequence[str]], note: str) -> None:
    from rich.console import Console  # 60 ms that only a terminal needs

    from pulse_entrypoints.commands.train.table import IN_A_PIPE, show

    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else IN_A_PIPE
    show(result, addresses, Console(file=sys.stdout, width=width), note)
    finish_output()


def _next_command(request: TrainRequest, run_id: str) -> str:
    """Return the command that people need next: the forecast from the newest rows, with the run's own locations."""
    settings = request.settings
    words = ["pulse", "forecast", run_id, "--data", settings.data_location]
    if settings.results_location != DEFAULT_RESULTS:
        words += ["--results", settings.results_location]
    for name, value in settings.reading_options().items():
        words += [f"--{name.replace('_', '-')}", *value]
    return shlex.join(words)


def _form(settings: TrainSettings) -> str:
    if settings.quiet or settings.table:
        return QUIET
    if settings.log_format != "auto":
        return settings.log_format
    stream = sys.stderr if settings.json else sys.stdout
    return QUIET if stream.isatty() else JSON


def _request_fields(request: TrainRequest) -> dict[str, Any]:
    settings = request.settings
    return {
        "variables": len(request.spec.variables),
        "start": request.spec.start.isoformat(),
        "end": request.spec.last_day.isoformat(),
        "forecasters": list(request.spec.forecasters),
        "data": settings.data_location,
        "results": settings.results_location,
        "backend": backend_name(settings),
    } | ({} if settings.slice is None else {"slice": "{}/{}".format(*settings.slice)})


def _result_fields(result: RunResult) -> dict[str, Any]:
    return {
        **attrs.asdict(result.units),
        "digest": result.digest,
        "published": list(result.published),
        "summary": summary_of(result),
    }


def _error_fields(error: PulseError) -> dict[str, Any]:
    return {"message": error.message, "context": error.context, "hint": error.hint}
