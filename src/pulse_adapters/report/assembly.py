"""Assembly of a report: all that it shows, from the files of a published run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from pulse_adapters.published.archive import Archive
from pulse_adapters.published.cautions import (
    beyond_reason_text,
    doubtful_text,
    reliability_text,
    trending_text,
    unrepeatable_text,
    unscored_text,
)
from pulse_adapters.published.document import Run, Variable
from pulse_adapters.published.result_reader import PublishedRun, with_results
from pulse_adapters.published.score_reader import with_best_scores, with_scores
from pulse_adapters.published.terms import LOSSES, benchmark_text, span_text
from pulse_adapters.report.batch_scores import BatchScores, read_batch_scores
from pulse_adapters.report.details import focus_forecaster, variable_detail
from pulse_adapters.report.facts import data_table, run_facts
from pulse_adapters.report.formats import listed
from pulse_adapters.report.hindcasts import read_hindcasts
from pulse_adapters.report.milestones import read_milestones
from pulse_adapters.report.selection import select_variables
from pulse_adapters.report.standings import trending_benchmarks
from pulse_adapters.report.summary import summary_rows
from pulse_adapters.report.views import Detail, Milestone, Report, Row
from pulse_core.errors import PulseError, SettingsError
from pulse_core.scores.measures import why_null

DETAIL_LIMIT: Final = 40
"""The number of variables that are shown in detail; `select_variables` says which ones of a larger run."""
ROW_LIMIT: Final = 1_000
"""The summary shows every horizon up to so many rows; beyond them, one step ahead alone."""

_NO_HINDCASTS: Final = (
    "The run wrote no hindcasts, so the forecast fan, the quantiles' calibration, the ensemble's weights, the evidence "
    "through time and the anomalies of the errors are not shown. To have them, run the same command with --report (or "
    "--hindcasts) under another --run-id or with the same --results: what did not change is not computed again."
)


def assemble_report(archive: Archive, run_id: str, variables: Sequence[str] = (), limit: int = DETAIL_LIMIT) -> Report:
    """Return the report of a run; `variables` are those to show in detail, by default the most telling up to `limit`.

    Raises RunNotFound, MalformedData, SinkUnavailable; SettingsError where the run has no such variable.
    """
    return with_results(archive, (run_id,), lambda run: _assembled(archive, run, variables, limit))


def _assembled(archive: Archive, run: PublishedRun, variables: Sequence[str], limit: int) -> Report:
    _refuse_unknown(run, variables)
    horizons = _horizons(run)
    run = with_best_scores(archive, run, horizons)
    rows = _rows(archive, run, horizons)
    names, selection = select_variables(run.run_id, rows, variables, limit)
    details = _details(archive, with_scores(archive, run, names), names, rows)
    document = run.document
    return Report(
        run_id=run.run_id,
        benchmark=_benchmark(run),
        loss=LOSSES[run.spec.trust_loss],
        span=_span(run),
        horizon=run.spec.horizon,
        forecasters=len(run.spec.forecasters),
        variables=len(run.variables),
        observations=sum(data.observations for data in document.run.data.values()),
        start=run.spec.start,
        end=run.spec.last_day,
        facts=run_facts(run),
        rows=rows,
        horizons=tuple(horizons),
        details=details,
        selection=selection,
        cautions=_cautions(run),
        reliability=tuple(document.reliability),
        missing=_missing(run, details, horizons),
        failures=tuple(
            (failure.variable, str(PulseError(failure.message, failure.context)), failure.hint)
            for failure in document.failures
        ),
        units=tuple(
            (name, getattr(document.run.units, name)) for name in ("planned", "recalled", "computed", "failed")
        ),
        data=data_table(run),
        milestones=_milestones(archive, run),
        origins=tuple((batch.start, batch.origins) for batch in document.batches),
    )


def _benchmark(run: PublishedRun) -> str:
    return benchmark_text((variable.benchmark.name for variable in run.variables.values()), run.spec.benchmark)


def _span(run: PublishedRun) -> str:
    return span_text(variable.span for variable in run.variables.values())


def _cautions(run: PublishedRun) -> tuple[str, ...]:
    texts = (
        trending_text(trending_benchmarks(run)),
        reliability_text(run.document.reliability),
        unrepeatable_text(run.document.run.unrepeatable or ()),
        doubtful_text(_data_cautions(run.document.run)),
        unscored_text((name, _unscored(variable)) for name, variable in run.variables.items()),
        beyond_reason_text(
            (name, forecaster, sum(counts.values()))
            for name, variable in run.variables.items()
            for forecaster, counts in variable.beyond_reason.items()
        ),
    )
    return tuple(text for text in texts if text)


def _unscored(variable: Variable) -> list[int]:
    """Return the horizons, of those that the document tells the best of, at which no forecaster was scored."""
    if (variable.nulls or {}).get("best") != why_null("mae", scored=False):
        return []
    return [int(horizon) for horizon, best in variable.best.items() if best is None]


def _data_cautions(run: Run) -> list[tuple[str, str]]:
    return [(name, data.caution or "") for name, data in {**(run.predictors or {}), **run.data}.items()]


def _refuse_unknown(run: PublishedRun, variables: Sequence[str]) -> None:
    unknown = [name for name in variables if name not in run.variables]
    if unknown:
        names = listed(sorted(run.variables)[:10])
        raise SettingsError([f"variables: the run '{run.run_id}' has no {name!r}; it has {names}" for name in unknown])


def _horizons(run: PublishedRun) -> range:
    rows = len(run.variables) * run.spec.horizon
    return range(1, (run.spec.horizon if rows <= ROW_LIMIT else 1) + 1)


def _rows(archive: Archive, run: PublishedRun, horizons: Sequence[int]) -> tuple[Row, ...]:
    rows: dict[str, tuple[Row, ...]] = {}
    for scores in read_batch_scores(archive, run):
        if scores.variable in run.variables:
            rows[scores.variable] = tuple(summary_rows(run, scores.variable, scores, horizons))
    for variable in run.variables:
        rows.setdefault(variable, tuple(summary_rows(run, variable, None, horizons)))
    return tuple(row for variable in sorted(rows) for row in rows[variable])


def _details(archive: Archive, run: PublishedRun, names: Sequence[str], rows: Sequence[Row]) -> tuple[Detail, ...]:
    selected = {row.variable: row for row in rows if row.horizon == 1 and row.variable in set(names)}
    if not selected:
        return ()
    focus = {variable: focus_forecaster(run, variable) for variable in selected}
    scores: dict[str, BatchScores] = {batch.variable: batch for batch in read_batch_scores(archive, run, selected)}
    details = {
        hindcasts.variable: variable_detail(run, selected[hindcasts.variable], scores[hindcasts.variable], hindcasts)
        for hindcasts in read_hindcasts(archive, run, focus)
        if hindcasts.variable in scores
    }
    for variable in scores.keys() - details.keys():
        details[variable] = variable_detail(run, selected[variable], scores[variable], None)
    return tuple(details[variable] for variable in names if variable in details)


def _missing(run: PublishedRun, details: Sequence[Detail], horizons: Sequence[int]) -> tuple[str, ...]:
    missing = []
    if details and not run.parts("hindcasts"):
        missing.append(_NO_HINDCASTS)
    if len(horizons) < run.spec.horizon:
        missing.append(f"The summary shows one step ahead; the table scores holds all {run.spec.horizon} horizons.")
    return tuple(missing)


def _milestones(archive: Archive, run: PublishedRun) -> tuple[Milestone, ...]:
    facts = run.document.run
    logged = tuple(read_milestones(archive, run.run_id))
    return logged or tuple(_start_and_end(facts.started_at, facts.finished_at))


def _start_and_end(started: datetime | None, finished: datetime | None) -> Iterator[Milestone]:
    if started is not None:
        yield Milestone(started, "started", 0)
    if finished is not None:
        yield Milestone(finished, "finished")
