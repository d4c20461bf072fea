"""`pulse compare`: what changed between two runs, and whether it is more than noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from pulse_adapters.published.result_reader import PublishedRun, read_result
from pulse_adapters.published.table_reader import RunTable, run_table
from pulse_core.errors import SettingsError
from pulse_core.runs.comparing import (
    HINDCAST_COLUMNS,
    SCORE_COLUMNS,
    Change,
    Losses,
    adjusted,
    changes,
    losses_of_hindcasts,
    losses_of_scores,
    spec_changes,
)
from pulse_core.tables import Columns
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import run_command, show, write_csv, write_json
from pulse_entrypoints.settings.compare import CompareSettings
from pulse_entrypoints.settings.output import CSV, TABLE
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.results_archive import ResultsArchive

_MUST_AGREE: Final = ("benchmark", "target", "actuals")
_AS_BATCHES: Final = ("start", "batch_size_days")
"""What batches of two runs must share for a batch to mean the same."""

_LOSSES_SHOWN: Final = 20
_COLUMNS: Final = (*(field.name for field in attrs.fields(Change)), "lost", "probability", "beyond")


@attrs.frozen(eq=False)
class Comparison:
    """Two runs side by side: their settings and data, and the changes of their scores.

    `settings` and `software` are (name, before, after) of what differs, `data` the variables whose rows known by one
    and the same end do; `only` are the variables of one run alone; `limit` and `certainty` define a loss.
    """

    before: PublishedRun
    after: PublishedRun
    changes: tuple[Change, ...]
    settings: tuple[tuple[str, Any, Any], ...]
    software: tuple[tuple[str, Any, Any], ...]
    data: tuple[str, ...]
    only: tuple[tuple[str, ...], tuple[str, ...]]
    limit: float | None
    certainty: float

    @property
    def losses(self) -> tuple[Change, ...]:
        """The changes that lost more skill than the limit."""
        return tuple(change for change in self.changes if self.is_loss(change))

    def is_loss(self, change: Change) -> bool:
        """Whether a change is a loss of skill beyond the limit."""
        return self.limit is not None and change.beyond(self.limit, self.certainty)


def compare(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Compare as the settings say and return the exit status."""
    return run_command(command_line, environment, CompareSettings, _compare)


def _compare(layered: Layered[CompareSettings]) -> Ending:
    settings = layered.settings
    composition.refuse_unserved_locations(layered)
    archive = composition.sink_of(settings)
    runs = read_result(archive, settings.before), read_result(archive, settings.after)
    _refuse_unlike(*runs)
    comparison = _compared(archive, *runs, settings)
    _refuse_empty(comparison)
    if settings.format == TABLE:
        from pulse_entrypoints.commands.compare.table import table

        show(*table(comparison))
    elif settings.format == CSV:
        write_csv(_COLUMNS, (_row(change, comparison) for change in comparison.changes))
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
    problems += [] if problems else _unlike_benchmarks(before, after)
    if problems:
        raise SettingsError(problems)


def _unlike_benchmarks(before: PublishedRun, after: PublishedRun) -> list[str]:
    """Return the problems of variables for which the runs have chosen different benchmarks."""
    names = _benchmarks(before), _benchmarks(after)
    return [
        f"benchmark of {variable} is {name} in run '{before.run_id}' and {names[1][variable]} in '{after.run_id}': "
        "their skills do not compare; train both with one benchmark"
        for variable, name in names[0].items()
        if names[1].get(variable, name) != name
    ]


def _benchmarks(run: PublishedRun) -> dict[str, str]:
    return {name: variable.benchmark.name for name, variable in run.document.variables.items()}


def _refuse_empty(comparison: Comparison) -> None:
    """Refuse to judge a loss of skill where the runs have nothing in common. Raises SettingsError."""
    if comparison.limit is None or comparison.changes:
        return
    before, after = comparison.before.run_id, comparison.after.run_id
    message = f"runs '{before}' and '{after}' share no variable, forecaster and horizon: nothing can be compared"
    raise SettingsError([f"{message}; train both with common ones over a common period, or leave --max-loss out"])


