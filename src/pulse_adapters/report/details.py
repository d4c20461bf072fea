"""The details of a variable, from its scores by batch and, where they were written, its hindcasts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.published.terms import LOSSES, season_text
from pulse_adapters.report.anomalies import residuals
from pulse_adapters.report.batch_scores import BatchScores
from pulse_adapters.report.hindcasts import Hindcasts
from pulse_adapters.report.standings import standing_of
from pulse_adapters.report.views import Calibration, Detail, Fan, Heat, Moments, Row, SkillCurve, TrustPath
from pulse_core.forecasters.registry import ENSEMBLE
from pulse_core.levels import INTERVALS

CURVES = 4
FAN_ORIGINS = 250


def focus_forecaster(run: PublishedRun, variable: str) -> str:
    """Return the forecaster whose details are shown: the best one step ahead, the benchmark apart where it can be."""
    results = run.variables[variable]
    benchmark = results.benchmark.name
    errors = {
        name: scores.horizons["1"].mae
        for name, scores in results.forecasters.items()
        if name != benchmark and scores.horizons["1"].mae is not None
    }
    return min(errors, key=lambda name: (errors[name], run.spec.forecasters.index(name))) if errors else benchmark


def variable_detail(run: PublishedRun, row: Row, scores: BatchScores, hindcasts: Hindcasts | None) -> Detail:
    """Return a variable's details; `row` is its row of the summary one step ahead."""
    variable, focus = row.variable, focus_forecaster(run, row.variable)
    data, benchmark = run.document.run.data[variable], run.variables[variable].benchmark
    return Detail(
        variable=variable,
        focus=standing_of(run, variable, focus, 1),
        row=row,
        trends=benchmark.trends,
        loss=LOSSES[run.spec.trust_loss],
        scored=run.variables[variable].forecasters[focus].horizons["1"].n,
        known_at=data.known_at,
        observations=data.observations,
        season=season_text(run.variables[variable].season),
        batch_edges=_starts(run),
        trust=_trust(run, focus, scores, hindcasts),
        skills=tuple(_curve(run, variable, name) for name in _compared(run, variable, focus)),
        heat=_heat(run, benchmark.name, scores),
        fan=None if hindcasts is None else _fan(hindcasts),
        calibration=_calibration(run, variable, focus, hindcasts),
        weights=None if hindcasts is None else hindcasts.weights,
        residuals=None
        if hindcasts is None
        else residuals(hindcasts.target[hindcasts.scored], hindcasts.error[hindcasts.scored]),
    )


def _trust(run: PublishedRun, focus: str, scores: BatchScores, hindcasts: Hindcasts | None) -> TrustPath:
    trust = scores.trust[:, scores.forecasters.index(focus), 0]
    if hindcasts is None:
        return TrustPath(_ends(run), trust, _starts(run)[:0], np.empty(0), np.empty(0))
    last_of_batch = np.r_[np.diff(hindcasts.batch) > 0, np.full(min(len(hindcasts.batch), 1), fill_value=True)]
    return TrustPath(
        _ends(run),
        trust,
        hindcasts.known_at[last_of_batch],
        hindcasts.log10_e[last_of_batch],
        hindcasts.log10_e_against[last_of_batch],
    )


def _compared(run: PublishedRun, variable: str, focus: str) -> Sequence[str]:
    """Return the forecasters whose skill is shown by horizon: the focus, the ensemble, those best at some horizon."""
    results = run.variables[variable]
    names = dict.fromkeys((focus, ENSEMBLE, *(name for name in results.best.values() if name is not None)))
    return [name for name in names if name in results.forecasters and name != results.benchmark.name][:CURVES]


def _curve(run: PublishedRun, variable: str, forecaster: str) -> SkillCurve:
    standings = [standing_of(run, variable, forecaster, horizon) for horizon in range(1, run.spec.horizon + 1)]
    unknown = np.nan, np.nan
    low, high = np.array([standing.interval or unknown for standing in standings]).T
    skill = np.array([np.nan if standing.skill is None else standing.skill for standing in standings])
    return SkillCurve(forecaster, skill, low, high)


def _heat(run: PublishedRun, name: str, scores: BatchScores) -> Heat:
    benchmark = scores.forecasters.index(name)
    errors = scores.mae[:, :, 0].T  # (forecaster, batch)
    compared = [index for index, row in enumerate(errors) if index != benchmark and np.isfinite(row).any()]
    ratio = np.full(errors.shape, np.nan)
    np.divide(errors, errors[benchmark], out=ratio, where=errors[benchmark] > 0)
    return Heat(
        _starts(run),
        _ends(run),
        tuple(scores.forecasters[index] for index in compared),
        ratio[compared],
        scores.mase[:, benchmark, 0],
    )


def _fan(hindcasts: Hindcasts) -> Fan:
    dated = np.flatnonzero(~np.isnat(hindcasts.target))
    recent = dated[-FAN_ORIGINS:]
    return Fan(
        hindcasts.target[recent], hindcasts.point[recent], hindcasts.quantiles[:, recent], hindcasts.actual[recent]
    )


def _calibration(run: PublishedRun, variable: str, focus: str, hindcasts: Hindcasts | None) -> Calibration:
    shares = run.variables[variable].forecasters[focus].horizons["1"].coverage
    coverage = {
        interval: float("nan") if shares[str(interval)] is None else shares[str(interval)] for interval in INTERVALS
    }
    if hindcasts is None:
        empty = np.empty(0)
        return Calibration(coverage, empty, empty, empty, 0)  # type: ignore[arg-type]  # None was replaced above
    return Calibration(coverage, *hindcasts.calibration())  # type: ignore[arg-type]  # as above


def _starts(run: PublishedRun) -> Moments:
    return np.array([batch.start for batch in run.batches], dtype="datetime64[us]")


def _ends(run: PublishedRun) -> Moments:
    return np.array([batch.end for batch in run.batches], dtype="datetime64[us]")
