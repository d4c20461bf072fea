"""`pulse compare`: what changed between two runs, and whether it is more than noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.document import VariableHead
from pulse_adapters.published.result_reader import PublishedRun, with_results
from pulse_adapters.published.table_reader import RunTable, run_table
from pulse_core.errors import SettingsError
from pulse_core.runs.comparing import (
    BATCH_COLUMNS,
    HINDCAST_COLUMNS,
    Change,
    Changes,
    Losses,
    changes,
    joined_changes,
    losses_of_batches,
    losses_of_hindcasts,
    spec_changes,
)
from pulse_core.tables import Columns
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import run_command, show, write_csv, write_json
from pulse_entrypoints.commands.figures import NOTHING, percent
from pulse_entrypoints.settings.compare import CompareSettings
from pulse_entrypoints.settings.output import CSV, TABLE
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.results_archive import ResultsArchive

_MUST_AGREE: Final = ("benchmark", "target", "actuals")
_AS_BATCHES: Final = ("start", "batch_size_days")
"""What batches of two runs must share for a batch to mean the same."""

_LOSSES_SHOWN: Final = 20
_READ_AT_ONCE: Final = 8
"""Variables whose rows are read before they are compared."""
_COLUMNS: Final = (*(field.name for field in attrs.fields(Change)), "beyond")

Heads = Mapping[str, VariableHead]


@attrs.frozen(eq=False)
class Comparison:
    """Two runs side by side: their settings and data, and the changes of their scores.

    `changes` are those of variables whose scores differ, None without any; `same` counts the other variables of both
    runs. `settings` and `software` are (name, before, after) of what differs, `data` the variables whose rows known by
    one and the same end do; `only` are the variables of one run alone; `limit` and `certainty` define a loss.
    """

    before: PublishedRun
    after: PublishedRun
    benchmarks: Mapping[str, str]
    changes: Changes | None
    same: int
    settings: tuple[tuple[str, Any, Any], ...]
    software: tuple[tuple[str, Any, Any], ...]
    data: tuple[str, ...]
    only: tuple[tuple[str, ...], tuple[str, ...]]
    limit: float | None
    certainty: float

    @property
    def compared(self) -> int:
        """The number of changes."""
        return 0 if self.changes is None else len(self.changes)

    def losses(self) -> NDArray[np.bool_]:
        """Return which changes lost more skill than the limit; (change,)."""
        if self.changes is None or self.limit is None:
            return np.zeros(self.compared, dtype=bool)
        return self.changes.beyond(self.limit, self.certainty)


def compare(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Compare as the settings say and return the exit status."""
    return run_command(command_line, environment, CompareSettings, _compare)


def _compare(layered: Layered[CompareSettings]) -> Ending:
    settings = layered.settings
    composition.refuse_unserved_locations(layered)
    archive = composition.sink_of(settings)
    comparison = with_results(archive, (settings.before, settings.after), partial(_compared, archive, settings))
    _refuse_empty(comparison)
    if settings.format == TABLE:
        from pulse_entrypoints.commands.compare.table import table

        show(*table(comparison))
    elif settings.format == CSV:
        write_csv(_COLUMNS, _rows(comparison))
    else:
        write_json(_document(comparison))
    return _ending(comparison)


def _refuse_unlike(before: PublishedRun, after: PublishedRun) -> None:
    """Refuse runs whose losses do not mean the same. Raises SettingsError."""
    specs = before.spec.to_document(), after.spec.to_document()
    problems = [
        f"{name} is {specs[0][name]} in run '{before.run_id}' and {specs[1][name]} in '{after.run_id}': "
        "their errors do not compare; train both alike"
        for name in _MUST_AGREE
        if specs[0][name] != specs[1][name]
    ]
    if problems:
        raise SettingsError(problems)


def _refuse_unlike_benchmarks(runs: tuple[PublishedRun, PublishedRun], heads: tuple[Heads, Heads]) -> None:
    """Refuse runs that have chosen different benchmarks for a variable. Raises SettingsError."""
    names = [{variable: head.benchmark.name for variable, head in of_run.items()} for of_run in heads]
    problems = [
        f"benchmark of {variable} is {name} in run '{runs[0].run_id}' and {names[1][variable]} in '{runs[1].run_id}': "
        "their skills do not compare; train both with one benchmark"
        for variable, name in names[0].items()
        if names[1].get(variable, name) != name
    ]
    if problems:
        raise SettingsError(problems)


def _refuse_empty(comparison: Comparison) -> None:
    """Refuse to judge a loss of skill where the runs have nothing in common. Raises SettingsError."""
    if comparison.limit is None or comparison.compared or comparison.same:
        return
    before, after = comparison.before.run_id, comparison.after.run_id
    message = f"runs '{before}' and '{after}' share no variable, forecaster and horizon: nothing can be compared"
    raise SettingsError([f"{message}; train both with common ones over a common period, or leave --max-loss out"])


