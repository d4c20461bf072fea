"""`pulse data list` and `check`: the variables of the data, and the findings of their quality."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, Final, TypeVar

import attrs
import numpy as np

from pulse_adapters.stores.formats.registry import SUFFIXES
from pulse_core.data.observations import Observations
from pulse_core.data.quality import Finding, Quality, overview, quality
from pulse_core.errors import PulseError
from pulse_core.ports import DataStore
from pulse_core.results import Failure
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit, ending_of
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import run_command, show, show_all, write_csv, write_json
from pulse_entrypoints.commands.data.reading import outcomes
from pulse_entrypoints.commands.forecast.rows import moment
from pulse_entrypoints.settings.data_tools import CheckSettings, ListSettings
from pulse_entrypoints.settings.output import CSV, TABLE
from pulse_entrypoints.wiring import composition

Outcome = TypeVar("Outcome")

_LIST_COLUMNS: Final = ("variable", "observations", "absent", "first", "last", "calendar", "vintages")
_ENDINGS: Final = f"those end in {', '.join(SUFFIXES)}"
_FINDING_COLUMNS: Final = ("variable", "kind", "count", "first", "message", "note")


@attrs.frozen
class Inspection:
    """The quality of each variable of the data."""

    variables: tuple[Quality, ...]

    @property
    def findings(self) -> list[tuple[Quality, Finding]]:
        """Every finding with its variable, faults before notes."""
        pairs = [(variable, finding) for variable in self.variables for finding in variable.findings]
        return sorted(pairs, key=lambda pair: pair[1].note)


def list_data(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """List the variables of the data and return the exit status."""
    return run_command(command_line, environment, ListSettings, _list)


def check_data(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Print the findings of the variables and return the exit status."""
    return run_command(command_line, environment, CheckSettings, _check)


def _list(layered: Layered[ListSettings]) -> Ending:
    failures: list[Failure] = []
    variables = _sound(_outcomes(layered, overview), failures)
    first = next(variables, None)
    if first is None and not failures:
        return Ending(Exit.FAILED, f"pulse: there is no data file in {layered.settings.data_location}; {_ENDINGS}")
    variables = chain([] if first is None else [first], variables)
    if layered.settings.format == TABLE:
        from pulse_entrypoints.commands.data.table import listing

        show_all(listing(variables))
    elif layered.settings.format == CSV:
        write_csv(_LIST_COLUMNS, map(_list_row, variables))
    else:
        rows = [_list_row(variable) for variable in variables]
        write_json({"schema_version": 1, "data": layered.settings.data, "variables": rows, "failures": _rows(failures)})
    return ending_of(failures, keep_going=False, hint="")


def _check(layered: Layered[CheckSettings]) -> Ending:
    now = np.datetime64(composition.utc_now().replace(tzinfo=None), "us")
    failures: list[Failure] = []
    variables = tuple(_sound(_outcomes(layered, partial(quality, now=now)), failures))
    inspection = Inspection(variables)
    rows = [_finding_row(variable, finding) for variable, finding in inspection.findings]
    if layered.settings.format == TABLE:
        from pulse_entrypoints.commands.data.table import findings

        show(*findings(inspection))
    elif layered.settings.format == CSV:
        write_csv(_FINDING_COLUMNS, rows)
    else:
        write_json({"schema_version": 1, "data": layered.settings.data, "findings": rows, "failures": _rows(failures)})
    ending = ending_of(failures, keep_going=False, hint="")
    count = sum(not finding.note for _, finding in inspection.findings)
    if ending.status is Exit.DONE and layered.settings.strict and count:
        return Ending(Exit.FAILED, f"pulse: {count} {'finding' if count == 1 else 'findings'}")
    return ending


def _outcomes(layered: Layered[Any], examine: Callable[[Observations], Quality]) -> Iterator[Quality | Failure]:
    store = open_store(layered)
    return outcomes(store, selected(store, layered.settings.of), examine)


def _sound(examined: Iterable[Quality | Failure], failures: list[Failure]) -> Iterator[Quality]:
    """Yield what was examined, and add to the failures what could not be."""
    for outcome in examined:
        if isinstance(outcome, Failure):
            failures.append(outcome)
        else:
            yield outcome


def open_store(layered: Layered[Any]) -> DataStore:
    """Return the store that the settings name. Raises SettingsError."""
    composition.refuse_unserved_locations(layered)
    return composition.store_of(layered.settings)


def selected(store: DataStore, names: Sequence[str] | None) -> Sequence[str]:
    """Return the named variables, or all of the store."""
    return names or tuple(store.names())


def for_each_variable(
    variables: Sequence[str], action: Callable[[str], Outcome]
) -> tuple[dict[str, Outcome], list[Failure]]:
    """Return the outcome of an action by variable, and the failures."""
    outcomes: dict[str, Outcome] = {}
    failures: list[Failure] = []
    for variable in variables:
        try:
            outcomes[variable] = action(variable)
        except PulseError as error:
            failures.append(Failure.of(variable, error))
    return outcomes, failures


def _list_row(variable: Quality) -> dict[str, Any]:
    return {
        "variable": variable.variable,
        "observations": variable.observations,
        "absent": variable.absent,
        "first": moment(variable.first, variable.zone),
        "last": moment(variable.last, variable.zone),
        "calendar": variable.calendar or None,
        "vintages": variable.vintages,
    }


def _finding_row(variable: Quality, finding: Finding) -> dict[str, Any]:
    return {
        "variable": variable.variable,
        "kind": finding.kind,
        "count": finding.count,
        "first": moment(finding.first, variable.zone),
        "message": finding.message,
        "note": finding.note,
    }


def _rows(failures: Iterable[Failure]) -> list[dict[str, str]]:
    return [attrs.asdict(failure) for failure in failures]
