"""The panels of a variable: each figure with its conclusion and its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from pulse_adapters.report import conclusions
from pulse_adapters.report.figures.calibration import pit_figure, reliability_figure
from pulse_adapters.report.figures.fan import fan_figure, is_thin, surprise_figure
from pulse_adapters.report.figures.heat import hardness_figure, heat_figure
from pulse_adapters.report.figures.residuals import residuals_figure
from pulse_adapters.report.figures.skill import skill_figure
from pulse_adapters.report.figures.trust import evidence_figure, trust_figure
from pulse_adapters.report.figures.weights import heaviest, weights_figure
from pulse_adapters.report.formats import MINUS, NONE, amount, chance, day, share, signed
from pulse_adapters.report.panel import Numbers, Panel, thinned
from pulse_adapters.report.views import Detail, Fan, Residuals, Verdict, Weights


def variable_panels(detail: Detail) -> Iterator[Panel]:
    """Yield the panels of a variable; those that need hindcasts only where the run wrote them."""
    yield from _trust(detail)
    if detail.fan is not None and len(detail.fan):
        yield _fan(detail, detail.fan)
        if is_thin(detail.fan):
            yield _surprises(detail, detail.fan)
    if detail.skills and any(np.isfinite(curve.skill).any() for curve in detail.skills):
        yield _skill(detail)
    if detail.weights is not None:
        yield _weights(detail.weights)
    yield from _calibration(detail)
    yield from _heat(detail)
    if detail.residuals is not None and len(detail.residuals.error):
        yield _residuals(detail, detail.residuals)


def _trust(detail: Detail) -> Iterator[Panel]:
    path, focus = detail.trust, detail.focus
    if focus.verdict is Verdict.BENCHMARK:
        return
    lines = [(day(end), chance(trust)) for end, trust in zip(path.ends, path.trust.tolist(), strict=True)]
    yield Panel(
        title="Trust through time",
        conclusion=conclusions.on_trust(path, focus, detail.loss),
        note=f"In {focus.forecaster}, one step ahead, at the end of each batch. A probability: it has no interval.",
        drawing=trust_figure(path),
        numbers=thinned(("until", "trust"), lines),
    )
    if len(path.log10_e):
        sides = zip(path.evidence_at, path.log10_e.tolist(), path.log10_e_against.tolist(), strict=True)
        yield Panel(
            title="Evidence through time",
            conclusion=conclusions.on_evidence(path, focus),
            note="E-values one step ahead are valid however often they are looked at; the dashed line is 20.",
            drawing=evidence_figure(path),
            numbers=thinned(
                ("at", "log10 e for it", "against it"),
                [(day(at), _power(favour), _power(against)) for at, favour, against in sides],
            ),
        )


def _power(value: float) -> str:
    return f"{value:.2f}".replace("-", MINUS) if math.isfinite(value) else NONE


def _fan(detail: Detail, fan: Fan) -> Panel:
    lines = [
        (day(at), amount(point), amount(low), amount(high), amount(actual))
        for at, point, low, high, actual in zip(
            fan.target,
            fan.point.tolist(),
            fan.quantiles[2].tolist(),
            fan.quantiles[6].tolist(),
            fan.actual.tolist(),
            strict=True,
        )
    ]
    return Panel(
        title="Forecast against actual values",
        conclusion=conclusions.on_fan(fan),
        note=f"{detail.focus_name}, one step ahead. Shading marks every other batch.",
        drawing=fan_figure(fan, detail.batch_edges),
        numbers=thinned(("for", "forecast", "80% from", "to", "actual"), lines),
        wide=True,
    )


def _surprises(detail: Detail, fan: Fan) -> Panel:
    lines = [
        (day(at), amount(actual - point), amount(low - point), amount(high - point))
        for at, actual, point, low, high in zip(
            fan.target,
            fan.actual.tolist(),
            fan.point.tolist(),
            fan.quantiles[2].tolist(),
            fan.quantiles[6].tolist(),
            strict=True,
        )
    ]
    return Panel(
        title="The same, less the forecast",
        conclusion=conclusions.on_surprises(fan, detail.focus_name),
        drawing=surprise_figure(fan, detail.batch_edges),
        numbers=thinned(("for", "actual less forecast", "80% from", "to"), lines),
        wide=True,
    )


def _skill(detail: Detail) -> Panel:
    lines = [
        (curve.forecaster, str(horizon), signed(skill), signed(low), signed(high))
        for curve in detail.skills
        for horizon, (skill, low, high) in enumerate(
            zip(curve.skill.tolist(), curve.low.tolist(), curve.high.tolist(), strict=True), start=1
        )
    ]
    return Panel(
        title="Skill by horizon",
        conclusion=conclusions.on_skill(detail.skills, detail.benchmark, detail.loss),
        note=f"Share of {detail.benchmark}\u2019s {detail.loss} saved, with its 95% jackknife interval over batches.",
        drawing=skill_figure(detail.skills),
        numbers=Numbers(("forecaster", "ahead", "skill", "from", "to"), tuple(lines)),
    )


def _weights(weights: Weights) -> Panel:
    names, values = heaviest(weights)
    lines = [(day(start), *map(share, batch)) for start, batch in zip(weights.starts, values.T.tolist(), strict=True)]
    return Panel(
        title="Ensemble weights through time",
        conclusion=conclusions.on_weights(weights),
        note="As they stood at the last origin of each batch, one step ahead.",
        drawing=weights_figure(weights),
        numbers=thinned(("batch from", *names), lines),
    )


def _calibration(detail: Detail) -> Iterator[Panel]:
    calibration = detail.calibration
    intervals = [
        (f"{nominal}% interval", f"{nominal}%", share(actual, 1)) for nominal, actual in calibration.coverage.items()
    ]
    quantiles = [
        (f"at or below the {share(level, 1)} quantile", share(level, 1), share(below, 1))
        for level, below in zip(calibration.levels.tolist(), calibration.below.tolist(), strict=True)
    ]
    yield Panel(
        title="Calibration",
        conclusion=conclusions.on_reliability(calibration, detail.scored),
        note=f"{detail.focus_name}, one step ahead. On the diagonal, intervals and quantiles hold what they promise.",
        drawing=reliability_figure(calibration),
        numbers=Numbers(("share of actual values", "nominal", "actual"), (*intervals, *quantiles)),
    )
    if calibration.count:
        yield _pit(detail)


def _pit(detail: Detail) -> Panel:
    calibration = detail.calibration
    edges = [0.0, *calibration.levels.tolist(), 1.0]
    lines = [
        (f"{share(low, 1)} to {share(high, 1)}", share(high - low, 1), share(mass, 1))
        for low, high, mass in zip(edges, edges[1:], calibration.mass.tolist(), strict=False)
    ]
    return Panel(
        title="Where actual values fell (PIT)",
        conclusion=conclusions.on_pit(calibration),
        note="The probability integral transform, binned between the nine quantiles.",
        drawing=pit_figure(calibration),
        numbers=Numbers(("between quantiles", "nominal", "actual"), tuple(lines)),
    )


def _heat(detail: Detail) -> Iterator[Panel]:
    heat = detail.heat
    if not heat.forecasters or not np.isfinite(heat.ratio).any():
        return
    lines = [(day(start), *map(amount, batch)) for start, batch in zip(heat.starts, heat.ratio.T.tolist(), strict=True)]
    yield Panel(
        title="Errors by batch",
        conclusion=conclusions.on_heat(heat, detail.focus_name, detail.benchmark),
        note=f"Blue: smaller errors than {detail.benchmark}; orange: larger. Full colour is 1.41 times, or 1/1.41.",
        drawing=heat_figure(heat),
        numbers=thinned(("batch from", *heat.forecasters), lines),
        wide=True,
    )
    yield Panel(
        title="How hard each batch was",
        conclusion=conclusions.on_hardness(heat, detail.benchmark),
        drawing=hardness_figure(heat),
        numbers=thinned(
            ("batch from", "MASE"),
            [(day(start), amount(mase)) for start, mase in zip(heat.starts, heat.hardness.tolist(), strict=True)],
        ),
        wide=True,
    )


def _residuals(detail: Detail, residuals: Residuals) -> Panel:
    lines = tuple((day(anomaly.when), anomaly.kind, anomaly.text) for anomaly in residuals.anomalies)
    return Panel(
        title="Anomalies of the errors",
        conclusion=conclusions.on_residuals(residuals, detail.calibration.count or len(residuals.error)),
        note=f"{detail.focus_name}\u2019s errors one step ahead, actual less forecast.",
        drawing=residuals_figure(residuals),
        numbers=Numbers(("date", "kind", "description"), lines) if lines else None,
        wide=True,
        listed=True,
    )
