"""`pulse train`: read the settings, wire the adapters, run, tell the result, end with the right status."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs

from pulse_adapters.published.result_writer import result_json
from pulse_core.errors import PulseError, RunInterrupted, SettingsError
from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.registry import resolve, with_own_quantiles
from pulse_core.plan import WorkUnit
from pulse_core.results import RunResult
from pulse_core.runs.training import shared_units
from pulse_core.spec import RunSpec
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit, completed, failed, interrupted, slice_completed, unexpected
from pulse_entrypoints.cli.layers import Layered, layered
from pulse_entrypoints.cli.logging import (
    JSON,
    QUIET,
    RUN_FAILED,
    RUN_INTERRUPTED,
    STDERR,
    STDOUT,
    log_folder_problem,
    open_log,
    write_line,
)
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.output import tell, width_of_stderr
from pulse_entrypoints.cli.progress import Progress, show_line
from pulse_entrypoints.cli.signals import current, ignore, name_of
from pulse_entrypoints.commands.report import attach_report, report_problems
from pulse_entrypoints.commands.train.findings import summary_of
from pulse_entrypoints.commands.train.marks import Marking
from pulse_entrypoints.commands.train.preflight import NotReady, require
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.backends import engine_of, engine_problems
from pulse_entrypoints.wiring.specification import run_spec

RUN_LOG: Final = "run.log"


@attrs.frozen
class Order:
    """A training that can be run: settings, spec and forecasters beside the core's, all of them sound.

    As a share of a job: what every event says of the `job`; whether it only collects what is recorded; whether units
    that are done are marked for whoever watches.
    """

    settings: TrainSettings
    spec: RunSpec
    forecasters: tuple[Forecaster, ...]
    job: Mapping[str, Any] = attrs.field(factory=dict)
    recorded_only: bool = False
    marked: bool = False

    @property
    def run_id(self) -> str:
        """The run's name."""
        return self.settings.run_id or self.spec.run_id

    @property
    def units(self) -> tuple[WorkUnit, ...]:
        """The units that slices share."""
        return shared_units(self.spec, resolve(self.spec.roster, self.forecasters), self.settings.unit_size)

    @property
    def slow(self) -> tuple[str, ...]:
        """The forecasters that are called origin by origin."""
        return tuple(one.name for one in resolve(self.spec.roster, self.forecasters).slow)

    @property
    def counted(self) -> str:
        """What progress counts: variables, or steps where slow forecasters do each batch of a variable by itself."""
        return "steps" if self.slow else "variables"


