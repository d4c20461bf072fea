"""The RunSpec of settings; its problems are reported under the names of the options."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

import attrs

from pulse_core.errors import InvalidSpec, PulseError, SettingsError
from pulse_core.spec import DEFAULT_FORECASTERS, RunSpec
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.settings.locations import SAMPLE
from pulse_entrypoints.settings.spec import DEFAULT_START
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring.defaults import DataDefaults

SAMPLE_YEARS: Final = 10

_OPTION_OF: Final = {
    field.name: {"start": "start_date", "end": "end_date"}.get(field.name, field.name)
    for field in attrs.fields(RunSpec)
}
_FIELD: Final = re.compile(r"(\w+): (.*)", re.DOTALL)
_AFTER: Final = re.compile(r"start (\S+) is after end (\S+)")


@attrs.frozen
class SampleFacts:
    """The facts of the sample from which the defaults of `--data sample` come."""

    variables: tuple[str, ...]
    last_day: date


@attrs.frozen
class ChosenSpec:
    """A spec, or None and its problems; the notes say which defaults were taken from the data, and why."""

    spec: RunSpec | None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def run_spec(
    layered: Layered[TrainSettings],
    today: date,
    sample: Callable[[], SampleFacts],
    data: DataDefaults,
) -> ChosenSpec:
    """Return the spec of settings, or its problems, without those that the layers reported already.

    What is not given comes from the data, or from the sample where these are the data. In shares of a run the first
    day is fixed: they must not choose different ones. Raises StoreUnavailable.
    """
    notes: list[str] = []
    try:
        fields = _fields(layered, today, sample, data, notes)
        return ChosenSpec(RunSpec(**fields), notes=tuple(notes))
    except InvalidSpec as error:
        problems = [_as_option(problem, layered) for problem in error.problems]
        return ChosenSpec(None, tuple(problem for problem in problems if problem is not None))
    except SettingsError as error:
        return ChosenSpec(None, tuple(error.problems))
    except PulseError:
        # the data cannot be read; problems of the settings are told first, all at once
        chosen = run_spec(layered, today, sample, DataDefaults(None))
        if data.open_store is None or not chosen.problems:
            raise
        return chosen


def _fields(
    layered: Layered[TrainSettings],
    today: date,
    sample: Callable[[], SampleFacts],
    data: DataDefaults,
    notes: list[str],
) -> Mapping[str, Any]:
    settings = layered.settings
    fields = {field: getattr(settings, name) for field, name in _OPTION_OF.items()}
    fields["predictors"] = fields["predictors"] or ()
    if fields["forecasters"] is None:
        fields["forecasters"] = DEFAULT_FORECASTERS
    missing = [name for name in ("variables", "start", "end") if fields[name] is None]
    if settings.data == SAMPLE:
        if missing:  # the sample would be read for nothing
            defaults = _sample_defaults(settings.end_date, sample)
            fields |= {name: defaults[name] for name in missing}
        if "variables" not in missing:
            fields["variables"], _ = data.variables(fields["variables"])
        return fields
    fields["variables"], which = data.variables(fields["variables"])
    if "start" in missing:
        fields["start"], why = (DEFAULT_START, "") if _is_fixed(layered) else data.start(fields["variables"])
        notes.append(f"from {fields['start']}{f', {why}' if why else ''}")
    if which:
        notes.insert(0, which)
    if "end" in missing:
        fields["end"] = today
    return fields


def _is_fixed(layered: Layered[TrainSettings]) -> bool:
    """Whether the settings are those of shares of a run, or of a job of AWS Batch."""
    return layered.settings.slice is not None or type(layered.settings) is not TrainSettings


def _sample_defaults(end: date | None, sample: Callable[[], SampleFacts]) -> Mapping[str, Any]:
    facts = sample()
    end = end or facts.last_day
    return {"variables": facts.variables, "start": min(_years_before(end) + timedelta(days=1), end), "end": end}


def _years_before(day: date) -> date:
    year = max(day.year - SAMPLE_YEARS, date.min.year)
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=year, day=28) if leap_day else day.replace(year=year)


def _as_option(problem: str, layered: Layered[TrainSettings]) -> str | None:
    after = _AFTER.fullmatch(problem)
    if after is not None:
        if layered.broken & {"start_date", "end_date"}:
            return None
        start, end = layered.source("start_date"), layered.source("end_date")
        return f"{start} {after[1]} is after {end} {after[2]}"
    named = _FIELD.fullmatch(problem)
    if named is None or named[1] not in _OPTION_OF:
        return problem
    option = _OPTION_OF[named[1]]
    return None if option in layered.broken else f"{layered.source(option)}: {named[2]}"
