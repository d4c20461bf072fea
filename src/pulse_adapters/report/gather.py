"""From a published run to all that its report shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import numpy as np

from pulse_adapters.published.archive import Archive
from pulse_adapters.published.result_reader import PublishedRun, read_result
from pulse_adapters.report.batchwise import Batchwise, batchwise
from pulse_adapters.report.choice import chosen
from pulse_adapters.report.details import detail, focus_of
from pulse_adapters.report.facts import data_of, facts_of
from pulse_adapters.report.log import milestones
from pulse_adapters.report.numbers import listed
from pulse_adapters.report.quotes import quotes
from pulse_adapters.report.summary import rows_of
from pulse_adapters.report.views import Detail, Milestone, Report, Row, SkillCurve
from pulse_core.errors import PulseError, SettingsError

DETAILED: Final = 40
"""How many variables are told in detail; of a larger run, the most telling."""
MOST_ROWS: Final = 1_000
"""The summary shows every horizon up to this many rows; beyond, the first alone."""

_NO_HINDCASTS = (
    "The run wrote no hindcasts, so the forecast fan, the quantiles' calibration, the ensemble's weights, the evidence "
    "through time and the residual oddities are not shown. To have them, run the same command with --report (or "
    "--hindcasts) under another --run-id or in the same place: what did not change is not computed again."
)
_NO_SUMS = (
    "The run's tables come from an earlier version of Pulse and hold no sums of common errors, so skills have no "
    "intervals. To have them, run the same command again."
)


def report_of(archive: Archive, run_id: str, variables: Sequence[str] = (), limit: int = DETAILED) -> Report:
    """Gather the report of a run; `variables` are those to tell in detail, else the most telling up to `limit`.

    Raises RunNotFound, MalformedData, SinkUnavailable; SettingsError where the run has no such variable.
    """
    run = read_result(archive, run_id)
    _refuse_unknown(run, variables)
    horizons = _horizons(run)
    rows = _rows(archive, run, horizons)
    names, how = chosen(run.run_id, rows, variables, limit)
    details = _details(archive, run, names, rows)
    document = run.document
    return Report(
        run_id=run.run_id,
        benchmark=run.spec.benchmark,
        horizon=run.spec.horizon,
        forecasters=len(run.spec.roster),
        variables=len(document.variables),
        observations=sum(one.observations for one in document.run.data.values()),
        start=run.spec.start,
        end=run.spec.last_day,
        facts=facts_of(run),
        rows=rows,
        horizons=tuple(horizons),
        details=details,
        chosen=how,
        missing=_missing(run, details, horizons),
        failures=tuple(
            (one.variable, str(PulseError(one.message, one.context)), one.hint) for one in document.failures
        ),
        units=tuple(
            (name, getattr(document.run.units, name)) for name in ("planned", "recalled", "computed", "failed")
        ),
        data=data_of(run),
        milestones=_milestones(archive, run),
        origins=tuple((batch.start, batch.origins) for batch in document.batches),
    )


def _refuse_unknown(run: PublishedRun, variables: Sequence[str]) -> None:
    unknown = [name for name in variables if name not in run.document.variables]
    if unknown:
        some = listed(sorted(run.document.variables)[:10])
        raise SettingsError([f"variables: the run '{run.run_id}' has no {name!r}; it has {some}" for name in unknown])


def _horizons(run: PublishedRun) -> range:
    rows = len(run.document.variables) * run.spec.horizon
    return range(1, (run.spec.horizon if rows <= MOST_ROWS else 1) + 1)


def _rows(archive: Archive, run: PublishedRun, horizons: Sequence[int]) -> tuple[Row, ...]:
    rows: dict[str, tuple[Row, ...]] = {}
    for scores in batchwise(archive, run):
        if scores.variable in run.document.variables:
            rows[scores.variable] = tuple(rows_of(run, scores.variable, scores, horizons))
    for variable in run.document.variables:
        rows.setdefault(variable, tuple(rows_of(run, variable, None, horizons)))
    return tuple(row for variable in sorted(rows) for row in rows[variable])


def _details(archive: Archive, run: PublishedRun, names: Sequence[str], rows: Sequence[Row]) -> tuple[Detail, ...]:
    wanted = {row.variable: row for row in rows if row.horizon == 1 and row.variable in set(names)}
    focus = {variable: focus_of(run, variable) for variable in wanted}
    scores: dict[str, Batchwise] = {one.variable: one for one in batchwise(archive, run, wanted)} if wanted else {}
    made = {
        quoted.variable: detail(run, wanted[quoted.variable], scores[quoted.variable], quoted)
        for quoted in quotes(archive, run, focus)
        if quoted.variable in scores
    }
    for variable, one in scores.items():
        if variable not in made:
            made[variable] = detail(run, wanted[variable], one, None)
    return tuple(made[variable] for variable in names if variable in made)


def _missing(run: PublishedRun, details: Sequence[Detail], horizons: Sequence[int]) -> tuple[str, ...]:
    missing = []
    if details and not run.hindcasts:
        missing.append(_NO_HINDCASTS)
    if details and all(one.skills and not any(map(_has_skill, one.skills)) for one in details):
        missing.append(_NO_SUMS)
    if len(horizons) < run.spec.horizon:
        missing.append(f"The summary shows one step ahead; result.json holds all {run.spec.horizon} horizons.")
    return tuple(missing)


def _has_skill(curve: SkillCurve) -> bool:
    return bool(np.isfinite(curve.skill).any())


def _milestones(archive: Archive, run: PublishedRun) -> tuple[Milestone, ...]:
    facts = run.document.run
    logged = tuple(milestones(archive, run.run_id))
    return logged or tuple(_ends(facts.started_at, facts.finished_at))


def _ends(started: datetime | None, finished: datetime | None) -> Iterator[Milestone]:
    if started is not None:
        yield Milestone(started, "started", 0)
    if finished is not None:
        yield Milestone(finished, "finished")