def train(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Train as the settings say and return the exit status. An interruption before the run passes through."""
    mask = Masker.of(environment)
    try:
        order = order_of(command_line, environment)
        ending = _dry_run(order) if order.settings.dry_run else carry_out(order, mask)
    except PulseError as error:
        ending = failed(error)
    return told(ending, mask)


def order_of(command_line: CommandLine, environment: Mapping[str, str]) -> Order:
    """Read and judge everything that was asked for. Raises SettingsError with all that is wrong."""
    return judged(layered(command_line, environment, TrainSettings))


def judged(read: Layered[Any]) -> Order:
    """Judge settings, TrainSettings or more than these. Raises SettingsError with all that is wrong."""
    spec, wrong_spec = run_spec(read, composition.utc_now().date(), composition.sample_facts)
    forecasters, wrong_forecasters = composition.own_forecasters(read)
    problems = [*read.problems, *wrong_spec, *wrong_forecasters, *composition.location_problems(read)]
    problems += engine_problems(read)
    if read.settings.report:
        problems += report_problems(read.source("report"))
    wrong_folder = log_folder_problem(read.settings.log_dir)
    if wrong_folder is not None:
        problems.append(f"{read.source('log_dir')}: {wrong_folder}")
    if problems or spec is None:
        raise SettingsError(problems)
    return Order(read.settings, with_own_quantiles(spec, forecasters), forecasters)


def told(ending: Ending, mask: Masker) -> Exit:
    """Tell how it ended, on stderr, and return the exit status."""
    tell(mask(ending.report(width_of_stderr())))
    return ending.status


def _dry_run(order: Order) -> Ending:
    from pulse_entrypoints.commands.train.dry_run import dry_run  # only what it is needed for

    return dry_run(order.settings, order.spec, order.forecasters)


def carry_out(order: Order, mask: Masker) -> Ending:
    """Do what was ordered; an interruption too is an ending."""
    settings = order.settings
    form = _form(settings)
    stream = STDERR if settings.json else STDOUT
    log = open_log(settings.log_level, form, settings.log_dir, mask, show_line, stream)
    log.bind(run_id=order.run_id, **order.job)
    progress = Progress(log, _context(order), form != JSON and not settings.quiet, order.counted, order.slow)
    current().log = partial(log.events.warning, RUN_INTERRUPTED)
    try:
        return _execute(order, progress, form)
    except RunInterrupted as error:
        log.events.warning(RUN_INTERRUPTED, finished=progress.finished, **_facts(error))
        return interrupted(error.message, progress.finished, progress.planned, order.counted)
    except PulseError as error:
        log.events.error(RUN_FAILED, kind=type(error).__name__, **_facts(error))
        return error.ending if isinstance(error, NotReady) else failed(error)
    except KeyboardInterrupt as interruption:
        message = f"it was ended by {name_of(interruption)}, and what was under way was dropped"
        log.events.warning(RUN_INTERRUPTED, finished=progress.finished, message=message)
        return interrupted(message, progress.finished, progress.planned, order.counted)
    except Exception as error:  # noqa: BLE001 - the last resort: nobody above could do better
        log.events.error(RUN_FAILED, kind=type(error).__name__, message=str(error), exc_info=True)
        return unexpected(error, log.path)
    finally:
        current().log = ignore
        progress.close()
        log.close()


def _execute(order: Order, progress: Progress, form: str) -> Ending:
    settings, spec, log = order.settings, order.spec, progress.log
    sink = composition.sink_of_run(settings)
    sink.claim(order.run_id, spec)
    require(settings, tuple(dict.fromkeys([*spec.variables, *spec.predictors])), sink)
    current().grace = settings.grace_seconds
    observer = Marking(progress, sink, order.run_id, order.units) if order.marked else progress
    training = composition.training(
        settings, sink, order.forecasters, observer, composition.utc_now, progress.connected
    )
    result = attrs.evolve(training, recorded_only=order.recorded_only).execute(spec)
    progress.close()
    log.events.info("run_finished", **_finish(result), **progress.slow_part())
    if settings.slice is not None:
        return slice_completed(result, settings.results_place, settings.slice, order.counted)
    places: dict[str, tuple[str, ...]] = {"Log": (sink.attach(result.run_id, RUN_LOG, log.of_run()), str(log.path))}
    if order.recorded_only and not result.failures:
        sink.remove_marks(result.run_id)
    if settings.report:
        places["Report"] = (attach_report(sink, result.run_id),)
        log.events.info("report_written", published=places["Report"])
    if settings.json:
        write_line(result_json(result).decode(), sys.stdout)
    elif form != JSON and sys.stdout.isatty() and not settings.quiet:
        _show_table(result, places, progress.slow_line())
    return completed(result)


def _show_table(result: RunResult, places: Mapping[str, Sequence[str]], slow: str) -> None:
    from rich.console import Console  # 60 ms that only a terminal needs

    from pulse_entrypoints.commands.train.table import show

    show(result, places, Console(file=sys.stdout), slow)


def _form(settings: TrainSettings) -> str:
    if settings.quiet:
        return QUIET
    if settings.log_format != "auto":
        return settings.log_format
    watched = sys.stderr if settings.json else sys.stdout
    return QUIET if watched.isatty() else JSON


def _context(order: Order) -> dict[str, Any]:
    settings = order.settings
    return {
        "variables": len(order.spec.variables),
        "start": order.spec.start.isoformat(),
        "end": order.spec.last_day.isoformat(),
        "forecasters": list(order.spec.roster),
        "data": settings.data_place,
        "results": settings.results_place,
        "backend": engine_of(settings),
    } | ({} if settings.slice is None else {"slice": "{}/{}".format(*settings.slice)})


def _finish(result: RunResult) -> dict[str, Any]:
    return {
        **attrs.asdict(result.units),
        "digest": result.digest,
        "published": list(result.published),
        "summary": summary_of(result),
    }


def _facts(error: PulseError) -> dict[str, Any]:
    return {"message": error.message, "context": error.context, "hint": error.hint}
