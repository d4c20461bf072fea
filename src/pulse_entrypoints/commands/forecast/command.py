"""`pulse forecast`: what a run's learners, brought to the newest rows, say of the next steps."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from pulse_adapters.published.result_reader import PublishedRun, read_result
from pulse_core.backtest import ensemble
from pulse_core.errors import InvalidSpec, SettingsError
from pulse_core.runs.forecasting import Forecasting, Forecasts, Trained
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit, answered
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import answer, show, tell, write_csv, write_json
from pulse_entrypoints.commands.forecast.rows import COLUMNS, document, rows
from pulse_entrypoints.settings.answers import CSV, TABLE
from pulse_entrypoints.settings.forecast import ForecastSettings
from pulse_entrypoints.wiring import composition

_ALL = "all"


def forecast(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Forecast as the settings say and return the exit status."""
    return answer(command_line, environment, ForecastSettings, _forecast)


def _forecast(read: Layered[ForecastSettings]) -> Ending:
    settings = read.settings
    problems = composition.unserved_locations(read)
    if problems:
        raise SettingsError(problems)
    sink = composition.sink_of(settings)
    run = read_result(sink, settings.run)
    names = _names(read, run)
    forecasting = Forecasting(
        store=composition.store_of(settings),
        sink=sink,
        forecasters=composition.forecasters_of(run.spec),
        allow_changed_history=settings.allow_changed_history,
    )
    try:
        made = forecasting.execute(
            Trained(run.spec, run.fingerprints), settings.as_of or composition.utc_now().date(), settings.only or ()
        )
    except InvalidSpec as error:
        raise SettingsError([_in_words_of_settings(problem, read) for problem in error.problems]) from error
    ending = answered(made.failures, keep_going=settings.skip_failed)
    if ending.status is not Exit.FAILED:
        _show(made, names, run, settings.format)
        tell(_other_software(run))
    return ending


def _names(read: Layered[ForecastSettings], run: PublishedRun) -> tuple[str, ...]:
    """Return the forecasters that were asked for, in the run's order of none. Raises SettingsError."""
    roster, asked = run.spec.roster, read.settings.by
    if asked is None:
        if ensemble.NAME not in roster:
            raise SettingsError([f"run '{run.run_id}' has no ensemble; name --by one of {', '.join(roster)}"])
        return (ensemble.NAME,)
    if asked == (_ALL,):
        return roster
    unknown = [name for name in asked if name not in roster]
    if unknown:
        raise SettingsError([_unknown(read.source("by"), name, roster) for name in unknown])
    return asked


def _unknown(source: str, name: str, roster: tuple[str, ...]) -> str:
    near = get_close_matches(name, roster, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"{source}: the run has no forecaster '{name}', but {', '.join(roster)}{hint}"


def _in_words_of_settings(problem: str, read: Layered[ForecastSettings]) -> str:
    option, _, message = problem.partition(": ")
    return f"{read.source({'variables': 'only'}.get(option, option))}: {message}"


def _show(made: Forecasts, names: tuple[str, ...], run: PublishedRun, form: str) -> None:
    if form == TABLE:
        from pulse_entrypoints.commands.forecast.table import table

        show(*table(made, names, run))
    elif form == CSV:
        write_csv(COLUMNS, rows(made, names))
    else:
        write_json(document(made, names, run))


def _other_software(run: PublishedRun) -> str:
    """Say where another version computed the run: the replay is this one's."""
    here = composition.software()
    other = [name for name in ("pulse", "numpy") if run.software.get(name, here[name]) != here[name]]
    if not other:
        return ""
    told = ", ".join(f"{name} {run.software[name]} (here {here[name]})" for name in other)
    return f"pulse: the run was trained with {told}; its learners were replayed with what is here"
