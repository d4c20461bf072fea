"""The panels of a variable."""

from __future__ import annotations

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
from pulse_adapters.report.numbers import amount, day, share, signed
from pulse_adapters.report.panel import Numbers, Panel, thinned
from pulse_adapters.report.views import Detail, Fan, Residuals, Weights


def panels_of(detail: Detail) -> Iterator[Panel]:
    """Yield the panels of a variable; those that need hindcasts only where there are some."""
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
    path, focus, benchmark = detail.trust, detail.focus, detail.benchmark
    if focus == benchmark:
        return
    band = [
        (day(end), share(mean, 1), share(low, 1), share(high, 1))
        for end, mean, low, high in zip(
            path.ends, path.mean.tolist(), path.low.tolist(), path.high.tolist(), strict=True
        )
    ]
    yield Panel(
        title="Trust through time",
        conclusion=conclusions.on_trust(path, focus, benchmark),
        note=f"The chance that {focus} beats {benchmark}, one step ahead, at the end of each batch.",
        drawn=trust_figure(path),
        numbers=thinned(("until", "trust", "from", "to"), band),
    )
    if len(path.log10_e):
        lines = [(day(at), f"{value:.2f}") for at, value in zip(path.evidence_at, path.log10_e.tolist(), strict=True)]
        yield Panel(
            title="Evidence through time",
            conclusion=conclusions.on_evidence(path, benchmark),
            note="The e-value may be looked at as often as one likes; the dashed line is 20.",
            drawn=evidence_figure(path),
            numbers=thinned(("at", "log10 e"), lines),
        )


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
        title="Forecast against what happened",
        conclusion=conclusions.on_fan(fan),
        note=f"{detail.focus}, one step ahead. Shading marks every other batch.",
        drawn=fan_figure(fan, detail.batch_edges),
        numbers=thinned(("for", "forecast", "80% from", "to", "came"), lines),
        wide=True,
    )


def _surprises(detail: Detail, fan: Fan) -> Panel:
    lines = [
        (day(at), amount(came - point), amount(low - point), amount(high - point))
        for at, came, point, low, high in zip(
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
        conclusion=conclusions.on_surprises(fan, detail.focus),
        drawn=surprise_figure(fan, detail.batch_edges),
        numbers=thinned(("for", "came less forecast", "80% from", "to"), lines),
        wide=True,
    )


def _skill(detail: Detail) -> Panel:
    lines = [
        (curve.forecaster, str(place + 1), signed(skill), signed(low), signed(high))
        for curve in detail.skills
        for place, (skill, low, high) in enumerate(
            zip(curve.skill.tolist(), curve.low.tolist(), curve.high.tolist(), strict=True)
        )
    ]
    return Panel(
        title="Skill by horizon",
        conclusion=conclusions.on_skill(detail.skills, detail.benchmark),
        note=f"Share of {detail.benchmark}\u2019s absolute error saved, with the 95% jackknife interval over batches.",
        drawn=skill_figure(detail.skills),
        numbers=Numbers(("forecaster", "ahead", "skill", "from", "to"), tuple(lines)),
    )


def _weights(weights: Weights) -> Panel:
    names, values = heaviest(weights)
    lines = [(day(at), *(share(one) for one in values[:, place].tolist())) for place, at in enumerate(weights.starts)]
    return Panel(
        title="Ensemble weights through time",
        conclusion=conclusions.on_weights(weights),
        note="As they stood at the last origin of each batch, one step ahead.",
        drawn=weights_figure(weights),
        numbers=thinned(("batch from", *names), lines),
    )


def _calibration(detail: Detail) -> Iterator[Panel]:
    calibration = detail.calibration
    intervals = [(f"{one}% interval", f"{one}%", share(found, 1)) for one, found in calibration.coverage.items()]
    quantiles = [
        (f"at or below the {share(level, 1)} quantile", share(level, 1), share(below, 1))
        for level, below in zip(calibration.levels.tolist(), calibration.below.tolist(), strict=True)
    ]
    yield Panel(
        title="Calibration",
        conclusion=conclusions.on_reliability(calibration, detail.row.scored),
        note=f"{detail.focus}, one step ahead. On the diagonal, intervals and quantiles hold what they promise.",
        drawn=reliability_figure(calibration),
        numbers=Numbers(("what came lies", "nominal", "actual"), (*intervals, *quantiles)),
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
        title="Where what came fell (PIT)",
        conclusion=conclusions.on_pit(calibration),
        note="The probability integral transform, binned between the nine quantiles.",
        drawn=pit_figure(calibration),
        numbers=Numbers(("between quantiles", "nominal", "actual"), tuple(lines)),
    )


def _heat(detail: Detail) -> Iterator[Panel]:
    heat = detail.heat
    if not heat.forecasters or not np.isfinite(heat.ratio).any():
        return
    lines = [
        (day(start), *(amount(ratio) for ratio in heat.ratio[:, place].tolist()))
        for place, start in enumerate(heat.starts)
    ]
    yield Panel(
        title="Errors by batch",
        conclusion=conclusions.on_heat(heat, detail.focus, detail.benchmark),
        note=f"Blue: smaller errors than {detail.benchmark}; orange: larger. Full colour is 1.41 times, or 1/1.41.",
        drawn=heat_figure(heat),
        numbers=thinned(("batch from", *heat.forecasters), lines),
        wide=True,
    )
    yield Panel(
        title="How hard each batch was",
        conclusion=conclusions.on_hardness(heat, detail.benchmark),
        drawn=hardness_figure(heat),
        numbers=thinned(
            ("batch from", "MASE"),
            [(day(start), amount(one)) for start, one in zip(heat.starts, heat.hardness.tolist(), strict=True)],
        ),
        wide=True,
    )


def _residuals(detail: Detail, residuals: Residuals) -> Panel:
    lines = tuple((day(one.when), one.kind, one.text) for one in residuals.oddities)
    return Panel(
        title="Oddities in the errors",
        conclusion=conclusions.on_residuals(residuals, detail.calibration.count or len(residuals.error)),
        note=f"{detail.focus}\u2019s errors one step ahead, actual less forecast.",
        drawn=residuals_figure(residuals),
        numbers=Numbers(("date", "message", "how"), lines) if lines else None,
        wide=True,
        listed=True,
    )