def _compared(
    archive: ResultsArchive, settings: CompareSettings, before: PublishedRun, after: PublishedRun
) -> Comparison:
    _refuse_unlike(before, after)
    heads = before.heads(), after.heads()
    _refuse_unlike_benchmarks((before, after), heads)
    tables, losses_of = _tables(archive, before, after)
    common = sorted(heads[0].keys() & heads[1].keys())
    # scores and statistics of the same digest are the same to the bit: no table needs to be read for them
    changed = [name for name in common if heads[0][name].digest != heads[1][name].digest]
    scored = [
        changes(name, old, new, heads[0][name].benchmark.name) for name, old, new in _losses(tables, losses_of, changed)
    ]
    return Comparison(
        before=before,
        after=after,
        benchmarks={name: head.benchmark.name for name, head in heads[0].items()},
        changes=joined_changes(scored),
        same=len(common) - len(changed),
        settings=tuple(spec_changes(before.spec.to_document(), after.spec.to_document())),
        software=tuple(spec_changes(before.software, after.software)),
        data=_changed_data(before, after),
        only=(tuple(sorted(heads[0].keys() - heads[1].keys())), tuple(sorted(heads[1].keys() - heads[0].keys()))),
        limit=settings.max_loss,
        certainty=settings.certainty,
    )


def _losses(
    tables: tuple[RunTable, RunTable], losses_of: Callable[[Columns], Losses], variables: Sequence[str]
) -> Iterator[tuple[str, Losses, Losses]]:
    """Yield the losses in both runs of each variable that has some in both; the runs are read side by side."""
    with ThreadPoolExecutor(len(tables)) as threads:
        for start in range(0, len(variables), _READ_AT_ONCE):
            names = variables[start : start + _READ_AT_ONCE]
            sides = threads.map(partial(_rows_of, names=names), tables)
            for name, old, new in zip(names, *sides, strict=True):
                if old is not None and new is not None:
                    yield name, losses_of(old), losses_of(new)


def _rows_of(table: RunTable, names: Sequence[str]) -> list[Columns | None]:
    return [table.of(name) for name in names]


def _changed_data(before: PublishedRun, after: PublishedRun) -> tuple[str, ...]:
    """Return the variables whose rows known by one and the same end differ."""
    if before.spec.last_day != after.spec.last_day:
        return ()
    old, new = before.fingerprints, after.fingerprints
    return tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name]))


def _tables(
    archive: ResultsArchive, before: PublishedRun, after: PublishedRun
) -> tuple[tuple[RunTable, RunTable], Callable[[Columns], Losses]]:
    """Return both runs' hindcasts where both have them, else their batches, and what makes losses of the rows.

    Raises SettingsError where only batches are there and differ, RunNotFound where there are none, DamagedPart where
    a part is missing.
    """
    runs = before, after
    with_hindcasts = all(run.parts("hindcasts") for run in runs)
    if not with_hindcasts:
        differing = [name for name in _AS_BATCHES if getattr(before.spec, name) != getattr(after.spec, name)]
        if differing:
            message = f"the batches of the runs differ ({', '.join(differing)}), and not both have hindcasts to pair"
            raise SettingsError([f"{message}; run the same trainings again with --hindcasts"])
    table, columns = ("hindcasts", HINDCAST_COLUMNS) if with_hindcasts else ("batches", BATCH_COLUMNS)
    tables = run_table(archive, before, table, columns), run_table(archive, after, table, columns)
    for run in tables:
        run.check_parts()
    return tables, losses_of_hindcasts if with_hindcasts else losses_of_batches


def _rows(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Yield a row a change: of millions, one is in memory at a time."""
    for change, is_loss in zip(comparison.changes or (), comparison.losses(), strict=True):
        yield {**{name: getattr(change, name) for name in _COLUMNS[:-1]}, "beyond": bool(is_loss)}


def _document(comparison: Comparison) -> dict[str, Any]:
    return {
        "schema_version": 2,
        "before": comparison.before.run_id,
        "after": comparison.after.run_id,
        "same_digest": comparison.before.document.digest == comparison.after.document.digest,
        "settings": {name: [old, new] for name, old, new in comparison.settings},
        "software": {name: [old, new] for name, old, new in comparison.software},
        "changed_data": list(comparison.data),
        "only_before": list(comparison.only[0]),
        "only_after": list(comparison.only[1]),
        "max_loss": comparison.limit,
        "certainty": comparison.certainty,
        "same_variables": comparison.same,
        "changes": list(_rows(comparison)),
    }


def _ending(comparison: Comparison) -> Ending:
    lost = np.flatnonzero(comparison.losses()).tolist()
    if not lost or comparison.changes is None:
        return Ending(Exit.DONE)
    count = f"{len(lost)} of {comparison.compared} compared have lost more skill than {comparison.limit:g}"
    hidden = [f"and {len(lost) - _LOSSES_SHOWN} more"] if len(lost) > _LOSSES_SHOWN else []
    lines = _loss_lines(comparison.changes[index] for index in lost[:_LOSSES_SHOWN])
    return Ending(Exit.SKILL_LOST, f"pulse: {count}", [*lines, *hidden])


def _loss_lines(lost: Iterable[Change]) -> Iterator[str]:
    for change in lost:
        skills = change.skill_before, change.skill_after
        before, after = (NOTHING if skill is None else percent(skill) for skill in skills)
        yield f"{change.variable}: {change.forecaster}, {change.horizon} ahead: skill {before} before, {after} after"
