"""`pulse data list` and `check`: what is there, and what is odd about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import attrs
import numpy as np

from pulse_core.data.quality import Finding, Quality, quality
from pulse_core.errors import PulseError, SettingsError
from pulse_core.ports import DataStore, reading
from pulse_core.results import Failure
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit, answered
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import answer, show, write_csv, write_json
from pulse_entrypoints.commands.forecast.rows import moment
from pulse_entrypoints.settings.answers import CSV, TABLE
from pulse_entrypoints.settings.data_tools import CheckSettings, ListSettings
from pulse_entrypoints.wiring import composition

Made = TypeVar("Made")

_LISTED: Final = ("variable", "observations", "absent", "first", "last", "calendar", "vintages")
_FOUND: Final = ("variable", "kind", "count", "first", "message", "note")


@attrs.frozen
class Looked:
    """What was seen of a place's variables, and what could not be read."""

    place: str
    variables: tuple[Quality, ...]
    failures: tuple[Failure, ...]

    @property
    def findings(self) -> list[tuple[str, Finding]]:
        """Every finding with its variable, faults before notes."""
        found = [(one.variable, finding) for one in self.variables for finding in one.findings]
        return sorted(found, key=lambda pair: pair[1].note)


def list_data(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """List the variables of a place and return the exit status."""
    return answer(command_line, environment, ListSettings, _list)


def check_data(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Tell what is odd about a place's variables and return the exit status."""
    return answer(command_line, environment, CheckSettings, _check)


def _list(read: Layered[ListSettings]) -> Ending:
    looked = _look(read)
    rows = [_listed(one) for one in looked.variables]
    if read.settings.format == TABLE:
        from pulse_entrypoints.commands.data.table import listing

        show(*listing(looked))
    elif read.settings.format == CSV:
        write_csv(_LISTED, rows)
    else:
        write_json({"schema_version": 1, "data": looked.place, "variables": rows, "failures": _failed(looked)})
    return answered(looked.failures, keep_going=False, hint="")


def _check(read: Layered[CheckSettings]) -> Ending:
    looked = _look(read)
    rows = [_found(*pair) for pair in looked.findings]
    if read.settings.format == TABLE:
        from pulse_entrypoints.commands.data.table import findings

        show(*findings(looked))
    elif read.settings.format == CSV:
        write_csv(_FOUND, rows)
    else:
        write_json({"schema_version": 1, "data": looked.place, "findings": rows, "failures": _failed(looked)})
    ending = answered(looked.failures, keep_going=False, hint="")
    odd = sum(not finding.note for _, finding in looked.findings)
    if ending.status is Exit.DONE and read.settings.strict and odd:
        return Ending(Exit.FAILED, f"pulse: {odd} {'finding' if odd == 1 else 'findings'}")
    return ending


def _look(read: Layered[Any]) -> Looked:
    store = opened(read)
    now = np.datetime64(composition.utc_now().replace(tzinfo=None), "us")
    names = chosen(store, read.settings.of)
    with reading(store, names) as ready:
        seen, failures = each_of(names, lambda name: quality(ready.read(name), now))
    return Looked(read.settings.data, tuple(seen.values()), tuple(failures))


def opened(read: Layered[Any]) -> DataStore:
    """Return the store that the settings name. Raises SettingsError."""
    problems = composition.unserved_locations(read)
    if problems:
        raise SettingsError(problems)
    return composition.store_of(read.settings)


def chosen(store: DataStore, named: Sequence[str] | None) -> Sequence[str]:
    """Return the variables that were named, or all there are."""
    return named or tuple(store.names())


def each_of(variables: Sequence[str], action: Callable[[str], Made]) -> tuple[dict[str, Made], list[Failure]]:
    """Return what an action makes of each variable, and the failures."""
    made: dict[str, Made] = {}
    failures: list[Failure] = []
    for variable in variables:
        try:
            made[variable] = action(variable)
        except PulseError as error:
            failures.append(Failure.of(variable, error))
    return made, failures


def _listed(one: Quality) -> dict[str, Any]:
    return {
        "variable": one.variable,
        "observations": one.observations,
        "absent": one.absent,
        "first": moment(one.first),
        "last": moment(one.last),
        "calendar": one.calendar or None,
        "vintages": one.vintages,
    }


def _found(variable: str, finding: Finding) -> dict[str, Any]:
    return {
        "variable": variable,
        "kind": finding.kind,
        "count": finding.count,
        "first": moment(finding.first),
        "message": finding.message,
        "note": finding.note,
    }


def _failed(looked: Looked) -> list[dict[str, str]]:
    return [attrs.asdict(failure) for failure in looked.failures]
