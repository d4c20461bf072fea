"""The RunSpec of settings; its problems are reported under the names of the options."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

import attrs

from pulse_core.errors import InvalidSpec
from pulse_core.spec import DEFAULT_FORECASTERS, RunSpec
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.settings.locations import SAMPLE
from pulse_entrypoints.settings.spec import DEFAULT_START, DEFAULT_VARIABLES
from pulse_entrypoints.settings.train import TrainSettings

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


def run_spec(
    layered: Layered[TrainSettings], today: date, sample: Callable[[], SampleFacts], *, in_memory: bool = False
) -> tuple[RunSpec | None, list[str]]:
    """Return the spec, or None and its problems, without those that the layers reported already."""
    try:
        return RunSpec(**_fields(layered, today, sample, in_memory=in_memory)), []
    except InvalidSpec as error:
        problems = [_as_option(problem, layered) for problem in error.problems]
        return None, [problem for problem in problems if problem is not None]


def _fields(
    layered: Layered[TrainSettings], today: date, sample: Callable[[], SampleFacts], *, in_memory: bool
) -> Mapping[str, Any]:
    settings = layered.settings
    fields = {field: getattr(settings, name) for field, name in _OPTION_OF.items()}
    fields["predictors"] = fields["predictors"] or ()
    if fields["forecasters"] is None:
        fields["forecasters"] = DEFAULT_FORECASTERS
    missing = [name for name in ("variables", "start", "end") if fields[name] is None]
    if not missing:  # the sample would be read for nothing
        return fields
    defaults = _sample_defaults(settings.end_date, sample) if in_memory or settings.data == SAMPLE else _defaults(today)
    return fields | {name: defaults[name] for name in missing}


def _defaults(today: date) -> Mapping[str, Any]:
    return {"variables": DEFAULT_VARIABLES, "start": DEFAULT_START, "end": today}


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
