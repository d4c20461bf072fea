"""The details of one variable, from its scores by batch and, where they were written, its hindcasts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.report.batchwise import Batchwise
from pulse_adapters.report.oddities import residuals
from pulse_adapters.report.quotes import Quotes
from pulse_adapters.report.views import Calibration, Detail, Fan, Heat, Moments, Row, SkillCurve, TrustPath
from pulse_core.backtest import ensemble
from pulse_core.scores.comparison import log10_evidence
from pulse_core.scores.sums import INTERVALS
from pulse_core.scores.trust import LOST, UNKNOWN, WON, outcome

CURVES = 4
FAN_ORIGINS = 250


def focus_of(run: PublishedRun, variable: str) -> str:
    """Return the forecaster whose details are told: the best one step ahead, or the best beside the benchmark."""
    found, benchmark = run.document.variables[variable], run.spec.benchmark
    errors = {
        name: scores.horizons["1"].mae
        for name, scores in found.forecasters.items()
        if name != benchmark and scores.horizons["1"].mae is not None
    }
    return min(errors, key=lambda name: (errors[name], run.spec.roster.index(name))) if errors else benchmark


def detail(run: PublishedRun, row: Row, scores: Batchwise, quotes: Quotes | None) -> Detail:
    """Gather a variable's details; `row` is its line one step ahead."""
    variable, focus = row.variable, focus_of(run, row.variable)
    data = run.document.run.data[variable]
    return Detail(
        variable=variable,
        focus=focus,
        benchmark=run.spec.benchmark,
        row=row,
        known_at=data.known_at,
        observations=data.observations,
        batch_edges=_starts(run),
        trust=_trust(run, focus, scores, quotes),
        skills=tuple(_curve(run, scores, name) for name in _curves(run, variable, focus)),
        heat=_heat(run, scores),
        fan=None if quotes is None else _fan(quotes),
        calibration=_calibration(run, variable, focus, quotes),
        weights=None if quotes is None else quotes.weights,
        residuals=None if quotes is None else residuals(quotes.target[quotes.scored], quotes.error[quotes.scored]),
    )


def _trust(run: PublishedRun, focus: str, scores: Batchwise, quotes: Quotes | None) -> TrustPath:
    path = scores.trust_path(focus, 1)
    if quotes is None or focus == run.spec.benchmark:
        return TrustPath(_ends(run), path[:, 0], path[:, 1], path[:, 2], _starts(run)[:0], np.empty(0))
    outcomes = outcome(np.abs(quotes.error), np.abs(quotes.benchmark_error))
    told = outcomes != UNKNOWN
    won, lost = (np.cumsum(outcomes[told] == side).astype(np.float64) for side in (WON, LOST))
    last = np.r_[np.diff(quotes.batch[told]) > 0, True] if told.any() else np.zeros(0, dtype=bool)
    return TrustPath(
        _ends(run), path[:, 0], path[:, 1], path[:, 2], quotes.target[told][last], log10_evidence(won[last], lost[last])
    )


def _curves(run: PublishedRun, variable: str, focus: str) -> Sequence[str]:
    """Return the forecasters whose skill is shown by horizon: the focus, the ensemble, those best at some horizon."""
    found = run.document.variables[variable]
    names = dict.fromkeys((focus, ensemble.NAME, *(name for name in found.best.values() if name is not None)))
    return [name for name in names if name in found.forecasters and name != run.spec.benchmark][:CURVES]


def _curve(run: PublishedRun, scores: Batchwise, forecaster: str) -> SkillCurve:
    found = [scores.skill(forecaster, horizon) for horizon in range(1, run.spec.horizon + 1)]
    skill, low, high = (np.array([getattr(one, name) for one in found]) for name in ("skill", "low", "high"))
    return SkillCurve(forecaster, skill, low, high)


def _heat(run: PublishedRun, scores: Batchwise) -> Heat:
    benchmark = scores.forecasters.index(run.spec.benchmark)
    others = [place for place in range(len(scores.forecasters)) if place != benchmark]
    errors = scores.mae[:, :, 0].T
    ratio = np.full(errors.shape, np.nan)
    np.divide(errors, errors[benchmark], out=ratio, where=errors[benchmark] > 0)
    return Heat(
        _starts(run),
        _ends(run),
        tuple(scores.forecasters[place] for place in others),
        ratio[others],
        scores.mase[:, benchmark, 0],
    )


def _fan(quotes: Quotes) -> Fan:
    there = ~np.isnat(quotes.target)
    recent = np.flatnonzero(there)[-FAN_ORIGINS:]
    return Fan(quotes.target[recent], quotes.point[recent], quotes.quantiles[:, recent], quotes.actual[recent])


def _calibration(run: PublishedRun, variable: str, focus: str, quotes: Quotes | None) -> Calibration:
    found = run.document.variables[variable].forecasters[focus].horizons["1"].coverage
    coverage = {
        interval: float("nan") if found[str(interval)] is None else found[str(interval)] for interval in INTERVALS
    }
    nothing = np.empty(0)
    if quotes is None:
        return Calibration(coverage, nothing, nothing, nothing, 0)  # type: ignore[arg-type]  # None was replaced above
    return Calibration(coverage, *quotes.calibration())  # type: ignore[arg-type]


def _starts(run: PublishedRun) -> Moments:
    return np.array([batch.start for batch in run.batches], dtype="datetime64[us]")


def _ends(run: PublishedRun) -> Moments:
    return np.array([batch.end for batch in run.batches], dtype="datetime64[us]")