def _compared(
    archive: ResultsArchive, before: PublishedRun, after: PublishedRun, settings: CompareSettings
) -> Comparison:
    tables, losses_of = _tables(archive, before, after)
    names = [table.variables() for table in tables]
    scored: list[Change] = []
    benchmarks = _benchmarks(before)
    for name in sorted(set(names[0]) & set(names[1])):
        old, new = (losses_of(table.of(name)) for table in tables)
        scored.extend(changes(name, old, new, benchmarks.get(name, before.spec.benchmark)))
    prints = before.fingerprints, after.fingerprints
    return Comparison(
        before=before,
        after=after,
        changes=tuple(adjusted(scored)),
        settings=tuple(spec_changes(before.spec.to_document(), after.spec.to_document())),
        software=tuple(spec_changes(before.software, after.software)),
        data=_changed_data(before, after),
        only=(tuple(sorted(prints[0].keys() - prints[1].keys())), tuple(sorted(prints[1].keys() - prints[0].keys()))),
        limit=settings.max_loss,
        certainty=settings.certainty,
    )


def _changed_data(before: PublishedRun, after: PublishedRun) -> tuple[str, ...]:
    """Return the variables whose rows known by one and the same end differ."""
    if before.spec.last_day != after.spec.last_day:
        return ()
    old, new = before.fingerprints, after.fingerprints
    return tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name]))


def _tables(
    archive: ResultsArchive, before: PublishedRun, after: PublishedRun
) -> tuple[tuple[RunTable, RunTable], Callable[[Columns], Losses]]:
    """Return both runs' hindcasts where both have them, else their scores, and what makes losses of the rows.

    Raises SettingsError where only scores are there and their batches differ, RunNotFound where there are none.
    """
    runs = before, after
    with_hindcasts = all(run.hindcasts for run in runs)
    if not with_hindcasts:
        differing = [name for name in _AS_BATCHES if getattr(before.spec, name) != getattr(after.spec, name)]
        if differing:
            message = f"the batches of the runs differ ({', '.join(differing)}), and not both have hindcasts to pair"
            raise SettingsError([f"{message}; run the same trainings again with --hindcasts"])
    table, columns = ("hindcasts", HINDCAST_COLUMNS) if with_hindcasts else ("scores", SCORE_COLUMNS)
    tables = run_table(archive, before, table, columns), run_table(archive, after, table, columns)
    return tables, losses_of_hindcasts if with_hindcasts else losses_of_scores


def _row(change: Change, comparison: Comparison) -> dict[str, Any]:
    derived = {"lost": change.lost, "probability": change.probability, "beyond": comparison.is_loss(change)}
    return {**attrs.asdict(change), **derived}


def _document(comparison: Comparison) -> dict[str, Any]:
    return {
        "schema_version": 1,
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
        "changes": [_row(change, comparison) for change in comparison.changes],
    }


def _ending(comparison: Comparison) -> Ending:
    lost = comparison.losses
    if not lost:
        return Ending(Exit.DONE)
    count = f"{len(lost)} of {len(comparison.changes)} compared have lost more skill than {comparison.limit:g}"
    hidden = [f"and {len(lost) - _LOSSES_SHOWN} more"] if len(lost) > _LOSSES_SHOWN else []
    return Ending(Exit.SKILL_LOST, f"pulse: {count}", [*_loss_lines(lost[:_LOSSES_SHOWN]), *hidden])


def _loss_lines(lost: tuple[Change, ...]) -> Iterator[str]:
    for change in lost:
        yield (
            f"{change.variable}: {change.forecaster}, {change.horizon} ahead: skill {change.skill_before:+.1%} before, "
            f"{change.skill_after:+.1%} after"
        )
