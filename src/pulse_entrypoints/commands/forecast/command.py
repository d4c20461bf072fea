"""`pulse forecast`: the next steps, by a run's learners brought to the newest rows."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from pulse_adapters.published.result_reader import PublishedRun, read_result
from pulse_core.errors import InvalidSpec, SettingsError
from pulse_core.forecasters.registry import ENSEMBLE
from pulse_core.runs.forecasting import Forecasting, Forecasts, Trained
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit, ending_of
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import run_command, show, write_csv, write_json
from pulse_entrypoints.cli.printing import write_stderr
from pulse_entrypoints.commands.forecast.rows import COLUMNS, document, rows
from pulse_entrypoints.settings.forecast import ForecastSettings
from pulse_entrypoints.settings.output import CSV, TABLE
from pulse_entrypoints.wiring import composition

_ALL = "all"


def forecast(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Forecast as the settings say and return the exit status."""
    return run_command(command_line, environment, ForecastSettings, _forecast)


def _forecast(layered: Layered[ForecastSettings]) -> Ending:
    settings = layered.settings
    composition.refuse_unserved_locations(layered)
    sink = composition.sink_of(settings)
    run = read_result(sink, settings.run)
    names = _names(layered, run)
    forecasting = Forecasting(
        store=composition.store_of(settings),
        sink=sink,
        forecasters=composition.forecasters_of(run.spec),
        allow_changed_history=settings.allow_changed_history,
    )
    try:
        forecasts = forecasting.execute(
            Trained(run.spec, run.fingerprints), settings.as_of or composition.utc_now().date(), settings.only or ()
        )
    except InvalidSpec as error:
        raise SettingsError([_as_option(problem, layered) for problem in error.problems]) from error
    ending = ending_of(forecasts.failures, keep_going=settings.skip_failed)
    if ending.status is not Exit.FAILED:
        _show(forecasts, names, run, settings.format)
        write_stderr(_other_software(run))
    return ending


def _names(layered: Layered[ForecastSettings], run: PublishedRun) -> tuple[str, ...]:
    """Return the forecasters of --by, without one the ensemble. Raises SettingsError."""
    forecasters, names = run.spec.forecasters, layered.settings.by
    if names is None:
        if ENSEMBLE not in forecasters:
            raise SettingsError([f"run '{run.run_id}' has no ensemble; name --by one of {', '.join(forecasters)}"])
        return (ENSEMBLE,)
    if names == (_ALL,):
        return forecasters
    unknown = [name for name in names if name not in forecasters]
    if unknown:
        raise SettingsError([_unknown(layered.source("by"), name, forecasters) for name in unknown])
    return names


def _unknown(source: str, name: str, forecasters: tuple[str, ...]) -> str:
    near = get_close_matches(name, forecasters, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"{source}: the run has no forecaster '{name}', but {', '.join(forecasters)}{hint}"


def _as_option(problem: str, layered: Layered[ForecastSettings]) -> str:
    option, _, message = problem.partition(": ")
    return f"{layered.source({'variables': 'only'}.get(option, option))}: {message}"


def _show(forecasts: Forecasts, names: tuple[str, ...], run: PublishedRun, form: str) -> None:
    if form == TABLE:
        from pulse_entrypoints.commands.forecast.table import table

        show(*table(forecasts, names, run))
    elif form == CSV:
        write_csv(COLUMNS, rows(forecasts, names))
    else:
        write_json(document(forecasts, names, run))


def _other_software(run: PublishedRun) -> str:
    """Return a note where other versions computed the run: those here replay it."""
    here = composition.software()
    changed = [name for name in ("pulse", "numpy") if run.software.get(name, here[name]) != here[name]]
    if not changed:
        return ""
    versions = ", ".join(f"{name} {run.software[name]} (here {here[name]})" for name in changed)
    return f"pulse: the run was trained with {versions}; its learners were replayed with the versions here"
